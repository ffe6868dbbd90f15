//! What is told of a run when it is over.

use super::wrapped;
use crate::method::Method;
use crate::method::quantity::Remark;
use crate::train::{EpochRecord, StoredRun};

/// One run in a table: the last epoch's network.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    pub method: Method,
    pub epochs: usize,
    /// 0 to 1.
    pub accuracy: f64,
    /// 0 to 1.
    pub sparsity: f64,
    /// Training and pruning, without evaluation.
    pub seconds: f64,
    /// What is said of the method's quantities, in the order in which it declares them.
    pub remarks: Vec<String>,
}

impl Summary {
    /// Of a run's last epoch so far; `None` before the first.
    pub fn of(run: &StoredRun) -> Option<Self> {
        (!run.records.is_empty()).then(|| Self::new(run.config.method, &run.records))
    }

    /// From a run's records.
    pub fn new(method: Method, records: &[EpochRecord]) -> Self {
        let last = records.last();
        Self {
            method,
            epochs: records.len(),
            accuracy: last.map_or(f64::NAN, |r| r.test_accuracy),
            sparsity: last.map_or(f64::NAN, |r| r.sparsity),
            seconds: records.iter().map(|r| r.seconds).sum(),
            remarks: remarked(method).filter_map(|remarked| said(method, remarked, records)).collect(),
        }
    }
}

/// The method's remarks, with the keys of the counts that they are on.
fn remarked(method: Method) -> impl Iterator<Item = (&'static str, &'static Remark)> {
    method.entry().quantities.iter().filter_map(|quantity| quantity.key.zip(quantity.remark.as_ref()))
}

/// Whether something moved at the end of this epoch.
pub(super) fn moved(method: Method, record: &EpochRecord) -> bool {
    remarked(method).any(|(key, remark)| matches!(remark, Remark::Moved(_)) && has_moved(method, key, record))
}

/// What a remark on the count under this key says of these epochs, if anything.
fn said(method: Method, (key, remark): (&str, &Remark), records: &[EpochRecord]) -> Option<String> {
    match *remark {
        Remark::Moved(what) => {
            let epochs: Vec<usize> = records.iter().filter(|r| has_moved(method, key, r)).map(|r| r.epoch).collect();
            (!epochs.is_empty()).then(|| format!("{what} moved at epochs {}", ranges(&epochs)))
        }
        Remark::Ceased { so, because: (other, cause) } => {
            let idle = || records.iter().rev().take_while(|r| r.numbers.count(key) == Some(0));
            let since = idle().last()?.epoch;
            // With every weight eliminated the other is 0 too, and of nothing.
            let is_zero = |r: &EpochRecord| other.key.and_then(|key| r.numbers.real(key)) == Some(0.0);
            let cause =
                if idle().all(|r| is_zero(r) && r.sparsity < 1.0) { format!(": {cause}") } else { String::new() };
            Some(format!("from epoch {since} on {so}{cause}"))
        }
    }
}

/// Whether the count names the epoch. It is 0 before the first one, which need not have moved it for that.
fn has_moved(method: Method, key: &str, record: &EpochRecord) -> bool {
    record.numbers.count(key) == Some(record.epoch) && (record.epoch > 0 || method.entry().rewinds_at_first)
}

/// One run in a few lines, none wider than a terminal.
pub fn summary(run: &Summary) -> String {
    let mut text = format!(
        "{}: test accuracy {:.2} % at {:.2} % sparsity after {} epochs, in {:.1} s",
        run.method,
        100.0 * run.accuracy,
        100.0 * run.sparsity,
        run.epochs,
        run.seconds
    );
    for remark in &run.remarks {
        text += &format!("\n{remark}");
    }
    wrapped(&text)
}

/// `[0, 1, 2, 5]` as `0-2, 5`.
pub(crate) fn ranges(sorted: &[usize]) -> String {
    let mut parts: Vec<(usize, usize)> = Vec::new();
    for &x in sorted {
        match parts.last_mut() {
            Some((_, end)) if *end + 1 == x => *end = x,
            _ => parts.push((x, x)),
        }
    }
    let show = |&(start, end): &(usize, usize)| if start == end { start.to_string() } else { format!("{start}-{end}") };
    parts.iter().map(show).collect::<Vec<_>>().join(", ")
}
