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
use super::{Care, Magnitude, Pointwise, Sigmoid};
use crate::kernel::{Formula, One};
use crate::op::Reads;
use crate::scalar::Scalar;

/// y = x / (1 + e^-x).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Silu;

impl Formula for Silu {
    const NAME: &'static str = "silu";
    type Inputs = One;

    #[inline(always)]
    fn value<S: Scalar>(self, x: S) -> S {
        let x = x.widen();
        S::narrow(Logistic::at(x).sigmoid_times(x))
    }

    #[inline(always)]
    fn gradient<S: Scalar>(self, x: S, dy: S) -> S {
        let x = x.widen();
        let Logistic { non_negative, h, e } = Logistic::at(x);
        let one_plus_e = S::Wide::ONE + e;
        let scaled = dy.widen() / (one_plus_e * one_plus_e);
        S::narrow(match non_negative {
            true => scaled * (one_plus_e + x * e),
            false => h * (h * (scaled * (one_plus_e + x))),
        })
    }
}

impl Pointwise for Silu {
    const SUMMARY: &'static str = "y = x / (1 + e^-x)";
    const READS: Reads = Reads::Inputs;

    fn definition<S: Scalar>(self, x: S) -> S {
        x / (S::ONE + (-x).exp())
    }

    /// The terms s and s x (1 - s) cancel where x < 0; PyTorch forms 1 - s, too.
    fn magnitude(self, care: Care) -> Magnitude<Self> {
        Magnitude::Slope(match care {
            Care::Ours => |x| {
                let s: f64 = Sigmoid.definition(x);
                s * (1.0 + x.abs() * (1.0 - s))
            },
            Care::PyTorch => |x| Sigmoid.definition(x) * (1.0 + x.abs()),
        })
    }
}
