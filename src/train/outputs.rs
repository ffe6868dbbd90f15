//! [`Outputs`]: what a run leaves beside its configuration, metrics and checkpoint.

use super::KeepAt;
use crate::error::{Error, Result};
use crate::method::Record;
use crate::trace::{MaskForm, Sample};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// What a run leaves beside its configuration, metrics and checkpoint. No result depends on it; it is stored so that a
/// resumed run goes on with it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Outputs {
    /// The trace's file, from the run's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<PathBuf>,
    /// Which steps a trace by steps has.
    #[serde(skip_serializing_if = "TraceSteps::is_default")]
    pub trace_steps: TraceSteps,
    /// Whether the trace has every batch's gradients.
    pub trace_gradients: bool,
    /// The epochs of which it has them, in the run's own counting; none: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trace_gradient_epochs: Vec<usize>,
    /// Which share of the weights it keeps; `None`: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_sample: Option<f64>,
    /// How it keeps masks.
    #[serde(skip_serializing_if = "is_bytes")]
    pub trace_masks: MaskForm,
    /// Whether the epoch of the best test accuracy is kept.
    pub keep_best: bool,
    /// N: every N-th epoch is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_every: Option<usize>,
    /// Steps whose states are kept; of runs whose method is `dense`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keep_at: Vec<KeepAt>,
    /// What is measured besides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub record: Vec<Record>,
}

impl Outputs {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// In which form the trace is written, wherever it is.
    pub fn form_of_trace(&self) -> Self {
        Self {
            trace_steps: self.trace_steps.clone(),
            trace_gradients: self.trace_gradients,
            trace_gradient_epochs: self.trace_gradient_epochs.clone(),
            trace_sample: self.trace_sample,
            trace_masks: self.trace_masks,
            ..Self::default()
        }
    }

    /// # Errors
    /// [`Error::Domain`] naming the option whose value is impossible.
    pub fn validate(&self) -> Result<()> {
        if let Some(share) = self.trace_sample.filter(|share| !Sample::SHARES.contains(share)) {
            let (least, most) = Sample::SHARES.into_inner();
            return Err(Error::domain("--trace-sample", format!("a share from {least} to {most}"), share));
        }
        match self.keep_every {
            Some(0) => Err(Error::domain("--keep-every", "at least 1", 0)),
            _ => Ok(()),
        }
    }

    /// Whether the trace has the gradients of this epoch's batches.
    pub fn has_gradients(&self, epoch: usize) -> bool {
        let chosen = &self.trace_gradient_epochs;
        self.trace_gradients && (chosen.is_empty() || chosen.contains(&epoch))
    }
}

fn is_bytes(masks: &MaskForm) -> bool {
    *masks == MaskForm::Bytes
}

/// Which steps a trace by steps has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum TraceSteps {
    /// Those that are updates of the method's schedule.
    #[default]
    Updates,
    All,
    /// These, by their indices.
    List(Vec<usize>),
}

impl TraceSteps {
    /// Whether it has step `t`.
    pub fn has(&self, t: usize, is_update: bool) -> bool {
        match self {
            Self::Updates => is_update,
            Self::All => true,
            Self::List(steps) => steps.contains(&t),
        }
    }

    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for TraceSteps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Updates => f.write_str("updates"),
            Self::All => f.write_str("all"),
            Self::List(steps) => f.write_str(&steps.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")),
        }
    }
}

impl FromStr for TraceSteps {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "updates" => Ok(Self::Updates),
            "all" => Ok(Self::All),
            list => list.split(',').map(|step| step.trim().parse()).collect::<std::result::Result<_, _>>().map_or_else(
                |_| {
                    Err(Error::domain(
                        "--trace-steps",
                        "updates | all | indices of steps with commas",
                        format!("`{text}`"),
                    ))
                },
                |steps| Ok(Self::List(steps)),
            ),
        }
    }
}

impl From<TraceSteps> for String {
    fn from(steps: TraceSteps) -> Self {
        steps.to_string()
    }
}

impl TryFrom<String> for TraceSteps {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}
