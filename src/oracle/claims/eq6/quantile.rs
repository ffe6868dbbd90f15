//! Quantiles: what a correct port's may be, and the exact one.

use crate::oracle::arithmetic::{Tolerance, is_representable};
use crate::oracle::interval::Interval;
use crate::paper::reading::QuantileRule;
use crate::scalar::{DoubleDouble, Scalar};
use crate::trace::Arithmetic;

impl Arithmetic {
    /// The rank `alpha (n - 1)` of Eq. 6, absolutely, for the alpha that the port uses: the product is rounded, or, in
    /// `n alpha - alpha`, a product and a difference of the rank's size; 4 u n alpha covers both, storage and terms of
    /// second order.
    pub(crate) fn rank(&self, alpha: f64, n: usize) -> f64 {
        4.0 * self.u() * alpha * n as f64
    }

    /// The value between two order statistics, relative to the upper one: `low + f (high - low)` or
    /// `high - (1 - f)(high - low)` or `(1 - f) low + f high` rounds the difference, 1 - f, the product and the sum, each of
    /// a number no larger than the upper neighbour, and is stored: 5 u, and one for terms of second order.
    pub(crate) fn interpolation(&self) -> Tolerance {
        Tolerance { relative: 6.0 * self.u(), absolute: 4.0 * self.underflow() }
    }
}

/// Where a quantile may be read, given what alpha and the port's rounding leave open.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ranks {
    pub(crate) low: DoubleDouble,
    pub(crate) high: DoubleDouble,
}

impl Ranks {
    /// `alpha (n - 1)`, exact where alpha and the product are numbers of the port's arithmetic.
    pub(crate) fn new(alpha: Interval, n: usize, arithmetic: &Arithmetic) -> Self {
        let last = DoubleDouble::from_usize(n.saturating_sub(1));
        let at = |alpha: f64| DoubleDouble::from(alpha) * last;
        let exact = alpha.is_exact() && is_representable(at(alpha.low), arithmetic);
        let error = if exact { 0.0 } else { arithmetic.rank(alpha.high.abs(), n) };
        let clamp = |rank: DoubleDouble| {
            if rank < DoubleDouble::ZERO {
                DoubleDouble::ZERO
            } else if rank > last {
                last
            } else {
                rank
            }
        };
        let error = DoubleDouble::from(error);
        Self { low: clamp(at(alpha.low) - error), high: clamp(at(alpha.high) + error) }
    }
}

/// The values of ranks `from` to `to` (both included) among `values`, sorted.
pub(crate) fn order_statistics(values: &[f64], from: usize, to: usize) -> Vec<f64> {
    let mut scratch = values.to_vec();
    if from >= scratch.len() || to < from {
        return Vec::new();
    }
    let to = to.min(scratch.len() - 1);
    let (_, _, above) = scratch.select_nth_unstable_by(from, f64::total_cmp);
    if to > from {
        above.select_nth_unstable_by(to - from - 1, f64::total_cmp);
    }
    let window = &mut scratch[from..=to];
    window.sort_by(f64::total_cmp);
    window.to_vec()
}

