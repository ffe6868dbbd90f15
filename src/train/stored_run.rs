//! [`StoredRun`]: a run folder as it is read afterwards.

use super::{Checkpoint, Config, EpochRecord, Metrics, RunFolder};
use crate::error::{Error, Result, in_one_line};
use crate::tensor_file::TensorFile;
use std::path::{Path, PathBuf};

/// A run's configuration and every epoch it has completed so far.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRun {
    /// Its folder's name, or as much of its path as tells it from the others that were read with it.
    pub name: String,
    pub config: Config,
    pub records: Vec<EpochRecord>,
    /// SHA-256 of the data set, from the checkpoint; `None` where there is no checkpoint (yet).
    pub fingerprint: Option<String>,
}

impl StoredRun {
    /// Reads `config.toml`, `metrics.jsonl` and the checkpoint's header of a run that is finished, under way or
    /// stopped. Nothing is written.
    ///
    /// # Errors
    /// [`Error::File`] naming the folder if it holds no run, or the file and the place that cannot be read;
    /// [`Error::Io`].
    pub fn read(path: &Path) -> Result<Self> {
        let Some((folder, config)) = RunFolder::open(path)? else {
            let found = if path.is_dir() { "a folder without one" } else { "no folder" };
            return Err(Error::file(path, "run folder", "config.toml, as `gdstar train --out` leaves it", found));
        };
        let records = Metrics::read_so_far(&folder.metrics())?;
        Metrics::check_order(&folder.metrics(), &records, config.first_k())?;
        let checkpoint = folder.checkpoint();
        let fingerprint = match checkpoint.exists() {
            true => Some(Checkpoint::claim(&TensorFile::open(&checkpoint)?)?.data),
            false => None,
        };
        Ok(Self { name: last_components(path, 1), config, records, fingerprint })
    }

    /// Reads runs, each named so that they can be told apart. A folder that is no run stands for the runs in it, in
    /// the order of their names.
    ///
    /// # Errors
    /// As [`StoredRun::read`], also for a folder without a run in it.
    pub fn read_all(paths: &[PathBuf]) -> Result<Vec<Self>> {
        let mut folders = Vec::new();
        for path in paths {
            let inside = if RunFolder::holds_run(path) { Vec::new() } else { runs_in(path)? };
            // Where there is none, the path itself is refused.
            folders.extend(if inside.is_empty() { vec![path.clone()] } else { inside });
        }
        let mut runs = folders.iter().map(|path| Self::read(path)).collect::<Result<Vec<_>>>()?;
        let longest = folders.iter().map(|path| path.components().count()).max().unwrap_or(0);
        let ambiguous =
            |runs: &[Self], i: usize| (0..runs.len()).any(|j| folders[j] != folders[i] && runs[j].name == runs[i].name);
        for length in 2..=longest {
            let unclear: Vec<usize> = (0..runs.len()).filter(|&i| ambiguous(&runs, i)).collect();
            unclear.into_iter().for_each(|i| runs[i].name = last_components(&folders[i], length));
        }
        Ok(runs)
    }

    /// Epochs done, with those before its [start](super::Start).
    fn done(&self) -> usize {
        self.config.first_epoch() + self.records.len()
    }

    /// Whether all K epochs are done.
    pub fn is_finished(&self) -> bool {
        self.done() >= self.config.hyper.epochs
    }

    /// Epochs done of K: `300`, or `254/300` for a run that is not finished.
    pub fn progress(&self) -> String {
        let (done, k) = (self.done(), self.config.hyper.epochs);
        if self.is_finished() { done.to_string() } else { format!("{done}/{k}") }
    }
}

/// The run folders directly in a folder, by name; none if it is none.
fn runs_in(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in path.read_dir().map_err(Error::io(path, "read"))? {
        let inside = entry.map_err(Error::io(path, "read"))?.path();
        if RunFolder::holds_run(&inside) {
            found.push(inside);
        }
    }
    found.sort();
    Ok(found)
}

/// The end of a path, at most `count` components of it.
fn last_components(path: &Path, count: usize) -> String {
    let components: Vec<_> = path.components().collect();
    let end: PathBuf = components[components.len().saturating_sub(count)..].iter().collect();
    in_one_line(&end.display().to_string())
}
