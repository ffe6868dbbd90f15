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
    let tau = epoch.operands.tau;
    if tau.is_none() {
        outcome.leave_out("tau is neither recorded nor does it follow from what is");
    }
    let mut decisions = Field::nothing(prunable);
    let place = epoch.place("selected");
    for (p, parameter) in prunable.iter().enumerate() {
        let tau = tau.filter(|_| epoch.operands.g.low.of(p, parameter).is_some());
        let alive = epoch.operands.alive.of(p, parameter);
        let found = epoch.recorded.selected.of(p, parameter);
        let excludes = epoch.reading().masked_gradient == MaskedGradient::Excluded;
        if tau.is_none() && found.is_none() {
            continue;
        }
        let mut decided: Vec<Decision> = Vec::new();
        for j in 0..parameter.range.len() {
            let dead = alive.is_some_and(|alive| !alive[j]);
            let decision = match tau {
                _ if dead && excludes => Decision::No,
                Some(tau) => flushed(epoch, epoch.operands.g.at(parameter.range.start + j), tau),
                None => Decision::Either,
            };
            if let (Some(found), Some(_), Some(true)) = (found, tau, alive.map(|alive| alive[j])) {
                outcome.decide(decision);
                outcome.compare_entry(&place, parameter, j, f64::from(u8::from(found[j])), decision.flags());
            }
            decided.push(found.map_or(decision, |found| Decision::of(found[j])));
        }
        decisions.set(p, prunable, &decided);
    }
    if tau.is_some() && outcome.compared == 0 {
        let what = if epoch.recorded.selected.is_empty() { "selected" } else { "G, or which weights are alive," };
        outcome.leave_out(format!("{what} is not recorded"));
    }
    epoch.operands.selected = decisions;
    outcome
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
