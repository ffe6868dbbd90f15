//! [`Outputs`]: what a run leaves beside its configuration, metrics and checkpoint.

use super::KeepAt;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What a run leaves beside its configuration, metrics and checkpoint. No result depends on it; it is stored so that a
/// resumed run goes on with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Outputs {
    /// The trace's file, from the run's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<PathBuf>,
    /// Whether the trace has every batch's gradients.
    pub trace_gradients: bool,
    /// Whether the epoch of the best test accuracy is kept.
    pub keep_best: bool,
    /// N: every N-th epoch is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_every: Option<usize>,
    /// Steps whose states are kept; of runs whose method is `dense`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keep_at: Vec<KeepAt>,
}

impl Outputs {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// # Errors
    /// [`Error::Domain`] naming the option whose value is impossible.
    pub fn validate(&self) -> Result<()> {
        match self.keep_every {
            Some(0) => Err(Error::domain("--keep-every", "at least 1", 0)),
            _ => Ok(()),
        }
    }
}
