//! Judging a whole record: every call on its own operands, and how the calls of a step hang together.

use super::collector::{Collector, Event};
use super::report::RecordReport;
use super::{Call, Judged, Record, Reference, adjoint, judge, trace_ties, wiring};
use crate::error::Result;
use crate::kernel::share;
use crate::ops::cases;
use crate::tensor_file::TensorFile;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Judges a record, telling `progress` how many calls are judged, of how many.
///
/// # Errors
/// [`crate::Error::File`] naming the case whose op cannot work on its operands or attributes, or whose tensor holds what it
/// cannot; [`crate::Error::Io`].
pub fn check_record(record: &Record, progress: &(dyn Fn(usize, usize) + Sync)) -> Result<RecordReport> {
    let mut collector = Collector::default();
    let total: usize = record.steps.iter().map(|step| step.calls.len()).sum();
    let done = AtomicUsize::new(0);
    for (at, step) in record.steps.iter().enumerate() {
        // Each with its own error: the first in the file's order is the one that is told.
        let graded: Vec<Result<Option<Vec<Judged>>>> = share::map(step.calls.len(), share::ALWAYS, |i| {
            let judged = judge_loaded(record.file(), &step.calls[i]);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
            judged
        });
        let opinions = adjoint::ask(record.file(), step, &graded)?;
        for (i, (call, judged)) in step.calls.iter().zip(graded).enumerate() {
            let identities = opinions.get(&i).map_or(&[][..], Vec::as_slice);
            collector.add(record.file(), Event { at, step }, call, judged?, identities)?;
        }
        let mut wiring = wiring::follow(record, step)?;
        let ties = trace_ties::judge(record.file(), step)?;
        collector.tied_steps += usize::from(ties.gradients > 0);
        wiring.misplaced.extend(ties.misplaced);
        collector.add_wiring(Event { at, step }, wiring);
    }
    Ok(collector.report(record))
}

fn judge_loaded(file: &TensorFile, call: &Call<Reference>) -> Result<Option<Vec<Judged>>> {
    judge(&call.load(file)?).map_err(|error| cases::in_case(file.path(), &call.name, error))
}
