//! `concat`: y = x0, x1, .. one after another along an axis.
//!
//! Derivative: dy cut at the same places. Only copies: every number system gives exact results.
//!
//! ```
//! use gdstar::{kernel::Kernel, op::evaluate, ops::Concat};
//! use ndarray::array;
//! let (a, b) = (array![[1.0], [2.0]].into_dyn(), array![[3.0, 4.0], [5.0, 6.0]].into_dyn());
//! let dy = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]].into_dyn();
//! let op = Concat { axis: 1 };
//! let result = evaluate(&op, Kernel::Literal, &[a.view(), b.view()], &[Some(dy.view())], &[true, true])?;
//! assert_eq!(result.outputs[0], array![[1.0, 3.0, 4.0], [2.0, 5.0, 6.0]].into_dyn());
//! assert_eq!(result.gradients[1], Some(array![[2.0, 3.0], [5.0, 6.0]].into_dyn()));
//! # Ok::<(), gdstar::Error>(())
//! ```

use super::{Attributes, Care, Case, Catalogued, Magnitude, Summation, sample, shape};
use crate::error::{Error, Result};
use crate::kernel::{self, Kernel};
use crate::op::{Argument, ArrayNames, List, Op, Reads, Shape, list};
use crate::scalar::Scalar;
#[cfg(feature = "cuda")]
use crate::{
    kernel::cuda::{self, Device, DeviceTensor},
    op::{DeviceResult, Seated},
};
use ndarray::{ArrayD, ArrayViewD, IxDyn};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// y = x0, x1, .. along `axis`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concat {
    pub axis: usize,
}

impl Op for Concat {
    const NAME: &'static str = "concat";
    const INPUTS: ArrayNames = ArrayNames::Numbered("x");
    const OUTPUTS: ArrayNames = ArrayNames::Each(&["y"]);
    const READS: Reads = Reads::Shapes;
    type Saved<S: Scalar> = ();

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        let Some((first, rest)) = inputs.split_first() else {
            return Err(Error::shape(Self::NAME, "inputs", "at least 1", "0 inputs"));
        };
        shape::axis(Self::NAME, "axis", self.axis, first.len())?;
        let mut y = Shape::from(*first);
        for (i, x) in rest.iter().enumerate() {
            let mut expected = Shape::from(*first);
            if let (Some(any), Some(&extent)) = (expected.get_mut(self.axis), x.get(self.axis)) {
                *any = extent;
            }
            if *x != expected.as_slice() {
                let expected = format!("shape {first:?} but for axis {}", self.axis);
                return Err(Error::shape(Self::NAME, format!("x{}", i + 1), expected, format!("shape {x:?}")));
            }
            y[self.axis] = y[self.axis].saturating_add(x[self.axis]);
        }
        Ok(list![shape::bounded(Self::NAME, y)?])
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &mut [Argument<S>]) -> (List<ArrayD<S>>, ()) {
        let mut shape = Shape::from(inputs[0].shape());
        shape[self.axis] = inputs.iter().map(|x| x.shape()[self.axis]).sum();
        (list![kernel::concat(kernel, inputs, self.axis, &shape)], ())
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
        let sizes: Shape = inputs.iter().map(|x| x.shape()[self.axis]).collect();
        kernel::split(kernel, &upstream[0].view(), self.axis, &sizes).into_iter().map(Some).collect()
    }

    #[cfg(feature = "cuda")]
    fn on_device<S: Scalar>(&self, device: &Device, inputs: &[&DeviceTensor<S>]) -> DeviceResult<Seated<S>> {
        let axis = self.axis;
        let mut shape = Shape::from(inputs[0].shape());
        shape[axis] = inputs.iter().map(|x| x.shape()[axis]).sum();
        let y = cuda::concat(device, inputs, axis, &shape)?;
        Ok(Seated::new(list![y], move |passed| {
            let sizes: Shape = passed.inputs.iter().map(|x| x.shape[axis]).collect();
            let pieces = cuda::split(passed.device, &passed.upstream[0], axis, &sizes)?;
            Ok(pieces.into_iter().map(Some).collect())
        }))
    }
}

impl Catalogued for Concat {
    const SUMMARY: &'static str = "y = x0, x1, .. along an axis";
    const SUMS: Summation = Summation::None;

    fn definition<S: Scalar>(&self, inputs: &[ArrayD<S>]) -> Vec<ArrayD<S>> {
        let (axis, mut ends) = (self.axis, Vec::new());
        let extent = inputs.iter().fold(0, |end, x| {
            ends.push(end + x.shape()[axis]);
            end + x.shape()[axis]
        });
        let mut shape = inputs[0].shape().to_vec();
        shape[axis] = extent;
        let y = |mut at: IxDyn| {
            let i = ends.partition_point(|&end| end <= at[axis]);
            at[axis] -= ends[i] - inputs[i].shape()[axis];
            inputs[i][at]
        };
        vec![ArrayD::from_shape_fn(shape, y)]
    }

    fn magnitude(&self, _: Care) -> Magnitude<Self> {
        Magnitude::OfAbsolutes
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self> {
        Ok(Self { axis: attributes.count("axis", None)? })
    }

    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        let rank = sample::extent(rng, size);
        let mut shape = sample::shape(rng, rank, size);
        let axis = rng.random_range(0..rank);
        let count = sample::extent(rng, 3);
        let piece = |_| {
            shape[axis] = sample::extent(rng, size);
            sample::array(rng, &shape)
        };
        Case::new(Self { axis }, (0..count).map(piece).collect())
    }
}
