//! Open point 19: whether an epoch's last, short batch is trained on, as far as the recorded indices say.

use crate::choice::Choice;
use crate::error::Result;
use crate::oracle::claims::claim::{Claim, Judged};
use crate::oracle::claims::mistakes::reading;
use crate::oracle::interval::Interval;
use crate::oracle::outcome::{Label, Outcome};
use crate::oracle::seen::Seen;
use crate::paper::reading::LastBatch;
use crate::trace::Trace;
use std::collections::HashSet;

const LABEL: Label = Label::part("alg1", "batches");

/// An epoch has the batches that `last_batch` declares.
pub(crate) struct Batches {
    /// How many different samples the trace's batches have in all.
    distinct: usize,
}

impl Batches {
    /// # Errors
    /// [`crate::Error::Io`].
    pub(crate) fn of(trace: &Trace) -> Result<Self> {
        Ok(Self { distinct: distinct_samples(trace)? })
    }

    /// What to tell where no `last_batch` is declared and an epoch looks as if the batch were dropped.
    pub(crate) fn warning(&self, trace: &Trace) -> Option<String> {
        warning(trace, self.distinct)
    }
}

impl Claim for Batches {
    fn label(&self) -> Label {
        LABEL
    }

    fn judge(&self, seen: &Seen) -> Result<Judged> {
        Ok(Judged::only(judge(seen, self.distinct)))
    }

    fn mistakes(&self, seen: &Seen, _: &Outcome) -> Result<Vec<String>> {
        Ok(vec![last_batch(seen)])
    }
}

/// How many different samples a trace's batches have in all: at least as many as there are to train on.
///
/// # Errors
/// [`crate::Error::Io`].
fn distinct_samples(trace: &Trace) -> Result<usize> {
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
fn dropped(trace: &Trace, k: usize, distinct: usize) -> Option<usize> {
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

fn warning(trace: &Trace, distinct: usize) -> Option<String> {
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
fn judge(seen: &Seen, distinct: usize) -> Outcome {
    let mut outcome = Outcome::new(LABEL);
    let (trace, k) = (seen.trace, seen.k);
    let (Some(sizes), Some(full)) = (sizes(trace, k), trace.header.batch_size) else { return outcome };
    if !trace.header.declares_last_batch {
        return outcome;
    }
    let [others @ .., last] = sizes.as_slice() else { return outcome };
    let place = seen.place(&format!("batch/{}/indices", others.len()));
    match seen.reading().last_batch {
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

/// Batches that are not those of the declared `last_batch`.
fn last_batch(seen: &Seen) -> String {
    match seen.reading().last_batch {
        LastBatch::Keep => format!("the last, short batch is dropped: {}", reading(LastBatch::KEY, "drop")),
        LastBatch::Drop => format!("the last, short batch is trained on: {}", reading(LastBatch::KEY, "keep")),
    }
}
