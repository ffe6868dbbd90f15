//! [`Start`]: a step of another run, from which a run goes on; [`KeptStates`]: the checkpoints of such steps.

use super::{BatchEvent, Checkpoint, EpochEvent, Observer, Run, RunFolder, Snapshot, Within};
use crate::error::{Error, Result};
use crate::nn::state_dict::{self, read_finite};
use crate::scalar::Scalar;
use crate::tensor_file::{Element, TensorFile};
use crate::train::checkpoint::read_flags;
use crate::weights::Weights;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Component, Path, PathBuf};

/// A step of another run, from which a run goes on: weights and running statistics are those of the step; learning rate,
/// order of data, augmentation and dropout are what they are in any run of the same configuration from that step on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// The step's checkpoint, seen from the run's folder.
    pub checkpoint: PathBuf,
    /// Optimizer steps that are taken there.
    pub step: usize,
    /// Epochs that are completed there.
    pub epochs: usize,
    /// Whether momentum goes on; if not, it is 0.
    pub momentum: bool,
    /// The file of which weights live, `mask/<p>`, seen from the run's folder: all others are 0 and stay so. All live if
    /// none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<PathBuf>,
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {} of {}", self.step, self.checkpoint.display())?;
        if self.momentum {
            f.write_str(" with momentum")?;
        }
        self.mask.as_ref().map_or(Ok(()), |mask| write!(f, " under {}", mask.display()))
    }
}

/// A state that a run keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepAt {
    /// Optimizer steps that are taken there, fewer than the run has.
    pub step: usize,
    /// Where its checkpoint goes, seen from the run's folder.
    pub file: PathBuf,
}

impl Start {
    /// The weights at the step, and how much of its epoch is done; the run's folder is `folder`.
    ///
    /// # Errors
    /// [`Error::File`] naming what is missing, malformed, or of another network, data set or step; [`Error::Io`].
    pub(super) fn read<S: Scalar>(&self, run: &Run, folder: &Path) -> Result<(Weights<S>, Within)> {
        let file = TensorFile::open(&seen_from(folder, &self.checkpoint))?;
        let header = Checkpoint::header(&file)?;
        let bad = |place: &str, expected: String, found: String| Err(Error::file(file.path(), place, expected, found));
        if header.data != run.fingerprint() {
            return bad("data", format!("this run's ({})", run.fingerprint()), header.data);
        }
        if (header.steps, header.epochs) != (self.step, self.epochs) {
            let expected = format!("{}, in epoch {}, as config.toml says", self.step, self.epochs);
            return bad("step", expected, format!("{}, in epoch {}", header.steps, header.epochs));
        }
        let parameters = state_dict::read(&file, &run.network)?;
        let mut weights = Weights::without(parameters, run.config.reading.prunable, &run.dense);
        if self.momentum {
            for (parameter, v) in weights.parameters.iter().zip(&mut weights.momentum) {
                if parameter.role.is_trained() {
                    *v = read_finite(&file, &format!("momentum/{}", parameter.name), Some(parameter.value.shape()))?;
                }
            }
        }
        if let Some(mask) = &self.mask {
            let file = TensorFile::open(&seen_from(folder, mask))?;
            let mask = read_flags(&file, "mask", &weights.parameters, weights.set())?;
            weights.hold(&mask);
        }
        Ok((weights, header.within.unwrap_or_default()))
    }
}

/// A file's place, seen from a folder, which need not be there yet: what steps out of it does so by name.
fn seen_from(folder: &Path, file: &Path) -> PathBuf {
    let mut place = folder.to_path_buf();
    for part in file.components() {
        if part != Component::ParentDir || place.file_name().is_none() || !place.pop() {
            place.push(part);
        }
    }
    place
}

/// Keeps the states that the run's [`Outputs`](super::Outputs) ask for.
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
