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

use super::{Attributes, Case, Catalogued, flat, sample, shape};
use crate::error::Result;
use crate::kernel::Kernel;
use crate::op::{Op, Reads};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// y = x with the axes from `start_dim` on joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flatten {
    pub start_dim: usize,
}

impl Flatten {
    fn out_shape(&self, x: &[usize]) -> Vec<usize> {
        let (kept, joined) = x.split_at(self.start_dim);
        [kept, &[shape::product(joined)]].concat()
    }
}

impl Op for Flatten {
    const NAME: &'static str = "flatten";
    const READS: Reads = Reads::Shapes;
    type Saved<S: Scalar> = ();

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Vec<usize>>> {
        let [x] = shape::exactly(Self::NAME, ["x"], inputs)?;
        shape::axis(Self::NAME, "start_dim", self.start_dim, x.len())?;
        Ok(vec![self.out_shape(x)])
    }

    fn forward<S: Scalar>(&self, _: Kernel, inputs: &[ArrayViewD<S>]) -> (Vec<ArrayD<S>>, ()) {
        let x = &inputs[0];
        (vec![flat::array(&self.out_shape(x.shape()), flat::flat(x).into_owned())], ())
    }

    fn backward<S: Scalar>(
        &self,
        _: Kernel,
        inputs: &[ArrayViewD<S>],
        _: &[ArrayViewD<S>],
        _: &(),
        upstream: &[ArrayViewD<S>],
        _: &[bool],
    ) -> Vec<Option<ArrayD<S>>> {
        vec![Some(flat::array(inputs[0].shape(), flat::flat(&upstream[0]).into_owned()))]
    }
}

impl Catalogued for Flatten {
    const SUMMARY: &'static str = "y = x with the axes from start_dim on joined";

    fn from_attributes(attributes: &mut Attributes) -> Result<Self> {
        Ok(Self { start_dim: attributes.count("start_dim", None)? })
    }

    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        let rank = sample::extent(rng, size);
        let shape = sample::shape(rng, rank, size);
        Case::new(Self { start_dim: rng.random_range(0..rank) }, vec![sample::array(rng, &shape)])
    }
}
