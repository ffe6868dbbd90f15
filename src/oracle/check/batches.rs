//! Open point 19: whether an epoch's last, short batch is trained on, as far as the recorded indices say.

use super::epoch::Epoch;
use super::outcome::{Outcome, Stage};
use crate::error::Result;
use crate::oracle::interval::Interval;
use crate::paper::reading::LastBatch;
use crate::trace::Trace;
use std::collections::HashSet;

/// How many different samples a trace's batches have in all: at least as many as there are to train on.
///
/// # Errors
/// [`crate::Error::Io`].
pub(super) fn distinct_samples(trace: &Trace) -> Result<usize> {
    let mut seen: HashSet<i64> = HashSet::new();
    for k in trace.epochs() {
        for i in 0..trace.batches(k) {
            seen.extend(trace.integers(&format!("epoch/{k}/batch/{i}/indices"))?.unwrap_or_default());
        }
    }
    Ok(seen.len())
}

/// How many samples of the run an epoch leaves out whose batches are all full: what dropping the last one leaves out.
/// `None` where batches are of other sizes or are not recorded, or more is left out than that.
pub(super) fn dropped(trace: &Trace, k: usize, distinct: usize) -> Option<usize> {
    let sizes = sizes(trace, k)?;
    let full = trace.header.batch_size?;
    let left_out = distinct.checked_sub(sizes.iter().sum())?;
    (sizes.iter().all(|&size| size == full) && (1..full).contains(&left_out)).then_some(left_out)
}

/// The sizes of an epoch's batches, if all are recorded.
fn sizes(trace: &Trace, k: usize) -> Option<Vec<usize>> {
    let size = |i: usize| trace.shape(&format!("epoch/{k}/batch/{i}/indices"))?.first().copied();
    (0..trace.batches(k)).map(size).collect::<Option<Vec<usize>>>().filter(|sizes| !sizes.is_empty())
}

/// What to tell where no `last_batch` is declared and an epoch looks as if the batch were dropped.
pub(super) fn warning(trace: &Trace, distinct: usize) -> Option<String> {
    if trace.header.declares_last_batch {
        return None;
    }
    let (k, left_out) = trace.epochs().find_map(|k| Some((k, dropped(trace, k, distinct)?)))?;
    Some(format!(
        "epoch {k} leaves out {left_out} samples and its batches are all full: if the last, short batch is dropped, \
         declare `last_batch` = `drop`"
    ))
}

/// Holds an epoch's batches against a declared `last_batch`.
pub(super) fn last_batch(epoch: &Epoch, distinct: usize) -> Outcome {
    let mut outcome = Outcome::new(Stage::Batches);
    let (trace, k) = (epoch.trace, epoch.k);
    let (Some(sizes), Some(full)) = (sizes(trace, k), trace.header.batch_size) else { return outcome };
    if !trace.header.declares_last_batch {
        return outcome;
    }
    let [others @ .., last] = sizes.as_slice() else { return outcome };
    let place = epoch.place(&format!("batch/{}/indices", others.len()));
    match epoch.reading().last_batch {
        LastBatch::Keep => {
            let samples: usize = sizes.iter().sum();
            let left_out = dropped(trace, k, distinct).unwrap_or(0);
            outcome.compare(&place, 0, samples as f64, Interval::exact((samples + left_out) as f64));
        }
        LastBatch::Drop if others.iter().all(|&size| size == full) => {
            outcome.compare(&place, 0, *last as f64, Interval::exact(full as f64));
        }
        LastBatch::Drop => {}
    }
    // What is right here says nothing of Alg. 1's steps.
    outcome.compared = outcome.total;
    outcome
}
