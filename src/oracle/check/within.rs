//! The weights within an epoch, where batches record them: an eliminated weight is 0 in every one.

use super::epoch::{Epoch, FINITE};
use super::outcome::{Outcome, Place, Stage};
use crate::error::Result;
use crate::oracle::interval::Interval;
use crate::trace::TracedParameter;

/// The name of the weights that a batch's gradient was taken at.
pub(super) fn weights_name(k: usize, i: usize, parameter: &TracedParameter) -> String {
    format!("epoch/{k}/batch/{i}/weights/{}", parameter.name)
}

/// Where the weights of a batch are, for comparisons.
pub(super) fn place(epoch: &Epoch, i: usize) -> Place {
    epoch.place(&format!("batch/{i}/weights"))
}

/// Holds the recorded weights against the mask that the epoch found.
///
/// # Errors
/// [`crate::Error::Io`].
pub(super) fn masked(epoch: &Epoch) -> Result<Outcome> {
    let mut outcome = Outcome::new(Stage::Alg6Within);
    for i in epoch.trace.batches_with_weights(epoch.k) {
        for (p, parameter) in epoch.trace.parameters().iter().enumerate() {
            let alive = if p < epoch.trace.prunable().len() { epoch.operands.alive.of(p, parameter) } else { None };
            let is_dead = |j: usize| alive.is_some_and(|alive| !alive[j]);
            let Some(weights) = epoch.trace.floats(&weights_name(epoch.k, i, parameter))? else { continue };
            let before = outcome.findings.len();
            for (j, &w) in weights.iter().enumerate().filter(|(j, w)| is_dead(*j) || !w.is_finite()) {
                let expected = if is_dead(j) { Interval::exact(0.0) } else { FINITE };
                outcome.compare_entry(&place(epoch, i), parameter, j, w, expected);
            }
            outcome.findings[before..].iter_mut().for_each(|finding| finding.batch = Some(i));
        }
    }
    Ok(outcome)
}
