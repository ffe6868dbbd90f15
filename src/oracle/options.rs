//! [`CheckOptions`]: what a check is asked for.

use super::run_level::{Ensemble, RunStatistics};
use crate::choice::choice;

choice! {
    /// How much of a file is judged.
    Reach, "level":
    /// The method's equations, on the port's own gradients.
    Method = "method",
    /// These, and losses and gradients of batches, recomputed.
    Step = "step",
    /// The record of single ops alone.
    Ops = "ops",
}

/// What to check and how.
#[derive(Debug, Clone, Default)]
pub struct CheckOptions {
    /// Every result must be the exact one: for the cases in which nothing rounds.
    pub exact: bool,
    /// Losses and gradients that the reference does not get are findings even if no loss at all agrees, which speaks for
    /// other samples.
    pub insist: bool,
    /// Losses and gradients are not recomputed: the method is judged on the port's own.
    pub without_step: bool,
    /// How much of the file is judged; `None`: all that it holds.
    pub reach: Option<Reach>,
    /// How many steps of the trace a record in the same file was judged op by op; their gradients are the trace's.
    pub steps_by_ops: usize,
    /// Reference runs that the run level compares with; none: it is left out.
    pub ensemble: Option<Ensemble>,
    /// What the port's runs ended with; none: the trace's own last epoch.
    pub runs: Vec<RunStatistics>,
}
