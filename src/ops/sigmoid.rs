//! `sigmoid`: y = 1 / (1 + e^-x), element by element.
//!
//! Derivative: dx = dy s (1 - s) with s = y. Where s is close to 1 the factor 1 - s cancels, so it is never formed:
//! with e = e^-|x|, s (1 - s) = e / (1 + e)^2 on both sides of 0.
//!
//! Evaluated in [`Scalar::Wide`] and rounded once. Where the result may be subnormal, the factor e = h^2 with
//! h = e^(-|x|/2) is applied as h (h ..), so that only the last product is rounded coarsely.
//!
//! ```
//! use gdstar::{kernel::Kernel, op::evaluate, ops::Sigmoid};
//! use ndarray::array;
//! let x = array![0.0].into_dyn();
//! let dy = array![8.0].into_dyn();
//! let result = evaluate(&Sigmoid, Kernel::Literal, &[x.view()], &[Some(dy.view())], &[true])?;
//! assert_eq!(result.outputs[0], array![0.5].into_dyn());
//! assert_eq!(result.gradients[0], Some(array![8.0 * 0.25].into_dyn()));
//! # Ok::<(), gdstar::Error>(())
//! ```

use super::{Attributes, Case, Catalogued, shape};
use crate::error::Result;
use crate::kernel::Kernel;
use crate::kernel::flat;
use crate::op::{List, Op, Shape, list};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};
use rand_chacha::ChaCha8Rng;

/// y = 1 / (1 + e^-x).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sigmoid;

/// What sigmoid, silu and their derivatives are made of, at a wide x. Nothing overflows: 0 <= h <= 1.
pub(super) struct Logistic<W> {
    /// x >= 0. Branches are on x, not on |x|, so that derivatives at 0 are the two-sided ones.
    pub non_negative: bool,
    /// h = e^(-|x|/2).
    pub h: W,
    /// e = h^2 = e^-|x|.
    pub e: W,
}

impl<W: Scalar> Logistic<W> {
    pub(super) fn at(x: W) -> Self {
        let non_negative = x >= W::ZERO;
        let half = x * W::from_f64(0.5);
        let h = (if non_negative { -half } else { half }).exp();
        Self { non_negative, h, e: h * h }
    }

    /// `factor / (1 + e)` for x >= 0, `factor e / (1 + e)` for x < 0: the sigmoid times `factor`.
    pub(super) fn sigmoid_times(&self, factor: W) -> W {
        let share = factor / (W::ONE + self.e);
        if self.non_negative { share } else { self.h * (self.h * share) }
    }
}

impl Op for Sigmoid {
    const NAME: &'static str = "sigmoid";
    type Saved<S: Scalar> = ();

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        let [x] = shape::exactly(Self::NAME, ["x"], inputs)?;
        Ok(list![x.into()])
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &[ArrayViewD<S>]) -> (List<ArrayD<S>>, ()) {
        let sigmoid = |x: S| S::narrow(Logistic::at(x.widen()).sigmoid_times(S::Wide::ONE));
        (list![flat::map(kernel, &inputs[0], sigmoid)], ())
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
            let Logistic { h, e, .. } = Logistic::at(x.widen());
            let one_plus_e = S::Wide::ONE + e;
            S::narrow(h * (h * (dy.widen() / (one_plus_e * one_plus_e))))
        };
        list![Some(flat::zip(kernel, &inputs[0], &upstream[0], gradient))]
    }
}

impl Catalogued for Sigmoid {
    const SUMMARY: &'static str = "y = 1 / (1 + e^-x)";

    fn from_attributes(_: &mut Attributes) -> Result<Self> {
        Ok(Self)
    }

    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        Case::elementwise(Self, rng, size)
    }
}
