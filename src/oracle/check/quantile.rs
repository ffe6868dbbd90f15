//! Eq. 6 and Eq. 7: the chunks' quantiles and their mean.

use super::epoch::{Epoch, FINITE};
use super::outcome::{Outcome, Stage};
use crate::oracle::bounds::is_representable;
use crate::oracle::interval::Interval;
use crate::oracle::report::Finding;
use crate::paper::quantile::chunk_sizes;
use crate::paper::reading::{Chunking, MaskedGradient, QuantileRule};
use crate::scalar::{DoubleDouble, Scalar};
use crate::trace::Arithmetic;

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

/// What G may be on the set that the quantile is taken of (open point 7); `None` if it is not known.
pub(crate) fn set(epoch: &Epoch) -> Option<(Vec<f64>, Option<Vec<f64>>)> {
    let (trace, g) = (epoch.trace, &epoch.operands.g);
    let prunable = trace.prunable().len();
    if !g.low.is_complete(prunable) {
        return None;
    }
    let alive = &epoch.operands.alive;
    let excludes = epoch.reading().masked_gradient == MaskedGradient::Excluded;
    if excludes && !alive.is_complete(prunable) {
        return None;
    }
    let members = || (0..trace.weights()).filter(|&j| !excludes || alive.values[j]);
    if g.is_exact() {
        return Some((members().map(|j| g.low.values[j]).collect(), None));
    }
    let (low, high) = members().map(|j| g.at(j)).map(|g_j| (g_j.low, g_j.high)).unzip();
    Some((low, Some(high)))
}

/// Eq. 6 on the recorded G and alpha.
pub(super) fn eq6(epoch: &mut Epoch) -> Outcome {
    let mut outcome = Outcome::new(Stage::Eq6);
    let expected = expected_quantiles(epoch);
    let recorded = epoch.recorded.chunk_quantiles.clone();
    let place = epoch.place("chunk_quantiles");
    let chunks = match epoch.reading().chunking {
        Chunking::NearEqual => epoch.trace.header.hyper.chunks,
        Chunking::Ceil => 0,
    };
    match (&recorded, &expected) {
        (None, _) => outcome.leave_out("chunk_quantiles is not recorded"),
        // The format has no rule for fewer weights than chunks.
        (Some(found), Some(expected)) if expected.len() < chunks && found.len() == chunks => {
            outcome.leave_out("chunk_quantiles: fewer weights are left than there are chunks");
        }
        (Some(found), Some(expected)) if found.len() != expected.len() => {
            let (got, chunks) = (found.len() as f64, Interval::exact(expected.len() as f64));
            outcome.compared += 1;
            let at = (place.tensor.clone(), epoch.k, Vec::new());
            outcome.find(Finding::new("eq6", at, got, chunks, epoch.arithmetic.dtype));
        }
        (Some(found), Some(expected)) => {
            let storage = epoch.storage("chunk_quantiles");
            for (c, (&got, expected)) in found.iter().zip(expected).enumerate() {
                let allowed = expected.iter().map(|e| e.widened(storage));
                let distance = |e: &Interval| (got - e.low).abs().min((got - e.high).abs());
                let fits = allowed.clone().find(|e| e.contains(got));
                let nearest = allowed.min_by(|a, b| distance(a).total_cmp(&distance(b)));
                if let Some(expected) = fits.or(nearest) {
                    outcome.compare(&place, c, got, expected);
                }
            }
        }
        (Some(found), None) => {
            outcome.leave_out("G of all weights is neither recorded nor does it follow from gradients");
            for (c, &got) in found.iter().enumerate().filter(|(_, q)| !q.is_finite()) {
                outcome.compare(&place, c, got, FINITE);
            }
        }
    }
    let storage = epoch.storage("chunk_quantiles");
    let finite = recorded.filter(|found| found.iter().all(|q| q.is_finite()));
    let own = finite.map(|found| found.iter().map(|&q| Interval::exact(q).widened(storage)).collect());
    let derived = || expected.map(|all| all.into_iter().filter_map(|e| e.into_iter().reduce(Interval::hull)).collect());
    epoch.operands.chunk_quantiles = own.or_else(derived);
    outcome
}

/// What each chunk's quantile may be.
fn expected_quantiles(epoch: &Epoch) -> Option<Vec<Vec<Interval>>> {
    let (low, high) = set(epoch)?;
    let (hyper, reading) = (&epoch.trace.header.hyper, epoch.reading());
    let alpha = epoch.operands.alpha?;
    if low.is_empty() {
        return Some(Vec::new());
    }
    let sizes = chunk_sizes(low.len(), hyper.chunks.min(low.len()), reading.chunking).ok()?;
    let mut start = 0;
    let chunks = sizes.into_iter().map(|size| {
        let range = start..start + size;
        start += size;
        let low = &low[range.clone()];
        let high = high.as_ref().map_or(low, |high| &high[range]);
        quantile(reading.quantile, alpha, low, high, &epoch.arithmetic)
    });
    Some(chunks.collect())
}

/// Eq. 7 on the recorded quantiles: `tau = (1 / C) sum_c q_c`; 0 where no weight is left.
pub(super) fn eq7(epoch: &mut Epoch) -> Outcome {
    let mut outcome = Outcome::new(Stage::Eq7);
    let expected = match &epoch.operands.chunk_quantiles {
        None => Err("the chunks' quantiles are neither recorded nor do they follow from G"),
        Some(quantiles) if quantiles.is_empty() => Ok(Interval::exact(0.0)),
        Some(quantiles) => {
            let sum =
                |end: fn(&Interval) -> f64| quantiles.iter().map(|q| DoubleDouble::from(end(q))).sum::<DoubleDouble>();
            let count = DoubleDouble::from_usize(quantiles.len());
            let (low, high) = (sum(|q| q.low) / count, sum(|q| q.high) / count);
            match epoch.arithmetic.mean(quantiles.len()) {
                Some(t) => {
                    Ok(Interval::around(low, t.relative, t.absolute)
                        .hull(Interval::around(high, t.relative, t.absolute)))
                }
                None => Err("no bound holds"),
            }
        }
    };
    epoch.judge(&mut outcome, "tau", epoch.recorded.tau, expected);
    epoch.operands.tau = epoch.operand("tau", epoch.recorded.tau).or(expected.ok());
    outcome
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
