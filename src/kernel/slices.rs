//! Formulas of slices in the host's memory, number by number: what methods form of weights and gradients.

use super::{Argument, Formula, Kernel, One, Two, formula_values};
use crate::scalar::Scalar;
use ndarray::ArrayView1;

/// [`formula_values`] of slices of one length, as many as the formula has inputs. They lie where methods act on them, and
/// are computed there under a GPU too: one pass over memory is shorter than the way to the GPU and back, and gives the same
/// bits.
///
/// ```
/// use gdstar::kernel::{Difference, Kernel, Magnitude, formula_of_slices};
/// let difference = formula_of_slices(Kernel::Literal, Difference, [&[1.0, 4.0], &[3.0, 1.0]]);
/// assert_eq!(difference, [-2.0, 3.0]);
/// assert_eq!(formula_of_slices(Kernel::Literal, Magnitude, [&difference]), [2.0, 3.0]);
/// ```
pub fn formula_of_slices<F: Formula, S: Scalar, const N: usize>(kernel: Kernel, f: F, inputs: [&[S]; N]) -> Vec<S> {
    let mut inputs = inputs.map(|x| Argument::from(ArrayView1::from(x).into_dyn()));
    formula_values(kernel, f, &mut inputs).into_raw_vec_and_offset().0
}

/// |x|.
#[derive(Debug, Clone, Copy)]
pub struct Magnitude;

impl Formula for Magnitude {
    const NAME: &'static str = "magnitude";
    type Inputs = One;

    #[inline(always)]
    fn value<S: Scalar>(self, x: S) -> S {
        x.abs()
    }

    /// 0 at 0.
    #[inline(always)]
    fn gradient<S: Scalar>(self, x: S, dy: S) -> S {
        let of_negative = if x < S::ZERO { -dy } else { S::ZERO };
        if x > S::ZERO { dy } else { of_negative }
    }
}

/// c x of this c.
#[derive(Debug, Clone, Copy)]
pub struct Scaled(pub f64);

impl Formula for Scaled {
    const NAME: &'static str = "scaled";
    type Inputs = One;

    #[inline(always)]
    fn value<S: Scalar>(self, x: S) -> S {
        S::from_f64(self.0) * x
    }

    #[inline(always)]
    fn gradient<S: Scalar>(self, _: S, dy: S) -> S {
        S::from_f64(self.0) * dy
    }
}

/// a - b.
#[derive(Debug, Clone, Copy)]
pub struct Difference;

impl Formula for Difference {
    const NAME: &'static str = "difference";
    type Inputs = Two;

    #[inline(always)]
    fn value<S: Scalar>(self, (a, b): (S, S)) -> S {
        a - b
    }

    #[inline(always)]
    fn gradient<S: Scalar>(self, _: (S, S), dy: S) -> (S, S) {
        (dy, -dy)
    }
}
