//! `relu`: y = max(x, 0), element by element.
//!
//! Derivative: dx = dy where x > 0, else 0.
//!
//! Conventions, as PyTorch's: relu'(0) = 0; a NaN passes forward and lets dy pass backward.
//!
//! ```
//! use gdstar::{kernel::Kernel, op::evaluate, ops::Relu};
//! use ndarray::array;
//! let x = array![-2.0, 0.0, 3.0].into_dyn();
//! let dy = array![1.0, 1.0, 5.0].into_dyn();
//! let result = evaluate(&Relu, Kernel::Literal, &[x.view()], &[Some(dy.view())], &[true])?;
//! assert_eq!(result.outputs[0], array![0.0, 0.0, 3.0].into_dyn());
//! assert_eq!(result.gradients[0], Some(array![0.0, 0.0, 5.0].into_dyn()));
//! # Ok::<(), gdstar::Error>(())
//! ```

use super::{Attributes, Case, Catalogued, shape};
use crate::error::Result;
use crate::kernel::Kernel;
use crate::kernel::flat;
use crate::op::{List, Op, Reads, Shape, list};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};
use rand_chacha::ChaCha8Rng;

/// y = max(x, 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relu;

/// y from x.
#[inline(always)]
fn positive<S: Scalar>(x: S) -> S {
    if x <= S::ZERO { S::ZERO } else { x }
}

/// dx from dy and y.
#[inline(always)]
fn gradient<S: Scalar>(dy: S, y: S) -> S {
    if y <= S::ZERO { S::ZERO } else { dy }
}

impl Op for Relu {
    const NAME: &'static str = "relu";
    const READS: Reads = Reads::Outputs;
    type Saved<S: Scalar> = ();

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        let [x] = shape::exactly(Self::NAME, ["x"], inputs)?;
        Ok(list![x.into()])
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &[ArrayViewD<S>]) -> (List<ArrayD<S>>, ()) {
        (list![flat::map(kernel, &inputs[0], positive)], ())
    }

    fn backward<S: Scalar>(
        &self,
        kernel: Kernel,
        _: &[ArrayViewD<S>],
        outputs: &[ArrayViewD<S>],
        _: &(),
        upstream: &[ArrayViewD<S>],
        _: &[bool],
    ) -> List<Option<ArrayD<S>>> {
        list![Some(flat::zip(kernel, &outputs[0], &upstream[0], |y, dy| gradient(dy, y)))]
    }

    fn forward_over<S: Scalar>(
        &self,
        kernel: Kernel,
        x: ArrayD<S>,
        _: &[ArrayViewD<S>],
    ) -> std::result::Result<(List<ArrayD<S>>, ()), ArrayD<S>> {
        Ok((list![flat::map_over(kernel, x, positive)?], ()))
    }

    fn backward_over<S: Scalar>(
        &self,
        kernel: Kernel,
        _: &[ArrayViewD<S>],
        outputs: &[ArrayViewD<S>],
        _: &(),
        mut upstream: List<ArrayD<S>>,
        _: &[bool],
    ) -> std::result::Result<List<Option<ArrayD<S>>>, List<ArrayD<S>>> {
        let dx = flat::zip_over(kernel, upstream.swap_remove(0), &outputs[0], gradient);
        dx.map(|dx| list![Some(dx)]).map_err(|dy| list![dy])
    }
}

impl Catalogued for Relu {
    const SUMMARY: &'static str = "y = max(x, 0)";

    fn from_attributes(_: &mut Attributes) -> Result<Self> {
        Ok(Self)
    }

    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        Case::elementwise(Self, rng, size)
    }
}
