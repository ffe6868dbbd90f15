//! Checkpoints of steps.

use crate::error::Result;
use crate::scalar::Scalar;
use crate::tensor_file::Element;
use crate::train::start::seen_from;
use crate::train::{BatchEvent, Checkpoint, EpochEvent, KeepAt, Observer, Run, RunFolder, Snapshot};
use std::path::PathBuf;

/// Keeps the states that the run's [`Outputs`](crate::train::Outputs) ask for.
pub(super) struct KeptStates<'a> {
    folder: PathBuf,
    run: &'a Run<'a>,
}

impl<'a> KeptStates<'a> {
    /// For this run; without a folder, files are seen from where the program is.
    pub fn new(folder: Option<&RunFolder>, run: &'a Run<'a>) -> Self {
        Self { folder: folder.map_or_else(PathBuf::new, |folder| folder.path().to_path_buf()), run }
    }
}

impl<S: Scalar + Element> Observer<S> for KeptStates<'_> {
    fn on_batch(&mut self, event: &BatchEvent<S>) -> Result<()> {
        let kept = self.run.config.outputs.keep_at.iter().filter(|kept| kept.step == event.steps);
        for KeepAt { file, .. } in kept {
            let mut weights = event.weights.clone();
            // Everything in its own shape.
            drop(weights.stepping(None));
            let snapshot = Snapshot {
                epochs: event.epoch - self.run.config.reading.epoch_origin.first(),
                steps: event.steps,
                within: event.within,
                weights: &weights,
                sparsifier: event.sparsifier,
            };
            Checkpoint::write_snapshot(&seen_from(&self.folder, file), self.run, &snapshot, None)?;
        }
        Ok(())
    }

    fn on_epoch(&mut self, _: &EpochEvent<S>) -> Result<()> {
        Ok(())
    }
}
