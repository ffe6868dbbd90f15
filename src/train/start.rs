//! [`Start`]: a step of another run, from which a run goes on.

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

/// How much of an epoch is done; nothing between two epochs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Within {
    pub batches: usize,
    /// What the generator of dropout's noise has given, in words of 32 bits.
    pub noise: u64,
}

/// A file's place, seen from a folder, which need not be there yet: what steps out of it does so by name.
pub(super) fn seen_from(folder: &Path, file: &Path) -> PathBuf {
    let mut place = folder.to_path_buf();
    for part in file.components() {
        if part != Component::ParentDir || place.file_name().is_none() || !place.pop() {
            place.push(part);
        }
    }
    place
}
