//! What an epoch finds: the mask is the one that was left, and an eliminated weight is 0.

use super::compare_flags;
use crate::error::Result;
use crate::oracle::claims::claim::{Claim, Judged};
use crate::oracle::interval::{Decision, Interval};
use crate::oracle::outcome::{Label, Outcome};
use crate::oracle::report::Finding;
use crate::oracle::seen::Seen;

const LABEL: Label = Label::part("alg6", "start");

/// The mask that an epoch finds is the one that was left, and what it eliminates is 0.
pub(crate) struct Start;

impl Claim for Start {
    fn label(&self) -> Label {
        LABEL
    }

    fn judge(&self, seen: &Seen) -> Result<Judged> {
        Ok(Judged::only(judge(seen)))
    }

    fn mistakes(&self, seen: &Seen, outcome: &Outcome) -> Result<Vec<String>> {
        let Some(first) = outcome.findings.first() else { return Ok(Vec::new()) };
        Ok(mistakes(seen, first))
    }
}

fn judge(seen: &Seen) -> Outcome {
    let mut outcome = Outcome::new(LABEL);
    let prunable = seen.trace.prunable();
    let recorded = seen.recorded;
    for (p, parameter) in prunable.iter().enumerate() {
        if let (Some(found), Some(left)) = (recorded.mask_before.of(p, parameter), seen.carry.mask.of(p, parameter)) {
            compare_flags(&mut outcome, seen, "mask_before", (p, found), |j| Decision::of(left[j]));
        }
        let (Some(alive), Some(weights)) =
            (seen.known.alive.of(p, parameter), recorded.weights_before.of(p, parameter))
        else {
            continue;
        };
        let place = seen.place("weights_before");
        for (j, &w) in weights.iter().enumerate().filter(|(j, _)| !alive[*j]) {
            outcome.compare_entry(&place, parameter, j, w, Interval::exact(0.0));
        }
    }
    outcome
}

/// What revived eliminated weights at the start of an epoch, or changed the mask.
fn mistakes(seen: &Seen, first: &Finding) -> Vec<String> {
    if first.tensor.contains("/weights_before/") {
        let revived =
            "the mask is not applied after the optimizer's step: momentum or the gradient revives eliminated weights";
        return vec![revived.to_string()];
    }
    let (found, left) = (&seen.recorded.mask_before.values, &seen.carry.mask.values);
    let mut causes = Vec::new();
    if found.iter().all(|&alive| alive) {
        causes.push("the mask is forgotten: every weight is alive again (mask resurrected)".to_string());
    }
    if let Some(previous) = &seen.carry.previous
        && previous.1.alive.values == *found
    {
        causes.push("a stale mask: that of the start of the previous epoch".to_string());
    }
    if found.iter().zip(left).all(|(found, left)| found != left) {
        causes.push("the mask is inverted".to_string());
    }
    if seen.recorded.weights_before.values.iter().zip(found).all(|(w, &alive)| (*w != 0.0) == alive) {
        causes.push(
            "the mask is taken from the weights that are not 0: one that the optimizer moves is resurrected"
                .to_string(),
        );
    }
    if causes.is_empty() && found.iter().zip(left).any(|(&found, &left)| found && !left) {
        causes.push("eliminated weights come back: mask resurrected".to_string());
    }
    causes
}
