//! `split`: y0, y1, .. = x cut along an axis into pieces of given sizes.
//!
//! Derivative: the pieces of dy, one after another. Only copies: every number system gives exact results.
//!
//! ```
//! use gdstar::{kernel::Kernel, op::{evaluate, list}, ops::Split};
//! use ndarray::array;
//! let op = Split { axis: 0, sizes: list![1, 2] };
//! let x = array![1.0, 2.0, 3.0].into_dyn();
//! let dy1 = array![5.0, 6.0].into_dyn();
//! let result = evaluate(&op, Kernel::Literal, &[x.view()], &[None, Some(dy1.view())], &[true])?;
//! assert_eq!(result.outputs, [array![1.0].into_dyn(), array![2.0, 3.0].into_dyn()]);
//! assert_eq!(result.gradients[0], Some(array![0.0, 5.0, 6.0].into_dyn()));
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
use ndarray::{ArrayD, ArrayViewD, Axis, Slice};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// y0, y1, .. = x cut along `axis`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    pub axis: usize,
    /// The extents of the pieces along `axis`, at least one; they sum to x's.
    pub sizes: List<usize>,
}

impl Op for Split {
    const NAME: &'static str = "split";
    const INPUTS: ArrayNames = ArrayNames::Each(&["x"]);
    const OUTPUTS: ArrayNames = ArrayNames::Numbered("y");
    const READS: Reads = Reads::Shapes;
    type Saved<S: Scalar> = ();

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        let [x] = shape::exactly::<Self, _>(inputs)?;
        shape::axis(Self::NAME, "axis", self.axis, x.len())?;
        let total = self.sizes.iter().try_fold(0usize, |total, &size| total.checked_add(size));
        if self.sizes.is_empty() || total != Some(x[self.axis]) {
            let expected = format!("sizes that sum to {}", x[self.axis]);
            return Err(Error::shape(Self::NAME, "attribute `sizes`", expected, format!("{:?}", self.sizes)));
        }
        let piece = |&size: &usize| {
            let mut shape = Shape::from(x);
            shape[self.axis] = size;
            shape
        };
        Ok(self.sizes.iter().map(piece).collect())
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &mut [Argument<S>]) -> (List<ArrayD<S>>, ()) {
        (kernel::split(kernel, &inputs[0].view(), self.axis, &self.sizes), ())
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
        list![Some(kernel::concat(kernel, upstream, self.axis, inputs[0].shape()))]
    }

    #[cfg(feature = "cuda")]
    fn on_device<S: Scalar>(&self, device: &Device, inputs: &[&DeviceTensor<S>]) -> DeviceResult<Seated<S>> {
        let axis = self.axis;
        let pieces = cuda::split(device, inputs[0], axis, &self.sizes)?;
        Ok(Seated::new(pieces, move |passed| {
            let pieces: List<_> = passed.upstream.iter().collect();
            Ok(list![Some(cuda::concat(passed.device, &pieces, axis, passed.inputs[0].shape)?)])
        }))
    }
}

impl Catalogued for Split {
    const SUMMARY: &'static str = "y0, y1, .. = x cut along an axis";
    const SUMS: Summation = Summation::None;

    fn definition<S: Scalar>(&self, inputs: &[ArrayD<S>]) -> Vec<ArrayD<S>> {
        let start = |i: usize| self.sizes[..i].iter().sum::<usize>();
        let piece = |i| inputs[0].slice_axis(Axis(self.axis), Slice::from(start(i)..start(i + 1))).to_owned();
        (0..self.sizes.len()).map(piece).collect()
    }

    fn magnitude(&self, _: Care) -> Magnitude<Self> {
        Magnitude::OfAbsolutes
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self> {
        Ok(Self { axis: attributes.count("axis", None)?, sizes: attributes.counts("sizes")?.into() })
    }

    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        let rank = sample::extent(rng, size);
        let mut shape = sample::shape(rng, rank, size);
        let axis = rng.random_range(0..rank);
        let pieces = sample::extent(rng, 3);
        let sizes: List<usize> = (0..pieces).map(|_| sample::extent(rng, size)).collect();
        shape[axis] = sizes.iter().sum();
        Case::new(Self { axis, sizes }, vec![sample::array(rng, &shape)])
    }
}
