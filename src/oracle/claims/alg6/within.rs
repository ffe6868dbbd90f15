//! The weights within an epoch, where batches record them: an eliminated weight is 0 in every one.

use crate::error::Result;
use crate::oracle::claims::claim::{Claim, Judged};
use crate::oracle::interval::Interval;
use crate::oracle::outcome::{Label, Outcome};
use crate::oracle::seen::{FINITE, Seen};
use crate::trace::names::within;

const LABEL: Label = Label::part("alg6", "within");

/// An eliminated weight is 0 at every batch.
pub(crate) struct Within;

impl Claim for Within {
    fn label(&self) -> Label {
        LABEL
    }

    fn judge(&self, seen: &Seen) -> Result<Judged> {
        Ok(Judged::only(judge(seen)?))
    }

    fn mistakes(&self, _: &Seen, _: &Outcome) -> Result<Vec<String>> {
        let cause =
            "the mask is applied at the epoch's end alone, not after every step: eliminated weights move in between";
        Ok(vec![cause.to_string()])
    }
}

/// Holds the recorded weights against the mask that the epoch found.
///
/// # Errors
/// [`crate::Error::Io`].
fn judge(seen: &Seen) -> Result<Outcome> {
    let mut outcome = Outcome::new(LABEL);
    for i in seen.trace.batches_with_weights(seen.k) {
        for (p, parameter) in seen.trace.parameters().iter().enumerate() {
            let alive = seen.alive(p);
            let is_dead = |j: usize| alive.is_some_and(|alive| !alive[j]);
            let Some(weights) = seen.trace.floats(&within(seen.k, i, parameter))? else { continue };
            let before = outcome.findings.len();
            for (j, &w) in weights.iter().enumerate().filter(|(j, w)| is_dead(*j) || !w.is_finite()) {
                let expected = if is_dead(j) { Interval::exact(0.0) } else { FINITE };
                outcome.compare_entry(&seen.place(&format!("batch/{i}/weights")), parameter, j, w, expected);
            }
            outcome.findings[before..].iter_mut().for_each(|finding| finding.batch = Some(i));
        }
    }
    Ok(outcome)
}
