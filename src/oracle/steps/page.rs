//! [`Page`]: a method in the oracle: its labels, its schedule, and what follows from what in a step.

use super::desk::Desk;
use super::rules::{Facts, Rules};
use super::state::{Left, Whole};
use super::whole::Start;
use crate::error::Result;
use crate::trace::StepMethod;

/// All that the oracle knows of a method. A check and a replay read the same page: see [`Desk`].
pub(crate) struct Page {
    pub(crate) facts: Facts,
    /// Whether the hyper-parameters and the trace's shapes fit each other, as far as a header's values by themselves do not
    /// say it.
    pub(crate) fits: fn(&Desk) -> Result<()>,
    /// Before the first step.
    pub(crate) begin: fn(&mut Desk) -> Result<Whole>,
    /// A step; what it leaves.
    pub(crate) step: fn(&mut Desk) -> Result<Left>,
    /// After the last step.
    pub(crate) end: fn(&mut Desk) -> Result<()>,
}

impl Page {
    /// What most methods have.
    pub(crate) const fn new(
        method: StepMethod,
        labels: &'static [&'static str],
        step: fn(&mut Desk) -> Result<Left>,
    ) -> Self {
        let facts =
            Facts { method, labels, due: |_, _| true, has_last_update: true, has_w: true, results_are_operands: true };
        Self { facts, fits: |_| Ok(()), begin: |desk| desk.whole(Start::DENSE), step, end: |_| Ok(()) }
    }

    /// The same, with updates at these steps alone.
    pub(crate) const fn due(mut self, due: fn(&Rules, usize) -> bool) -> Self {
        self.facts.due = due;
        self
    }

    /// The same, of a method whose updates `update_end` does not bound.
    pub(crate) const fn without_last_update(mut self) -> Self {
        self.facts.has_last_update = false;
        self
    }

    /// The same, of a method that has no W: what it drops is larger than a weight, or nothing.
    pub(crate) const fn without_w(mut self) -> Self {
        self.facts.has_w = false;
        self
    }

    /// The same, of events that do not follow each other: what one leaves is not what the next one finds.
    pub(crate) const fn of_events(mut self) -> Self {
        self.facts.results_are_operands = false;
        self
    }
}
