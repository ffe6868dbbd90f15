//! `strided_slice`: `y[n,c,i,j]` = `x[n,c, i step, j step]`, every step-th pixel.
//!
//! Derivative: dy at the pixels taken, 0 elsewhere. Only copies: every number system gives exact results.
//!
//! ```
//! use gdstar::{kernel::Kernel, op::evaluate, ops::StridedSlice};
//! use ndarray::array;
//! let x = array![[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]].into_dyn();
//! let dy = array![[[[7.0, 8.0]]]].into_dyn();
//! let op = StridedSlice { step: 2 };
//! let result = evaluate(&op, Kernel::Literal, &[x.view()], &[Some(dy.view())], &[true])?;
//! assert_eq!(result.outputs[0], array![[[[1.0, 3.0]]]].into_dyn());
//! assert_eq!(result.gradients[0], Some(array![[[[7.0, 0.0, 8.0], [0.0, 0.0, 0.0]]]].into_dyn()));
//! # Ok::<(), gdstar::Error>(())
//! ```

use super::definition::per_pixel;
use super::{Attributes, Care, Case, Catalogued, Magnitude, Summation, sample, shape};
use crate::error::Result;
use crate::kernel::{self, Kernel, Order};
use crate::op::{Argument, ArrayNames, List, Op, Reads, Shape, list};
use crate::scalar::Scalar;
#[cfg(feature = "cuda")]
use crate::{
    kernel::cuda::{self, Device, DeviceTensor},
    op::{DeviceResult, Seated},
};
use ndarray::{ArrayD, ArrayViewD, Slice};
use rand_chacha::ChaCha8Rng;

/// y = every `step`-th pixel of x `[n,c,h,w]`, vertically and horizontally, from the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StridedSlice {
    pub step: usize,
}

impl StridedSlice {
    /// What is taken along one axis. A step beyond the extent takes the first pixel, as any such step does.
    fn along(&self, axis: usize, extent: usize) -> Slice {
        match axis {
            0 | 1 => Slice::from(..),
            _ => Slice::new(0, None, self.step.min(extent.max(1)) as isize),
        }
    }
}

impl Op for StridedSlice {
    const NAME: &'static str = "strided_slice";
    const INPUTS: ArrayNames = ArrayNames::Each(&["x"]);
    const OUTPUTS: ArrayNames = ArrayNames::Each(&["y"]);
    const READS: Reads = Reads::Shapes;
    type Saved<S: Scalar> = ();

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        let [n, c, h, w] = shape::image::<Self>(inputs)?;
        shape::positive(Self::NAME, "step", self.step)?;
        Ok(list![list![n, c, h.div_ceil(self.step), w.div_ceil(self.step)]])
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &mut [Argument<S>]) -> (List<ArrayD<S>>, ()) {
        (list![kernel::taken(kernel, &inputs[0].view(), |axis, extent| self.along(axis, extent))], ())
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
        let along = |axis, extent| self.along(axis, extent);
        let order = Order::of_batch(kernel, &upstream[0].view());
        list![Some(kernel::spread(kernel, &upstream[0].view(), &order, inputs[0].shape(), S::ZERO, along))]
    }

    #[cfg(feature = "cuda")]
    fn on_device<S: Scalar>(&self, device: &Device, inputs: &[&DeviceTensor<S>]) -> DeviceResult<Seated<S>> {
        let x = inputs[0];
        let along = |axis: usize| if axis < 2 { 1 } else { self.step.min(x.shape()[axis].max(1)) };
        let (starts, steps): (Shape, Shape) = (0..4).map(|axis| (0, along(axis))).unzip();
        let shape: Shape = x.shape().iter().zip(&steps).map(|(extent, step)| extent.div_ceil(*step)).collect();
        let y = cuda::taken(device, x, &shape, &starts, &steps)?;
        Ok(Seated::new(list![y], move |passed| {
            let (dy, shape) = (&passed.upstream[0], passed.inputs[0].shape);
            Ok(list![Some(cuda::spread(passed.device, dy, shape, S::ZERO, &starts, &steps)?)])
        }))
    }
}

impl Catalogued for StridedSlice {
    const SUMMARY: &'static str = "y = every step-th pixel of x";
    const SUMS: Summation = Summation::None;

    fn definition<S: Scalar>(&self, inputs: &[ArrayD<S>]) -> Vec<ArrayD<S>> {
        let (x, d) = (&inputs[0], inputs[0].shape());
        let shape = [d[0], d[1], d[2].div_ceil(self.step), d[3].div_ceil(self.step)];
        vec![per_pixel(shape, |[n, c, i, j]| x[[n, c, i * self.step, j * self.step]])]
    }

    fn magnitude(&self, _: Care) -> Magnitude<Self> {
        Magnitude::OfAbsolutes
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self> {
        Ok(Self { step: attributes.count("step", None)? })
    }

    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        let shape = sample::image(rng, size);
        Case::new(Self { step: sample::extent(rng, 3) }, vec![sample::array(rng, &shape)])
    }
}
