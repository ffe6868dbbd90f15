//! `max_pool2d`: `y[n,c,i,j]` = the maximum of `x[n,c]` over window (i, j).
//!
//! Derivative: dy goes to the pixel that was the maximum, summed (in [`Scalar::Wide`], windows in row-major order)
//! where windows overlap.
//!
//! Conventions, as PyTorch's: a tie goes to the first pixel in row-major order; a NaN is larger than any number, and
//! the last of several wins; padding is -inf and at most half the kernel; windows that do not fit are left out.
//!
//! ```
//! use gdstar::{kernel::Kernel, op::evaluate, ops::MaxPool2d};
//! use ndarray::array;
//! let op = MaxPool2d { kernel: [2, 2], stride: [2, 2], padding: [0, 0] };
//! let x = array![[[[1.0, 2.0, 4.0, 4.0], [3.0, 0.0, 4.0, 4.0]]]].into_dyn();
//! let dy = array![[[[10.0, 20.0]]]].into_dyn();
//! let result = evaluate(&op, Kernel::Literal, &[x.view()], &[Some(dy.view())], &[true])?;
//! assert_eq!(result.outputs[0], array![[[[3.0, 4.0]]]].into_dyn());
//! let dx = array![[[[0.0, 0.0, 20.0, 0.0], [10.0, 0.0, 0.0, 0.0]]]].into_dyn();
//! assert_eq!(result.gradients[0], Some(dx));
//! # Ok::<(), gdstar::Error>(())
//! ```

use super::{Attributes, Care, Case, Catalogued, Magnitude, Summation, shape};
use crate::error::{Error, Result};
use crate::kernel::{self, Kernel, Pooling, Positions};
use crate::op::{Argument, ArrayNames, Cost, List, Op, Reads, Shape, list};
use crate::scalar::Scalar;
#[cfg(feature = "cuda")]
use crate::{
    kernel::cuda::{self, Device, DeviceTensor},
    op::{DeviceResult, Seated},
};
use ndarray::{ArrayD, ArrayViewD};
use rand_chacha::ChaCha8Rng;

/// y = the maximum over each window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxPool2d {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    /// Rows and columns of -inf added on each side.
    pub padding: [usize; 2],
}

impl MaxPool2d {
    fn pooling(&self) -> Pooling {
        Pooling { kernel: self.kernel, stride: self.stride, padding: self.padding }
    }
}

impl Op for MaxPool2d {
    const NAME: &'static str = "max_pool2d";
    const INPUTS: ArrayNames = ArrayNames::Each(&["x"]);
    const OUTPUTS: ArrayNames = ArrayNames::Each(&["y"]);
    const READS: Reads = Reads::Shapes;
    type Saved<S: Scalar> = Positions;

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        let out = self.pooling().out_shape::<Self>(inputs)?;
        // Positions are kept in 32 bits.
        let pixels = shape::product(&inputs[0][2..]);
        if u32::try_from(pixels).is_err() {
            let expected = format!("planes of at most {} pixels", u32::MAX);
            return Err(Error::shape(Self::NAME, "x", expected, pixels.to_string()));
        }
        Ok(list![out])
    }

    fn cost(&self, _: &[&[usize]], outputs: &[Shape]) -> Cost {
        Cost { saved_bytes: shape::product(&outputs[0]) * size_of::<u32>(), ..Cost::default() }
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &mut [Argument<S>]) -> (List<ArrayD<S>>, Positions) {
        let (y, positions) = kernel::max_pool2d(kernel, self.pooling(), &inputs[0].view());
        (list![y], positions)
    }

    fn backward<S: Scalar>(
        &self,
        kernel: Kernel,
        inputs: &[ArrayViewD<S>],
        _: &[ArrayViewD<S>],
        positions: &Positions,
        upstream: &mut [Argument<S>],
        _: &[bool],
    ) -> List<Option<ArrayD<S>>> {
        let dy = upstream[0].view();
        list![Some(kernel::max_pool2d_gradient(kernel, self.pooling(), positions, &dy, inputs[0].shape()))]
    }

    #[cfg(feature = "cuda")]
    fn on_device<S: Scalar>(&self, device: &Device, inputs: &[&DeviceTensor<S>]) -> DeviceResult<Seated<S>> {
        let pooling = self.pooling();
        let (y, positions) = cuda::max_pool2d(device, pooling, inputs[0])?;
        Ok(Seated::new(list![y], move |passed| {
            let (dy, shape) = (&passed.upstream[0], passed.inputs[0].shape);
            Ok(list![Some(cuda::max_pool2d_gradient(passed.device, pooling, &positions, dy, shape)?)])
        }))
    }
}

impl Catalogued for MaxPool2d {
    const SUMMARY: &'static str = "y[n,c,i,j] = max of x[n,c] over window (i, j)";
    const SUMS: Summation = Summation::Wide;

    fn definition<S: Scalar>(&self, inputs: &[ArrayD<S>]) -> Vec<ArrayD<S>> {
        let maximum = |values: &[Option<S>]| {
            let pixels = values.iter().flatten().copied();
            pixels.reduce(|a, b| if b > a { b } else { a }).unwrap_or(S::ZERO)
        };
        vec![self.pooling().definition(&inputs[0], maximum)]
    }

    fn magnitude(&self, _: Care) -> Magnitude<Self> {
        Magnitude::OfResults
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self> {
        let Pooling { kernel, stride, padding } = Pooling::from_attributes(attributes)?;
        Ok(Self { kernel, stride, padding })
    }

    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        let (Pooling { kernel, stride, padding }, x) = Pooling::sample(rng, size);
        Case::new(Self { kernel, stride, padding }, vec![x])
    }
}
