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

use super::{Care, Magnitude, Pointwise};
use crate::kernel::{Formula, One};
use crate::op::Reads;
use crate::scalar::Scalar;

/// y = 1 / (1 + e^-x).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
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

impl Formula for Sigmoid {
    const NAME: &'static str = "sigmoid";
    type Inputs = One;

    #[inline(always)]
    fn value<S: Scalar>(self, x: S) -> S {
        S::narrow(Logistic::at(x.widen()).sigmoid_times(S::Wide::ONE))
    }

    #[inline(always)]
    fn gradient<S: Scalar>(self, x: S, dy: S) -> S {
        let Logistic { h, e, .. } = Logistic::at(x.widen());
        let one_plus_e = S::Wide::ONE + e;
        S::narrow(h * (h * (dy.widen() / (one_plus_e * one_plus_e))))
    }
}

impl Pointwise for Sigmoid {
    const SUMMARY: &'static str = "y = 1 / (1 + e^-x)";
    const READS: Reads = Reads::Inputs;

    fn definition<S: Scalar>(self, x: S) -> S {
        S::ONE / (S::ONE + (-x).exp())
    }

    /// PyTorch forms 1 - s.
    fn magnitude(self, care: Care) -> Magnitude<Self> {
        match care {
            Care::Ours => Magnitude::OfResults,
            Care::PyTorch => Magnitude::Slope(|x| Sigmoid.definition(x)),
        }
    }
}
