//! `avg_pool2d`: `y[n,c,i,j]` = the sum of `x[n,c]` over window (i, j), divided by d.
//!
//! Derivative: every pixel under window (i, j) gets `dy[n,c,i,j]` / d, summed where windows overlap.
//!
//! Conventions, as PyTorch's: d counts the whole kernel, padding included, or with `count_include_pad` off only the
//! pixels; padding is 0 and at most half the kernel; windows that do not fit are left out. Summation run in row-major
//! order (of pixels forward, of windows backward) in [`Scalar::Wide`] and are rounded once.
//!
//! ```
//! use gdstar::{kernel::Kernel, op::evaluate, ops::AvgPool2d};
//! use ndarray::array;
//! let op = AvgPool2d { kernel: [1, 2], stride: [1, 2], padding: [0, 1], count_include_pad: false };
//! let x = array![[[[1.0, 2.0, 4.0]]]].into_dyn(); // windows: (pad, 1), (2, 4)
//! let dy = array![[[[5.0, 6.0]]]].into_dyn();
//! let result = evaluate(&op, Kernel::Literal, &[x.view()], &[Some(dy.view())], &[true])?;
//! assert_eq!(result.outputs[0], array![[[[1.0, 3.0]]]].into_dyn());
//! assert_eq!(result.gradients[0], Some(array![[[[5.0, 3.0, 3.0]]]].into_dyn()));
//! # Ok::<(), gdstar::Error>(())
//! ```

use super::{Attributes, Care, Case, Catalogued, Magnitude, Summation};
use crate::error::Result;
use crate::kernel::{self, Kernel, Pooling};
use crate::op::{Argument, ArrayNames, List, Op, Reads, Shape, list};
use crate::scalar::Scalar;
#[cfg(feature = "cuda")]
use crate::{
    kernel::cuda::{self, Device, DeviceTensor},
    op::{DeviceResult, Seated},
};
use ndarray::{ArrayD, ArrayViewD};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// y = the mean over each window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AvgPool2d {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    /// Rows and columns of 0 added on each side.
    pub padding: [usize; 2],
    /// Whether the padding counts in the divisor.
    pub count_include_pad: bool,
}

impl AvgPool2d {
    fn pooling(&self) -> Pooling {
        Pooling { kernel: self.kernel, stride: self.stride, padding: self.padding }
    }
}

impl Op for AvgPool2d {
    const NAME: &'static str = "avg_pool2d";
    const INPUTS: ArrayNames = ArrayNames::Each(&["x"]);
    const OUTPUTS: ArrayNames = ArrayNames::Each(&["y"]);
    const READS: Reads = Reads::Shapes;
    type Saved<S: Scalar> = ();

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        Ok(list![self.pooling().out_shape::<Self>(inputs)?])
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &mut [Argument<S>]) -> (List<ArrayD<S>>, ()) {
        (list![kernel::avg_pool2d(kernel, self.pooling(), self.count_include_pad, &inputs[0].view())], ())
    }

    fn backward<S: Scalar>(
        &self,
        kernel: Kernel,
        inputs: &[ArrayViewD<S>],
        _: &[ArrayViewD<S>],
        _: &(),
        upstream: &mut [Argument<S>],
        _: &[bool],
    ) -> List<Option<ArrayD<S>>> {
        let (pooling, dy) = (self.pooling(), upstream[0].view());
        list![Some(kernel::avg_pool2d_gradient(kernel, pooling, self.count_include_pad, &dy, inputs[0].shape()))]
    }

    #[cfg(feature = "cuda")]
    fn on_device<S: Scalar>(&self, device: &Device, inputs: &[&DeviceTensor<S>]) -> DeviceResult<Seated<S>> {
        let (pooling, count_padding) = (self.pooling(), self.count_include_pad);
        let y = cuda::avg_pool2d(device, pooling, count_padding, inputs[0])?;
        Ok(Seated::new(list![y], move |passed| {
            let (dy, shape) = (&passed.upstream[0], passed.inputs[0].shape);
            Ok(list![Some(cuda::avg_pool2d_gradient(passed.device, pooling, count_padding, dy, shape)?)])
        }))
    }
}

impl Catalogued for AvgPool2d {
    const SUMMARY: &'static str = "y[n,c,i,j] = mean of x[n,c] over window (i, j)";
    const SUMS: Summation = Summation::Wide;

    fn definition<S: Scalar>(&self, inputs: &[ArrayD<S>]) -> Vec<ArrayD<S>> {
        let mean = |values: &[Option<S>]| {
            let sum = values.iter().flatten().fold(S::ZERO, |sum, &x| sum + x);
            let count = if self.count_include_pad { values.len() } else { values.iter().flatten().count() };
            sum / S::from_usize(count)
        };
        vec![self.pooling().definition(&inputs[0], mean)]
    }

    fn magnitude(&self, _: Care) -> Magnitude<Self> {
        Magnitude::OfAbsolutes
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self> {
        let Pooling { kernel, stride, padding } = Pooling::from_attributes(attributes)?;
        Ok(Self { kernel, stride, padding, count_include_pad: attributes.flag("count_include_pad", Some(true))? })
    }

    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        let (Pooling { kernel, stride, padding }, x) = Pooling::sample(rng, size);
        Case::new(Self { kernel, stride, padding, count_include_pad: rng.random() }, vec![x])
    }
}
