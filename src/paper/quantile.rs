//! Section 3.2: the quantile that Eq. 5 compares with, exact over one set and chunked (Eq. 6, 7).
//!
//! Three forms stand side by side. [`quantile_sorted`] is the definition: a full sort, then the value at rank
//! `alpha (N - 1)`. [`quantile_selected`] selects the same order statistics in O(N) and returns the same bits.
//! [`chunk_quantiles`] and [`mean_of_quantiles`] are the paper's approximation over C chunks.

mod chunked;
mod rank;

pub use chunked::{chunk_quantiles, chunk_sizes, mean_of_quantiles};
pub use rank::Rank;

use super::reading::QuantileRule;
use crate::error::{Error, Result};
use crate::kernel::{self, Kernel};
use crate::scalar::{DoubleDouble, Scalar};

/// `Quantile_alpha` of `values` by a full sort: the definition.
///
/// Values are sorted in IEEE's total order (-0 before +0) and read at rank `alpha (N - 1)`, which is held exactly
/// ([`Rank`]); between two ranks `rule` decides (open point 3). The result lies between its two neighbours, does
/// not decrease with alpha, and is the smallest value at alpha = 0 and the largest at alpha = 1. For values of one
/// sign, `linear` and `midpoint` are within 1 ulp of the exact number.
///
/// `alpha`: an `f64`, or a [`DoubleDouble`] where Eq. 8's rate is wanted unrounded.
///
/// # Errors
/// [`Error::Domain`] if `values` is empty or holds a number that is not finite, or alpha lies outside `[0, 1]`.
///
/// ```
/// use gdstar::paper::{quantile::quantile_sorted, reading::QuantileRule};
/// let g = [9.0, 1.0, 0.0, 4.0]; // sorted: 0 1 4 9; alpha = 1/2 is rank 1.5
/// assert_eq!(quantile_sorted(&g, 0.5, QuantileRule::Linear)?, 2.5);
/// assert_eq!(quantile_sorted(&g, 0.5, QuantileRule::Lower)?, 1.0);
/// assert_eq!(quantile_sorted(&g, 0.5, QuantileRule::Higher)?, 4.0);
/// assert_eq!(quantile_sorted(&g, 0.5, QuantileRule::Nearest)?, 4.0); // a tie: rank 2 is the even one
/// assert_eq!(quantile_sorted(&g, 0.4, QuantileRule::Midpoint)?, 2.5); // rank 1.2
/// # Ok::<(), gdstar::Error>(())
/// ```
pub fn quantile_sorted<S: Scalar>(values: &[S], alpha: impl Into<DoubleDouble>, rule: QuantileRule) -> Result<S> {
    quantile(Kernel::Literal, values, alpha, rule)
}

/// [`quantile_sorted`] without the sort and without a copy of the values: O(N) comparisons, identical bits.
///
/// The kernel [`order_statistics`](kernel::order_statistics) selects by sampling what the definition finds by sorting: the
/// values of rank `floor(alpha (N - 1))` and of the next one.
///
/// # Errors
/// As [`quantile_sorted`].
///
/// ```
/// use gdstar::paper::{quantile::quantile_selected, reading::QuantileRule};
/// assert_eq!(quantile_selected(&[9.0, 1.0, 0.0, 4.0], 0.5, QuantileRule::Linear)?, 2.5);
/// # Ok::<(), gdstar::Error>(())
/// ```
pub fn quantile_selected<S: Scalar>(values: &[S], alpha: impl Into<DoubleDouble>, rule: QuantileRule) -> Result<S> {
    quantile(Kernel::any(), values, alpha, rule)
}

/// The quantile from the order statistics on either side of its rank.
fn quantile<S: Scalar>(kernel: Kernel, values: &[S], alpha: impl Into<DoubleDouble>, rule: QuantileRule) -> Result<S> {
    let rank = Rank::new(alpha, values.len())?;
    let is_between = rank.fraction() != DoubleDouble::ZERO;
    let infinite = |j: usize| Error::domain(format!("value {j} of a quantile"), "a finite number", values[j].to_f64());
    let (lower, upper) = kernel::order_statistics(kernel, values, rank.floor(), is_between).map_err(infinite)?;
    // A whole rank has no upper neighbour: every rule agrees.
    Ok(upper.map_or(lower, |upper| between_ranks(rule, rank, lower, upper)))
}

/// The value at a rank that lies between those of its two neighbours.
fn between_ranks<S: Scalar>(rule: QuantileRule, rank: Rank, lower: S, upper: S) -> S {
    let (fraction, half) = (rank.fraction(), DoubleDouble::from(0.5));
    match rule {
        QuantileRule::Linear => between(lower, upper, rank.fraction_as::<S::Wide>()),
        QuantileRule::Midpoint => between(lower, upper, S::Wide::from_f64(0.5)),
        QuantileRule::Lower => lower,
        QuantileRule::Higher => upper,
        QuantileRule::Nearest if fraction < half => lower,
        QuantileRule::Nearest if fraction > half => upper,
        QuantileRule::Nearest if rank.floor().is_multiple_of(2) => lower,
        QuantileRule::Nearest => upper,
    }
}

/// `lower + fraction (upper - lower)`, wide, rounded once, and held within `[lower, upper]`.
///
/// Each step rounds monotonically in `fraction`, so the whole does not decrease with it. The clamp acts only where
/// the wide difference is itself rounded (neighbours of opposite sign and far apart in size), and makes the
/// quantile monotone across neighbouring ranks too.
fn between<S: Scalar>(lower: S, upper: S, fraction: S::Wide) -> S {
    let (low, high) = (lower.widen(), upper.widen());
    let difference = high - low;
    let value = S::narrow(if difference.is_finite() {
        low + fraction * difference
    } else {
        // Neighbours of opposite sign near the largest number: the difference overflows, half of it does not.
        let half = S::Wide::from_f64(0.5);
        let part = fraction * (half * high - half * low);
        (low + part) + part
    });
    if value < lower {
        lower
    } else if value > upper {
        upper
    } else {
        value
    }
}
