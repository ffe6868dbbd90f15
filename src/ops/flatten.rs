//! `flatten`: y = x with the axes from `start_dim` on joined into one, in row-major order.
//!
//! Derivative: dy in x's shape. Only copies: every number system gives exact results.
//!
//! ```
//! use gdstar::{kernel::Kernel, op::evaluate, ops::Flatten};
//! use ndarray::array;
//! let op = Flatten { start_dim: 1 };
//! let x = array![[[1.0, 2.0], [3.0, 4.0]]].into_dyn();
//! let dy = array![[5.0, 6.0, 7.0, 8.0]].into_dyn();
//! let result = evaluate(&op, Kernel::Literal, &[x.view()], &[Some(dy.view())], &[true])?;
//! assert_eq!(result.outputs[0], array![[1.0, 2.0, 3.0, 4.0]].into_dyn());
//! assert_eq!(result.gradients[0], Some(array![[[5.0, 6.0], [7.0, 8.0]]].into_dyn()));
//! # Ok::<(), gdstar::Error>(())
//! ```

use super::{Attributes, Care, Case, Catalogued, Magnitude, Summation, sample, shape};
use crate::error::Result;
use crate::kernel::{self, Extent, Kernel, Order};
use crate::op::{Argument, ArrayNames, List, Op, Reads, Shape, list};
use crate::scalar::Scalar;
#[cfg(feature = "cuda")]
use crate::{
    kernel::cuda::{Device, DeviceTensor},
    op::{DeviceResult, Seated},
};
use ndarray::{ArrayD, ArrayViewD};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// y = x with the axes from `start_dim` on joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flatten {
    pub start_dim: usize,
}

impl Flatten {
    fn out_shape(&self, x: &[usize]) -> Shape {
        let (kept, joined) = x.split_at(self.start_dim);
        kept.iter().copied().chain([shape::product(joined)]).collect()
    }
}

impl Op for Flatten {
    const NAME: &'static str = "flatten";
    const INPUTS: ArrayNames = ArrayNames::Each(&["x"]);
    const OUTPUTS: ArrayNames = ArrayNames::Each(&["y"]);
    const READS: Reads = Reads::Shapes;
    type Saved<S: Scalar> = ();

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        let [x] = shape::exactly::<Self, _>(inputs)?;
        shape::axis(Self::NAME, "start_dim", self.start_dim, x.len())?;
        Ok(list![self.out_shape(x)])
    }

    /// A row-major x gives a row-major y; a batch-innermost one, whose pixels come before channels, is copied sample row
    /// by sample row into y `[c h w][n]`.
    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &mut [Argument<S>]) -> (List<ArrayD<S>>, ()) {
        let x = inputs[0].view();
        let shape = self.out_shape(x.shape());
        let order = Order::of_batch(kernel, &x).for_rank(shape.len());
        // The order of y, with all that were joined in the place of the joined axis.
        let joined = |&axis: &usize| if axis == self.start_dim { axis..x.ndim() } else { axis..axis + 1 };
        let axes = order.axes().iter().flat_map(joined);
        let y = kernel::rearrange(kernel, &x, (&order, &shape), |extents| axes.map(|axis| extents[axis]).collect());
        (list![y], ())
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
        let (shape, dy) = (inputs[0].shape(), upstream[0].view());
        let order = Order::of_batch(kernel, &dy).for_rank(shape.len());
        let dx = kernel::rearrange(kernel, &dy, (&order, shape), |extents| {
            // The joined axis as the axes that it was: each steps over all places of those after it.
            let extent = |&axis: &usize| match axis.checked_sub(self.start_dim) {
                None => extents[axis],
                Some(_) => {
                    let step = shape::product(&shape[axis + 1..]);
                    Extent { count: shape[axis], stride: step * extents[self.start_dim].stride }
                }
            };
            order.axes().iter().map(extent).collect()
        });
        list![Some(dx)]
    }

    #[cfg(feature = "cuda")]
    fn on_device<S: Scalar>(&self, device: &Device, inputs: &[&DeviceTensor<S>]) -> DeviceResult<Seated<S>> {
        let shape = self.out_shape(inputs[0].shape());
        let y = inputs[0].copied(device)?.reshaped(&shape);
        Ok(Seated::new(list![y], |passed| {
            let dx = passed.upstream[0].copied(passed.device)?.reshaped(passed.inputs[0].shape);
            Ok(list![Some(dx)])
        }))
    }
}

impl Catalogued for Flatten {
    const SUMMARY: &'static str = "y = x with the axes from start_dim on joined";
    const SUMS: Summation = Summation::None;

    fn definition<S: Scalar>(&self, inputs: &[ArrayD<S>]) -> Vec<ArrayD<S>> {
        let row_major = inputs[0].iter().copied().collect();
        vec![Order::row_major(self.start_dim + 1).array(&self.out_shape(inputs[0].shape()), row_major)]
    }

    fn magnitude(&self, _: Care) -> Magnitude<Self> {
        Magnitude::OfAbsolutes
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self> {
        Ok(Self { start_dim: attributes.count("start_dim", None)? })
    }

    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        let rank = sample::extent(rng, size);
        let shape = sample::shape(rng, rank, size);
        Case::new(Self { start_dim: rng.random_range(0..rank) }, vec![sample::array(rng, &shape)])
    }
}
