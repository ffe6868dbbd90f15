//! Eq. 5: which weights are selected, `G_j < tau`.

mod mistakes;

use crate::error::Result;
use crate::oracle::claims::claim::{Claim, Judged};
use crate::oracle::exact::case::{Case, Results, Value};
use crate::oracle::field::Field;
use crate::oracle::interval::{Decision, Interval};
use crate::oracle::outcome::{Label, Outcome};
use crate::oracle::seen::{Operands, Seen};
use crate::paper::reading::MaskedGradient;
use crate::paper::selection;

const LABEL: Label = Label::of("eq5");

/// The weights whose G is below tau are selected.
pub(crate) struct Eq5;

impl Claim for Eq5 {
    fn label(&self) -> Label {
        LABEL
    }

    fn judge(&self, seen: &Seen) -> Result<Judged> {
        Ok(judge(seen))
    }

    fn mistakes(&self, seen: &Seen, _: &Outcome) -> Result<Vec<String>> {
        Ok(mistakes::causes(seen))
    }
}

/// Eq. 5, `G_j < tau`, on the recorded G and tau: an exact comparison of two numbers that the port had.
///
/// Three things leave it open: an operand that follows from others within a bound, storage narrower than the port's
/// arithmetic, and flushed subnormal numbers.
fn judge(seen: &Seen) -> Judged {
    let mut outcome = Outcome::new(LABEL);
    let prunable = seen.trace.prunable();
    let tau = seen.known.tau;
    if tau.is_none() {
        outcome.leave_out("tau is neither recorded nor does it follow from what is");
    }
    let mut decisions = Field::nothing(prunable);
    let place = seen.place("selected");
    for (p, parameter) in prunable.iter().enumerate() {
        let tau = tau.filter(|_| seen.known.g.low.of(p, parameter).is_some());
        let alive = seen.known.alive.of(p, parameter);
        let found = seen.recorded.selected.of(p, parameter);
        let excludes = seen.reading().masked_gradient == MaskedGradient::Excluded;
        if tau.is_none() && found.is_none() {
            continue;
        }
        let mut decided: Vec<Decision> = Vec::new();
        for j in 0..parameter.range.len() {
            let dead = alive.is_some_and(|alive| !alive[j]);
            let decision = match tau {
                _ if dead && excludes => Decision::No,
                Some(tau) => flushed(seen, seen.known.g.at(parameter.range.start + j), tau),
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
        let what = if seen.recorded.selected.is_empty() { "selected" } else { "G, or which weights are alive," };
        outcome.leave_out(format!("{what} is not recorded"));
    }
    Judged { outcome, derived: Operands { selected: decisions, ..Operands::default() } }
}

/// `g < tau`, where either may have been flushed to 0.
fn flushed(seen: &Seen, g: Interval, tau: Interval) -> Decision {
    if !seen.arithmetic.ftz {
        return g.less_than(tau);
    }
    let smallest = seen.arithmetic.smallest_normal();
    let down = |x: Interval| if x.low.abs() < smallest { x.hull(Interval::exact(0.0)) } else { x };
    down(g).less_than(down(tau))
}

/// The exact result of a golden case.
pub(crate) fn derive(case: &Case) -> Result<Results> {
    let (g, tau) = (case.floats("G")?, case.float("tau")?);
    Ok(vec![("selected", Value::Flags(selection::below_threshold(&g, tau)))])
}
