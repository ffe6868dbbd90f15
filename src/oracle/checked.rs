//! [`check_file`]: whatever a port wrote, a trace, a record of single ops, or both in one file.

use super::check::check_opened;
use super::options::{CheckOptions, Reach};
use super::record::{Record, RecordReport, check_record};
use super::report::{Report, Verdict};
use crate::error::Result;
use crate::tensor_file::TensorFile;
use crate::trace::{self, KEY};
use serde_json::{Value, json};
use std::fmt;

/// All that was found of a file: at least one of the two.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    pub trace: Option<Report>,
    pub record: Option<RecordReport>,
}

/// Checks what a file holds, telling `progress` how many epochs, steps or calls are judged, of how many.
///
/// # Errors
/// As [`check`](super::check) of a trace and [`check_record`] of a record; [`crate::Error::File`] for a file that is
/// neither, or lacks what was asked for.
pub fn check_file(
    file: TensorFile,
    options: &CheckOptions,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Checked> {
    let is_both = Record::is_in(&file) && file.metadata(KEY).is_some();
    let reads_record = match options.reach {
        None => Record::is_in(&file),
        Some(reach) => reach == Reach::Ops,
    };
    if !reads_record {
        let trace = check_opened(&trace::of_file(file)?, options, &mut |done, total| progress(done, total))?;
        return Ok(Checked { trace: Some(trace), record: None });
    }
    let record = Record::new(file)?;
    let report = check_record(&record, progress)?;
    let trace = match is_both && options.reach.is_none() {
        false => None,
        true => {
            let options = CheckOptions { steps_by_ops: report.tied_steps, ..options.clone() };
            let opened = trace::of_file(record.into_file())?;
            Some(check_opened(&opened, &options, &mut |done, total| progress(done, total))?)
        }
    };
    Ok(Checked { trace, record: Some(report) })
}

impl Checked {
    /// The worse of the two verdicts.
    pub fn verdict(&self) -> Verdict {
        let verdicts = [self.trace.as_ref().map(|r| r.verdict), self.record.as_ref().map(|r| r.verdict)];
        let has = |verdict| verdicts.contains(&Some(verdict));
        match (has(Verdict::Fail), has(Verdict::Inconclusive)) {
            (true, _) => Verdict::Fail,
            (false, true) => Verdict::Inconclusive,
            (false, false) => Verdict::Pass,
        }
    }

    /// The object that `gdstar check --json` prints: the one report's; of both the trace's, with the worse verdict, the
    /// findings of both and the record's own report under `record`.
    pub fn to_json(&self) -> Value {
        let (mut whole, record) = match (&self.trace, &self.record) {
            (Some(trace), Some(record)) => (trace.to_json(), record.to_json()),
            (Some(trace), None) => return trace.to_json(),
            (None, Some(record)) => return record.to_json(),
            (None, None) => return json!({}),
        };
        whole["verdict"] = json!(self.verdict().name());
        for key in ["inconclusive", "checked", "not_checked", "findings"] {
            let more = record[key].as_array().cloned().unwrap_or_default();
            if let Some(list) = whole[key].as_array_mut() {
                list.extend(more);
            }
        }
        let total = |report: &Value| report["findings_total"].as_u64().unwrap_or(0);
        whole["findings_total"] = json!(total(&whole) + total(&record));
        whole["record"] = record;
        whole
    }
}

/// The reports for people, one after the other.
impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match (&self.trace, &self.record) {
            (Some(trace), Some(record)) => write!(f, "{trace}\n{record}"),
            (Some(trace), None) => trace.fmt(f),
            (None, Some(record)) => record.fmt(f),
            (None, None) => Ok(()),
        }
    }
}
