//! The mask that an epoch leaves.

use super::compare_flags;
use crate::error::Result;
use crate::oracle::claims::claim::{Claim, Judged};
use crate::oracle::claims::mistakes::affected;
use crate::oracle::interval::Decision;
use crate::oracle::outcome::{Label, Outcome};
use crate::oracle::seen::{Operands, Seen};

const LABEL: Label = Label::part("alg6", "mask");

/// The mask eliminates what was eliminated, and what Eq. 9 makes 0.
pub(crate) struct Mask;

impl Claim for Mask {
    fn label(&self) -> Label {
        LABEL
    }

    fn judge(&self, seen: &Seen) -> Result<Judged> {
        Ok(judge(seen))
    }

    fn mistakes(&self, seen: &Seen, outcome: &Outcome) -> Result<Vec<String>> {
        Ok(mistakes(seen, outcome))
    }
}

/// The mask after the epoch, on the recorded weights: an eliminated weight stays so, and Eq. 9 says the rest.
fn judge(seen: &Seen) -> Judged {
    let mut outcome = Outcome::new(LABEL);
    let prunable = seen.trace.prunable();
    let mut left = seen.recorded.mask.clone();
    for (p, parameter) in prunable.iter().enumerate() {
        let Some(lives) = seen.known.lives.of(p, parameter) else { continue };
        if let Some(found) = seen.recorded.mask.of(p, parameter) {
            compare_flags(&mut outcome, seen, "mask", (p, found), |j| lives[j]);
            continue;
        }
        // Not recorded: what follows, if it does. A weight of 0 may be alive.
        let after = seen.recorded.weights_after.of(p, parameter);
        let follows = |(j, &lives): (usize, &Decision)| match lives {
            Decision::Either => after.filter(|after| after[j] != 0.0).map(|_| true),
            sure => Some(sure == Decision::Yes),
        };
        if let Some(follows) = lives.iter().enumerate().map(follows).collect::<Option<Vec<bool>>>() {
            left.set(p, prunable, &follows);
        }
    }
    if seen.recorded.mask.is_empty() {
        outcome.leave_out("mask is not recorded");
    } else if outcome.compared == 0 {
        outcome.leave_out("mask: which weights were alive before is not known");
    }
    Judged { outcome, derived: Operands { mask: left, ..Operands::default() } }
}

/// Which mistakes give the port's mask.
fn mistakes(seen: &Seen, outcome: &Outcome) -> Vec<String> {
    let eps = seen.trace.header.hyper.eps;
    let affected = affected(seen, &outcome.findings);
    let says = |rule: &dyn Fn(bool, bool, f64, f64) -> bool| {
        let mut any = false;
        for &(p, parameter) in &affected {
            let (Some(found), Some(alive)) = (seen.recorded.mask.of(p, parameter), seen.known.alive.of(p, parameter))
            else {
                return false;
            };
            let selected = seen.known.selected.of(p, parameter);
            let after = seen.recorded.weights_after.of(p, parameter);
            let before = seen.recorded.weights_before.of(p, parameter);
            any = true;
            for (j, &flag) in found.iter().enumerate() {
                let chosen = selected.is_some_and(|s| s[j] == Decision::Yes);
                let (after, before) = (after.map_or(f64::NAN, |w| w[j]), before.map_or(f64::NAN, |w| w[j]));
                if rule(alive[j], chosen, after, before) != flag {
                    return false;
                }
            }
        }
        any
    };
    let mut causes = Vec::new();
    let mut try_rule = |cause: &str, rule: &dyn Fn(bool, bool, f64, f64) -> bool| {
        if says(rule) {
            causes.push(cause.to_string());
        }
    };
    try_rule(
        "mask = not selected: every selected weight is taken out, not only those below eps",
        &|alive, chosen, _, _| alive && !chosen,
    );
    try_rule("mask = not selected, and eliminated weights are resurrected", &|_, chosen, _, _| !chosen);
    try_rule("mask = selected: the flags are inverted", &|_, chosen, _, _| chosen);
    try_rule("the mask is not updated: eliminated weights stay in it", &|alive, _, _, _| alive);
    try_rule("the mask holds every weight: eliminated ones are resurrected", &|_, _, _, _| true);
    try_rule("the mask is inverted", &|_, _, after, _| after == 0.0);
    try_rule(
        "the mask is taken from this epoch's weights alone: eliminated ones are resurrected",
        &|_, _, after, _| after != 0.0,
    );
    try_rule("every weight below eps is taken out of the mask, selected or not", &|alive, _, after, _| {
        alive && after.abs() >= eps
    });
    try_rule(
        "weights below eps that are not selected stay in the mask (eps acts on every weight)",
        &|alive, chosen, after, _| alive && (!chosen || after != 0.0),
    );
    try_rule(
        "the mask is taken from this epoch's threshold alone: eliminated weights are resurrected",
        &|_, chosen, after, _| !chosen || after != 0.0,
    );
    try_rule("the mask holds this epoch's eliminations alone: earlier ones come back", &|alive, chosen, after, _| {
        !(alive && chosen && after == 0.0)
    });
    try_rule("the mask is taken from the weights before the decay", &|alive, _, _, before| {
        alive && before.abs() >= eps
    });
    causes
}
