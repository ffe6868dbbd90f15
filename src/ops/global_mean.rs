//! `global_mean`: `y[n,c]` = the mean of `x[n,c,h,w]` over h and w.
//!
//! Derivative: every pixel gets `dy[n,c]` / (h w).
//!
//! The sum runs over the pixels in row-major order in [`Scalar::Wide`] and is rounded once, after the division.
//!
//! ```
//! use gdstar::{kernel::Kernel, op::evaluate, ops::GlobalMean};
//! use ndarray::array;
//! let x = array![[[[1.0, 2.0], [3.0, 6.0]]]].into_dyn();
//! let dy = array![[8.0]].into_dyn();
//! let result = evaluate(&GlobalMean, Kernel::Literal, &[x.view()], &[Some(dy.view())], &[true])?;
//! assert_eq!(result.outputs[0], array![[3.0]].into_dyn());
//! assert_eq!(result.gradients[0], Some(array![[[[2.0, 2.0], [2.0, 2.0]]]].into_dyn()));
//! # Ok::<(), gdstar::Error>(())
//! ```

use super::definition::per_pixel;
use super::{Attributes, Care, Case, Catalogued, Magnitude, Summation, sample, shape};
use crate::error::Result;
use crate::kernel::{self, Kernel};
use crate::op::{Argument, ArrayNames, List, Op, Reads, Shape, list};
use crate::scalar::Scalar;
#[cfg(feature = "cuda")]
use crate::{
    kernel::cuda::{self, Device, DeviceTensor},
    op::{DeviceResult, Seated},
};
use ndarray::{ArrayD, ArrayViewD, Axis};
use rand_chacha::ChaCha8Rng;

/// y `[n,c]` = the mean of every plane of x `[n,c,h,w]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GlobalMean;

/// The mean of every plane by definition: `[n,c,1,1]`.
pub(super) fn plane_means_by_definition<S: Scalar>(x: &ArrayD<S>) -> ArrayD<S> {
    let d = x.shape();
    per_pixel([d[0], d[1], 1, 1], |[n, c, ..]| {
        let plane = x.index_axis(Axis(0), n).index_axis_move(Axis(0), c);
        plane.iter().fold(S::ZERO, |sum, &x| sum + x) / S::from_usize(d[2] * d[3])
    })
}

impl Op for GlobalMean {
    const NAME: &'static str = "global_mean";
    const INPUTS: ArrayNames = ArrayNames::Each(&["x"]);
    const OUTPUTS: ArrayNames = ArrayNames::Each(&["y"]);
    const READS: Reads = Reads::Shapes;
    type Saved<S: Scalar> = ();

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        let [n, c, ..] = shape::image_with_pixels::<Self>(inputs)?;
        Ok(list![list![n, c]])
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &mut [Argument<S>]) -> (List<ArrayD<S>>, ()) {
        (list![kernel::plane_means(kernel, &inputs[0].view(), &inputs[0].shape()[..2])], ())
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
        list![Some(kernel::plane_means_gradient(kernel, inputs[0].shape(), &upstream[0].view()))]
    }

    #[cfg(feature = "cuda")]
    fn on_device<S: Scalar>(&self, device: &Device, inputs: &[&DeviceTensor<S>]) -> DeviceResult<Seated<S>> {
        let y = cuda::plane_means(device, inputs[0], &inputs[0].shape()[..2])?;
        Ok(Seated::new(list![y], |passed| {
            Ok(list![Some(cuda::plane_means_gradient(passed.device, passed.inputs[0].shape, &passed.upstream[0])?)])
        }))
    }
}

impl Catalogued for GlobalMean {
    const SUMMARY: &'static str = "y[n,c] = mean of x[n,c,h,w] over h, w";
    const SUMS: Summation = Summation::Wide;

    fn definition<S: Scalar>(&self, inputs: &[ArrayD<S>]) -> Vec<ArrayD<S>> {
        vec![plane_means_by_definition(&inputs[0]).remove_axis(Axis(3)).remove_axis(Axis(2))]
    }

    fn magnitude(&self, _: Care) -> Magnitude<Self> {
        Magnitude::OfAbsolutes
    }

    fn from_attributes(_: &mut Attributes) -> Result<Self> {
        Ok(Self)
    }

    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        let shape = sample::image(rng, size);
        Case::new(Self, vec![sample::array(rng, &shape)])
    }
}