/// What a rule may read between the ranks, from the order statistics `low` and `high` (of the least and the largest
/// values that the set may have) of rank `from` on.
fn readings(
    rule: QuantileRule,
    ranks: Ranks,
    from: usize,
    low: &[f64],
    high: &[f64],
    arithmetic: &Arithmetic,
) -> Vec<Interval> {
    let at = |window: &[f64], rank: usize| window.get(rank - from).or(window.last()).copied().unwrap_or(0.0);
    let entry = |rank: usize| Interval { low: at(low, rank), high: at(high, rank) };
    let floor = |rank: DoubleDouble| rank.floor().to_f64() as usize;
    let ceil = |rank: DoubleDouble| floor(rank) + usize::from(rank > rank.floor());
    let tolerance = arithmetic.interpolation();
    // A whole rank needs no interpolation, and 0 times a difference adds nothing.
    let whole = ranks.low == ranks.high && ranks.low == ranks.low.floor();
    // Results of ports that store less than their dtype are rounded once more.
    let stored = if arithmetic.u_out > arithmetic.dtype.unit_roundoff() { arithmetic.u_out } else { 0.0 };
    let values = |from: usize, to: usize| (from..=to).map(|rank| entry(rank).widened(stored)).collect();
    match rule {
        _ if whole => values(floor(ranks.low), floor(ranks.low)),
        QuantileRule::Lower => values(floor(ranks.low), floor(ranks.high)),
        QuantileRule::Higher => values(ceil(ranks.low), ceil(ranks.high)),
        QuantileRule::Nearest => values(nearest(ranks.low), nearest(ranks.high)),
        QuantileRule::Linear => {
            let between = |window: &[f64], rank: DoubleDouble| {
                let (low, high) = (at(window, floor(rank)), at(window, ceil(rank)));
                let fraction = rank - rank.floor();
                DoubleDouble::from(low) + fraction * (DoubleDouble::from(high) - DoubleDouble::from(low))
            };
            let radius = |upper: f64| tolerance.relative * upper.abs() + tolerance.absolute;
            let least = Interval::around(between(low, ranks.low), 0.0, radius(at(low, ceil(ranks.low))));
            let most = Interval::around(between(high, ranks.high), 0.0, radius(at(high, ceil(ranks.high))));
            vec![least.hull(most)]
        }
        QuantileRule::Midpoint => {
            let half = |rank: usize| {
                let mean = |window: &[f64]| {
                    (DoubleDouble::from(at(window, rank)) + DoubleDouble::from(at(window, rank + 1)))
                        * DoubleDouble::from(0.5)
                };
                let around = |window| Interval::around(mean(window), tolerance.relative, tolerance.absolute);
                around(low).hull(around(high))
            };
            let between = (floor(ranks.low)..=floor(ranks.high)).map(half);
            let whole = (ceil(ranks.low)..=floor(ranks.high)).map(|rank| entry(rank).widened(stored));
            between.chain(whole).collect()
        }
    }
}

/// The whole number nearest to a rank, the even one of two.
fn nearest(rank: DoubleDouble) -> usize {
    let (whole, half) = (rank.floor(), DoubleDouble::from(0.5));
    let (floor, fraction) = (whole.to_f64() as usize, rank - whole);
    let up = fraction > half || (fraction == half && !floor.is_multiple_of(2));
    floor + usize::from(up)
}

/// What a correct port's quantile of a set may be: `low` and `high` are what its values may be.
pub(crate) fn quantile(
    rule: QuantileRule,
    alpha: Interval,
    low: &[f64],
    high: &[f64],
    arithmetic: &Arithmetic,
) -> Vec<Interval> {
    let ranks = Ranks::new(alpha, low.len(), arithmetic);
    let (from, to) = (ranks.low.floor().to_f64() as usize, ranks.high.floor().to_f64() as usize + 1);
    let least = order_statistics(low, from, to);
    let same = std::ptr::eq(low, high);
    let most = if same { Vec::new() } else { order_statistics(high, from, to) };
    readings(rule, ranks, from, &least, if same { &least } else { &most }, arithmetic)
}

/// A quantile to about 31 digits.
pub(crate) fn exact_quantile(rule: QuantileRule, alpha: f64, values: &[f64]) -> DoubleDouble {
    let rank = DoubleDouble::from(alpha) * DoubleDouble::from_usize(values.len().saturating_sub(1));
    let floor = rank.floor();
    let fraction = rank - floor;
    let from = floor.to_f64() as usize;
    let window = order_statistics(values, from, from + 1);
    let low = DoubleDouble::from(window.first().copied().unwrap_or(0.0));
    let high = DoubleDouble::from(window.last().copied().unwrap_or(0.0));
    let weight = match rule {
        QuantileRule::Linear => fraction,
        _ if fraction == DoubleDouble::ZERO => DoubleDouble::ZERO,
        QuantileRule::Lower => DoubleDouble::ZERO,
        QuantileRule::Higher => DoubleDouble::ONE,
        QuantileRule::Midpoint => DoubleDouble::from(0.5),
        QuantileRule::Nearest => DoubleDouble::from_usize(nearest(rank) - from),
    };
    low + weight * (high - low)
}
