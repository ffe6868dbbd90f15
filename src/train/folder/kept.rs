//! Checkpoints that stay when later epochs replace `checkpoint.safetensors`.

use super::RunFolder;
use crate::error::Result;
use crate::scalar::Scalar;
use crate::tensor_file::{Element, TensorFile};
use crate::train::{Checkpoint, EpochEvent, EpochRecord, Observer, Run};
use std::ffi::OsStr;
use std::path::PathBuf;

/// What stands before an epoch in its file's name, and behind it.
const BEFORE: &str = "checkpoint-";
const BEHIND: &str = ".safetensors";

/// Keeps the epochs that the run's [`Outputs`](crate::train::Outputs) ask for: the first of the best test accuracy as
/// `checkpoint-best.safetensors`, and every N-th as `checkpoint-<k>.safetensors`, k counted as in the metrics.
pub struct KeptCheckpoints<'a> {
    folder: RunFolder,
    run: &'a Run<'a>,
    /// The accuracy of the epoch that is kept as the best.
    best: Option<f64>,
}

impl<'a> KeptCheckpoints<'a> {
    /// For this run, of which these epochs are completed.
    ///
    /// # Errors
    /// As [`Checkpoint::header`], of the best epoch that is kept so far.
    pub fn new(folder: &RunFolder, run: &'a Run<'a>, completed: &[EpochRecord]) -> Result<Self> {
        let mut kept = Self { folder: folder.clone(), run, best: None };
        let path = kept.path("best");
        if run.config.outputs.keep_best && path.exists() {
            let epochs = Checkpoint::header(&TensorFile::open(&path)?)?.epochs;
            // An epoch that the run was killed in is trained, and kept, again.
            let own = epochs.checked_sub(run.config.first_epoch() + 1);
            kept.best = own.and_then(|i| completed.get(i)).map(|record| record.test_accuracy);
        }
        Ok(kept)
    }

    /// Whether this may be the name of an epoch that is kept.
    pub fn is_name(file: &OsStr) -> bool {
        file.to_str().is_some_and(|name| name.starts_with(BEFORE) && name.ends_with(BEHIND))
    }

    fn path(&self, name: impl std::fmt::Display) -> PathBuf {
        self.folder.path().join(format!("{BEFORE}{name}{BEHIND}"))
    }
}

impl<S: Scalar + Element> Observer<S> for KeptCheckpoints<'_> {
    fn on_epoch(&mut self, event: &EpochEvent<S>) -> Result<()> {
        let (outputs, accuracy) = (&self.run.config.outputs, event.record.test_accuracy);
        if outputs.keep_best && self.best.is_none_or(|best| accuracy > best) {
            Checkpoint::write(&self.path("best"), self.run, event.state, None)?;
            self.best = Some(accuracy);
        }
        if outputs.keep_every.is_some_and(|n| event.state.epochs.is_multiple_of(n)) {
            Checkpoint::write(&self.path(event.record.epoch), self.run, event.state, None)?;
        }
        Ok(())
    }
}
