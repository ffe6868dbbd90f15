//! `silu` (swish): y = x s with s = 1 / (1 + e^-x), element by element.
//!
//! Derivative: dx = dy s (1 + x (1 - s)). With e = e^-|x|, and so s = 1 / (1 + e), 1 - s = e / (1 + e) for x >= 0
//! and the two exchanged for x < 0,
//!
//! - x >= 0: dx = dy (1 + e + x e) / (1 + e)^2
//! - x < 0: dx = dy e (1 + e + x) / (1 + e)^2, whose root near x = -1.2785 is the op's only ill-conditioned point.
//!
//! Evaluated in [`Scalar::Wide`] and rounded once; for x < 0 the factor e = h^2 is applied as h (h ..), so that
//! even where y or dx is subnormal only the last product is rounded coarsely.
//!
//! ```
//! use gdstar::{kernel::Kernel, op::evaluate, ops::Silu};
//! use ndarray::array;
//! let x = array![0.0, 50.0].into_dyn();
//! let dy = array![2.0, 1.0].into_dyn();
//! let result = evaluate(&Silu, Kernel::Literal, &[x.view()], &[Some(dy.view())], &[true])?;
//! assert_eq!(result.outputs[0], array![0.0, 50.0].into_dyn()); // e^-50 is far below half an ulp
//! assert_eq!(result.gradients[0], Some(array![2.0 * 0.5, 1.0].into_dyn()));
//! # Ok::<(), gdstar::Error>(())
//! ```

use super::sigmoid::Logistic;
use super::{Attributes, Case, Catalogued, shape};
use crate::error::Result;
use crate::kernel::Kernel;
use crate::kernel::flat;
use crate::op::{List, Op, Shape, list};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};
use rand_chacha::ChaCha8Rng;

/// y = x / (1 + e^-x).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silu;

impl Op for Silu {
    const NAME: &'static str = "silu";
    type Saved<S: Scalar> = ();

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        let [x] = shape::exactly(Self::NAME, ["x"], inputs)?;
        Ok(list![x.into()])
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &[ArrayViewD<S>]) -> (List<ArrayD<S>>, ()) {
        let silu = |x: S| {
            let x = x.widen();
            S::narrow(Logistic::at(x).sigmoid_times(x))
        };
        (list![flat::map(kernel, &inputs[0], silu)], ())
    }

    fn backward<S: Scalar>(
        &self,
        kernel: Kernel,
        inputs: &[ArrayViewD<S>],
        _: &[ArrayViewD<S>],
        _: &(),
        upstream: &[ArrayViewD<S>],
        _: &[bool],
    ) -> List<Option<ArrayD<S>>> {
        let gradient = |x: S, dy: S| {
            let x = x.widen();
            let Logistic { non_negative, h, e } = Logistic::at(x);
            let one_plus_e = S::Wide::ONE + e;
            let scaled = dy.widen() / (one_plus_e * one_plus_e);
            S::narrow(match non_negative {
                true => scaled * (one_plus_e + x * e),
                false => h * (h * (scaled * (one_plus_e + x))),
            })
        };
        list![Some(flat::zip(kernel, &inputs[0], &upstream[0], gradient))]
    }
}

impl Catalogued for Silu {
    const SUMMARY: &'static str = "y = x / (1 + e^-x)";

    fn from_attributes(_: &mut Attributes) -> Result<Self> {
        Ok(Self)
    }

    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        Case::elementwise(Self, rng, size)
    }
}
