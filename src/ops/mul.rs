//! `mul`: y = a b, element by element, with broadcasting.
//!
//! Derivative: da = dy b and db = dy a, each summed over the axes that were repeated for it (first axis first, each
//! in increasing index, in [`Scalar::Wide`], rounded once).
//!
//! ```
//! use gdstar::{kernel::Kernel, op::evaluate, ops::Mul};
//! use ndarray::array;
//! let (a, b) = (array![[1.0, 2.0], [3.0, 4.0]].into_dyn(), array![[10.0], [100.0]].into_dyn());
//! let dy = array![[1.0, 1.0], [1.0, 2.0]].into_dyn();
//! let result = evaluate(&Mul, Kernel::Literal, &[a.view(), b.view()], &[Some(dy.view())], &[true, true])?;
//! assert_eq!(result.outputs[0], array![[10.0, 20.0], [300.0, 400.0]].into_dyn());
//! assert_eq!(result.gradients[0], Some(array![[10.0, 10.0], [100.0, 200.0]].into_dyn()));
//! assert_eq!(result.gradients[1], Some(array![[1.0 + 2.0], [3.0 + 2.0 * 4.0]].into_dyn()));
//! # Ok::<(), gdstar::Error>(())
//! ```

use super::{Attributes, Case, Catalogued, broadcast};
use crate::error::Result;
use crate::kernel::Kernel;
use crate::op::{List, Op, Shape, list};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};
use rand_chacha::ChaCha8Rng;

/// y = a b, element by element, with broadcasting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mul;

impl Op for Mul {
    const NAME: &'static str = "mul";
    type Saved<S: Scalar> = ();

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        Ok(list![broadcast::out_shape(Self::NAME, inputs)?])
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &[ArrayViewD<S>]) -> (List<ArrayD<S>>, ()) {
        (list![broadcast::zip(kernel, &inputs[0], &inputs[1], |a, b| a * b)], ())
    }

    fn backward<S: Scalar>(
        &self,
        kernel: Kernel,
        inputs: &[ArrayViewD<S>],
        _: &[ArrayViewD<S>],
        _: &(),
        upstream: &[ArrayViewD<S>],
        wanted: &[bool],
    ) -> List<Option<ArrayD<S>>> {
        let dy = &upstream[0];
        let gradient = |x: usize, other: usize| match wanted[x] {
            false => None,
            true if inputs[x].shape() == dy.shape() => Some(broadcast::zip(kernel, dy, &inputs[other], |dy, b| dy * b)),
            true => Some(broadcast::gradient(kernel, inputs[x].shape(), dy, &inputs[other], |dy, b| dy * b)),
        };
        list![gradient(0, 1), gradient(1, 0)]
    }
}

impl Catalogued for Mul {
    const SUMMARY: &'static str = "y = a b, with broadcasting";

    fn from_attributes(_: &mut Attributes) -> Result<Self> {
        Ok(Self)
    }

    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        Case::new(Self, broadcast::sample(rng, size))
    }
}
