//! [`RunStatistics`]: what a run ends with.

use crate::error::{Error, Result};
use crate::trace::Trace;
use crate::train::{EpochRecord, Metrics, StoredRun};
use std::path::{Path, PathBuf};

/// What a run ends with; what is not known is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RunStatistics {
    /// 0 to 1.
    pub accuracy: Option<f64>,
    /// 0 to 1.
    pub sparsity: Option<f64>,
    pub k_star: Option<f64>,
    pub frobenius: Option<f64>,
}

impl RunStatistics {
    /// From a run folder, a `metrics.jsonl`, or a trace.
    ///
    /// # Errors
    /// [`Error::File`] or [`Error::Io`] naming what cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        if path.is_dir() {
            return Self::of_records(path, &StoredRun::read(path)?.records);
        }
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("jsonl") => Self::of_records(path, &Metrics::read_so_far(path)?),
            _ => Self::of_trace(&Trace::open(path)?),
        }
    }

    /// From several, each a run of its own.
    ///
    /// # Errors
    /// As [`RunStatistics::read`]; [`Error::File`] naming a run that is given twice.
    pub fn read_all(paths: &[PathBuf]) -> Result<Vec<Self>> {
        let runs: Vec<Self> = paths.iter().map(|path| Self::read(path)).collect::<Result<_>>()?;
        let each: Vec<(&Path, &Self)> = paths.iter().map(PathBuf::as_path).zip(&runs).collect();
        are_distinct(&each)?;
        Ok(runs)
    }

    pub(super) fn of_records(path: &Path, records: &[EpochRecord]) -> Result<Self> {
        let Some(last) = records.last() else {
            return Err(Error::file(path, "metrics", "at least one epoch", "none"));
        };
        Ok(Self {
            accuracy: Some(last.test_accuracy),
            sparsity: Some(last.sparsity),
            k_star: last.numbers.real("k_star"),
            frobenius: last.numbers.real("frobenius"),
        })
    }

    /// The last epoch of a trace.
    ///
    /// # Errors
    /// As [`Trace::mask`].
    pub fn of_trace(trace: &Trace) -> Result<Self> {
        let Some(k) = trace.epochs().next_back() else { return Ok(Self::default()) };
        let (mut dead, mut known) = (0, true);
        for parameter in trace.prunable() {
            match trace.whole_mask(&format!("epoch/{k}/mask/{}", parameter.name), parameter)? {
                Some(mask) => dead += mask.iter().filter(|&&alive| !alive).count(),
                None => known = false,
            }
        }
        Ok(Self {
            accuracy: None,
            sparsity: known.then(|| dead as f64 / trace.weights().max(1) as f64),
            k_star: trace.integer(k, "k_star")?.map(|k_star| k_star as f64),
            frobenius: trace.scalar(k, "S_F")?.filter(|x| x.is_finite()),
        })
    }
}

/// No two runs of different seeds end with the same norm of gradients, to the last bit, and the same of all else; a norm
/// of 0 says nothing.
///
/// # Errors
/// [`Error::File`] naming the second.
pub(super) fn are_distinct(runs: &[(&Path, &RunStatistics)]) -> Result<()> {
    for (i, (path, run)) in runs.iter().enumerate() {
        let tells = run.frobenius.is_some_and(|norm| norm > 0.0);
        if let Some((other, _)) = runs[..i].iter().find(|(_, other)| tells && other == run) {
            let found = format!("the same numbers as in {}", other.display());
            return Err(Error::file(*path, "the last epoch", "a run of its own: every run once", found));
        }
    }
    Ok(())
}
