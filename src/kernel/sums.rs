//! [`sum`]: what an array adds up to, wide.

use super::{Kernel, OnHost, or_on_device};
use crate::scalar::Scalar;

/// What is added of each number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term {
    /// x
    Value,
    /// |x|
    Magnitude,
    /// x^2
    Square,
}

impl Term {
    /// The term of x, exact but for the square of a wide number.
    #[inline(always)]
    pub fn of<S: Scalar>(self, x: S) -> S::Wide {
        match self {
            Self::Value => x.widen(),
            Self::Magnitude => x.abs().widen(),
            Self::Square => x.widen() * x.widen(),
        }
    }
}

/// `start` plus the terms of all values, added in [`Scalar::Wide`] from the first to the last.
///
/// A form that adds in another order gives another last bit, of the wide number; `Fast` has none of its own.
pub fn sum<S: Scalar>(kernel: Kernel, term: Term, start: S::Wide, values: &[S]) -> S::Wide {
    or_on_device!(kernel, sum(term, start, values));
    match kernel.on_host() {
        OnHost::Literal | OnHost::Fast => {
            let add = |mut sum: S::Wide, &x: &S| {
                sum += term.of(x);
                sum
            };
            values.iter().fold(start, add)
        }
    }
}
