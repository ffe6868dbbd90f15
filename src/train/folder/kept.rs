//! Checkpoints that stay when later epochs replace `checkpoint.safetensors`.

use super::RunFolder;
use crate::error::Result;
use crate::scalar::Scalar;
use crate::tensor_file::{Element, TensorFile};
use crate::train::{Checkpoint, EpochEvent, EpochRecord, Observer, Run};

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
        let path = folder.kept("best");
        if run.config.outputs.keep_best && path.exists() {
            let epochs = Checkpoint::header(&TensorFile::open(&path)?)?.epochs;
            // An epoch that the run was killed in is trained, and kept, again.
            let own = epochs.checked_sub(run.config.first_epoch() + 1);
            kept.best = own.and_then(|i| completed.get(i)).map(|record| record.test_accuracy);
        }
        Ok(kept)
    }
}

impl<S: Scalar + Element> Observer<S> for KeptCheckpoints<'_> {
    fn on_epoch(&mut self, event: &EpochEvent<S>) -> Result<()> {
        let (outputs, accuracy) = (&self.run.config.outputs, event.record.test_accuracy);
        if outputs.keep_best && self.best.is_none_or(|best| accuracy > best) {
            Checkpoint::write(&self.folder.kept("best"), self.run, event.state, None)?;
            self.best = Some(accuracy);
        }
        if outputs.keep_every.is_some_and(|n| event.state.epochs.is_multiple_of(n)) {
            Checkpoint::write(&self.folder.kept(event.record.epoch), self.run, event.state, None)?;
        }
        Ok(())
    }
}
