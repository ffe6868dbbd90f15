//! [`CheckOptions`]: what a check is asked for.

use super::run_level::{Ensemble, RunStatistics};

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
    /// Reference runs that the run level compares with; none: it is left out.
    pub ensemble: Option<Ensemble>,
    /// What the port's runs ended with; none: the trace's own last epoch.
    pub runs: Vec<RunStatistics>,
}
