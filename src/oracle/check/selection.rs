//! Eq. 5: which weights are selected.

use super::epoch::Epoch;
use super::field::Field;
use super::outcome::{Outcome, Stage};
use crate::oracle::interval::{Decision, Interval};
use crate::paper::reading::MaskedGradient;

/// Eq. 5, `G_j < tau`, on the recorded G and tau: an exact comparison of two numbers that the port had.
///
/// Three things leave it open: an operand that follows from others within a bound, storage narrower than the port's
/// arithmetic, and flushed subnormal numbers.
pub(super) fn eq5(epoch: &mut Epoch) -> Outcome {
    let mut outcome = Outcome::new(Stage::Eq5);
    let prunable = epoch.trace.prunable();
    let Some(tau) = epoch.operands.tau else {
        outcome.leave_out("tau is neither recorded nor does it follow from what is");
        epoch.operands.selected = recorded(epoch);
        return outcome;
    };
    let mut decisions = Field::nothing(prunable);
    let place = epoch.place("selected");
    for (p, parameter) in prunable.iter().enumerate() {
        let g_known = epoch.operands.g.low.of(p, parameter).is_some();
        let alive = epoch.operands.alive.of(p, parameter);
        let found = epoch.recorded.selected.of(p, parameter);
        let excludes = epoch.reading().masked_gradient == MaskedGradient::Excluded;
        if !g_known && found.is_none() {
            continue;
        }
        let decide = |j: usize| flushed(epoch, epoch.operands.g.at(parameter.range.start + j), tau);
        let mut decided: Vec<Decision> = Vec::new();
        for j in 0..parameter.range.len() {
            let dead = alive.is_some_and(|alive| !alive[j]);
            let decision = match (dead && excludes, g_known) {
                (true, _) => Decision::No,
                (false, true) => decide(j),
                (false, false) => Decision::Either,
            };
            if let (Some(found), true, Some(false)) = (found, g_known, alive.map(|alive| !alive[j])) {
                outcome.decide(decision);
                let holds = f64::from(u8::from(found[j]));
                let expected = match decision {
                    Decision::Either => Interval { low: 0.0, high: 1.0 },
                    sure => Interval::exact(f64::from(u8::from(sure == Decision::Yes))),
                };
                outcome.compare_entry(&place, parameter, j, holds, expected);
            }
            decided.push(found.map_or(decision, |found| Decision::of(found[j])));
        }
        decisions.set(p, prunable, &decided);
    }
    if outcome.compared == 0 {
        let what = if epoch.recorded.selected.is_empty() { "selected" } else { "G, or which weights are alive," };
        outcome.leave_out(format!("{what} is not recorded"));
    }
    epoch.operands.selected = decisions;
    outcome
}

/// The port's own decisions.
fn recorded(epoch: &Epoch) -> Field<Decision> {
    let prunable = epoch.trace.prunable();
    let mut decisions = Field::nothing(prunable);
    for (p, parameter) in prunable.iter().enumerate() {
        if let Some(found) = epoch.recorded.selected.of(p, parameter) {
            let own: Vec<Decision> = found.iter().map(|&holds| Decision::of(holds)).collect();
            decisions.set(p, prunable, &own);
        }
    }
    decisions
}

/// `g < tau`, where either may have been flushed to 0.
fn flushed(epoch: &Epoch, g: Interval, tau: Interval) -> Decision {
    if !epoch.arithmetic.ftz {
        return g.less_than(tau);
    }
    let smallest = epoch.arithmetic.smallest_normal();
    let down = |x: Interval| if x.low.abs() < smallest { x.hull(Interval::exact(0.0)) } else { x };
    down(g).less_than(down(tau))
}
