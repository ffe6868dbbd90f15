//! Eq. 3 and Eq. 4: the squared norm from G, the norm from its square.

use super::epoch::Epoch;
use super::outcome::{Outcome, Stage, pieces};
use crate::oracle::bounds::Sum;
use crate::oracle::interval::Interval;
use crate::scalar::{DoubleDouble, Scalar};
use crate::trace::Arithmetic;
use rayon::prelude::*;
use std::ops::Range;

/// Eq. 3: `S_sq = sum_j G_j`.
pub(super) fn eq3(epoch: &mut Epoch) -> Outcome {
    let mut outcome = Outcome::new(Stage::Eq3);
    let (trace, g, arithmetic) = (epoch.trace, &epoch.operands.g, epoch.arithmetic);
    let n = trace.weights();
    let mut unbounded = false;
    let expected = if g.low.is_complete(trace.prunable().len()) {
        let piece = |range: Range<usize>, end: fn(Interval) -> f64| -> DoubleDouble {
            range.map(|j| DoubleDouble::from(end(g.at(j)))).sum()
        };
        let sum = |end: fn(Interval) -> f64| -> DoubleDouble {
            let sums: Vec<DoubleDouble> = pieces(n).into_par_iter().map(|range| piece(range, end)).collect();
            sums.into_iter().sum()
        };
        match arithmetic.sum_of_squares(n, trace.batches(epoch.k)) {
            Some(t) => {
                let low = sum(|g_j| g_j.low);
                let high = if g.is_exact() { low } else { sum(|g_j| g_j.high) };
                let exact = epoch.operands.squares_are_exact && g.is_exact() && is_exact(&g.low.values, &arithmetic);
                Ok(if exact {
                    Interval::exact(low.to_f64())
                } else {
                    let low = Interval::around(low, t.relative, t.absolute).low;
                    Interval { low: low.max(0.0), high: Interval::around(high, t.relative, t.absolute).high }
                })
            }
            None => {
                unbounded = true;
                Err("no bound holds")
            }
        }
    } else {
        Err("G of all weights is neither recorded nor does it follow from gradients")
    };
    if unbounded && epoch.recorded.s_sq.is_some_and(f64::is_finite) {
        outcome.no_bound(n, &arithmetic);
    } else {
        epoch.judge(&mut outcome, "S_sq", epoch.recorded.s_sq, expected);
    }
    epoch.operands.s_sq = epoch.operand("S_sq", epoch.recorded.s_sq).or(expected.ok());
    outcome
}

/// Whether no order of adding up the values rounds.
fn is_exact(values: &[f64], arithmetic: &Arithmetic) -> bool {
    let mut sum = Sum::default();
    values.iter().for_each(|&x| sum.add(x));
    sum.is_exact_in(arithmetic)
}

/// Eq. 4: `S_F = sqrt(S_sq)`.
pub(super) fn eq4(epoch: &mut Epoch) -> Outcome {
    let mut outcome = Outcome::new(Stage::Eq4);
    let root = |x: f64| DoubleDouble::from(x.max(0.0)).sqrt();
    let expected = match (epoch.operands.s_sq, epoch.arithmetic.root()) {
        (Some(s_sq), Some(t)) => {
            let low = Interval::around(root(s_sq.low), t.relative, t.absolute).low;
            Ok(Interval { low: low.max(0.0), high: Interval::around(root(s_sq.high), t.relative, t.absolute).high })
        }
        _ => Err("S_sq is neither recorded nor does it follow from G"),
    };
    epoch.judge(&mut outcome, "S_F", epoch.recorded.s_f, expected);
    epoch.operands.s_f = epoch.operand("S_F", epoch.recorded.s_f).or(expected.ok());
    outcome
}
