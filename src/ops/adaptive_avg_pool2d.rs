//! `adaptive_avg_pool2d` (to 1 x 1): `y[n,c,0,0]` = the mean of `x[n,c,h,w]` over h and w.
//!
//! The arithmetic and the derivative of [`global_mean`](super::global_mean), in the shape that convolutional
//! networks pass on.
//!
//! ```
//! use gdstar::{kernel::Kernel, op::evaluate, ops::AdaptiveAvgPool2d};
//! use ndarray::array;
//! let x = array![[[[1.0, 5.0]], [[2.0, 4.0]]]].into_dyn();
//! let dy = array![[[[2.0]], [[6.0]]]].into_dyn();
//! let result = evaluate(&AdaptiveAvgPool2d, Kernel::Literal, &[x.view()], &[Some(dy.view())], &[true])?;
//! assert_eq!(result.outputs[0], array![[[[3.0]], [[3.0]]]].into_dyn());
//! assert_eq!(result.gradients[0], Some(array![[[[1.0, 1.0]], [[3.0, 3.0]]]].into_dyn()));
//! # Ok::<(), gdstar::Error>(())
//! ```

use super::global_mean::plane_means_by_definition;
use super::{Attributes, Care, Case, Catalogued, GlobalMean, Magnitude, Summation, shape};
use crate::error::Result;
use crate::kernel::{self, Kernel};
use crate::op::{Argument, ArrayNames, List, Op, Reads, Shape, list};
use crate::scalar::Scalar;
#[cfg(feature = "cuda")]
use crate::{
    kernel::cuda::{self, Device, DeviceTensor},
    op::{DeviceResult, Seated},
};
use ndarray::{ArrayD, ArrayViewD};
use rand_chacha::ChaCha8Rng;

/// y `[n,c,1,1]` = the mean of every plane of x `[n,c,h,w]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdaptiveAvgPool2d;

impl Op for AdaptiveAvgPool2d {
    const NAME: &'static str = "adaptive_avg_pool2d";
    const INPUTS: ArrayNames = ArrayNames::Each(&["x"]);
    const OUTPUTS: ArrayNames = ArrayNames::Each(&["y"]);
    const READS: Reads = Reads::Shapes;
    type Saved<S: Scalar> = ();

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        let [n, c, ..] = shape::image_with_pixels::<Self>(inputs)?;
        Ok(list![list![n, c, 1, 1]])
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &mut [Argument<S>]) -> (List<ArrayD<S>>, ()) {
        let [n, c] = [inputs[0].shape()[0], inputs[0].shape()[1]];
        (list![kernel::plane_means(kernel, &inputs[0].view(), &[n, c, 1, 1])], ())
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
        let [n, c] = [inputs[0].shape()[0], inputs[0].shape()[1]];
        let y = cuda::plane_means(device, inputs[0], &[n, c, 1, 1])?;
        Ok(Seated::new(list![y], |passed| {
            Ok(list![Some(cuda::plane_means_gradient(passed.device, passed.inputs[0].shape, &passed.upstream[0])?)])
        }))
    }
}

impl Catalogued for AdaptiveAvgPool2d {
    const SUMMARY: &'static str = "y[n,c,0,0] = mean of x[n,c,h,w] over h, w";
    const SUMS: Summation = Summation::Wide;

    fn definition<S: Scalar>(&self, inputs: &[ArrayD<S>]) -> Vec<ArrayD<S>> {
        vec![plane_means_by_definition(&inputs[0])]
    }

    fn magnitude(&self, _: Care) -> Magnitude<Self> {
        Magnitude::OfAbsolutes
    }

    fn from_attributes(_: &mut Attributes) -> Result<Self> {
        Ok(Self)
    }

    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        GlobalMean::sample(rng, size).map(|_| Self)
    }
}
