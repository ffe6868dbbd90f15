//! [`Timing`]: at which steps of a run a method acts, and what its schedules then count.

use super::{OfRun, Setup, Value};
use crate::error::{Error, Result};
use crate::select::schedule::{Clock, Due};
use crate::select::update::UpdateOrder;

/// At which steps updates are due.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timing {
    pub due: Due,
    clock: Clock,
    pub order: UpdateOrder,
}

/// When the last update of a run is, where it is not given: in percent of the run.
pub(super) const LAST_OF_RUN: usize = 75;

impl Timing {
    /// As the options say; `every` and `end` where they are not given.
    pub fn of(setup: &Setup, every: usize, end: Option<usize>) -> Result<Self> {
        let step = |key| setup.options.step(key, setup.length);
        let every = step("update_every").unwrap_or(every);
        if every == 0 {
            return Err(Error::domain("--update-every", "at least 1 step", 0));
        }
        let due = Due {
            start: step("update_start").unwrap_or(every),
            every,
            end,
            grid: setup.options.choice()?,
            last: setup.options.choice()?,
        };
        Ok(Self { due, clock: setup.options.choice()?, order: setup.options.choice()? })
    }

    /// t_1 of the options, by default a share of the run; not before t_0.
    pub fn end(setup: &Setup, every: usize, percent: usize) -> Result<usize> {
        let step = |key| setup.options.step(key, setup.length);
        let default = setup.length.steps().saturating_mul(percent) / 100;
        let start = step("update_start").unwrap_or_else(|| step("update_every").unwrap_or(every));
        match step("update_end") {
            Some(end) if end < start => {
                Err(Error::domain("--update-end", format!("at least {start}, --update-start"), end))
            }
            Some(end) => Ok(end),
            // A run that is shorter than that has no update.
            None => Ok(default.max(start)),
        }
    }

    /// What a trace's header says of it: t_0 and t_1.
    pub fn of_run(setup: &Setup, every: usize, percent: usize) -> Result<OfRun> {
        let end = Self::end(setup, every, percent)?;
        let due = Self::of(setup, every, Some(end))?.due;
        Ok([("update_start", due.start), ("update_every", due.every), ("update_end", end)]
            .map(|(key, steps)| (key, Value::Count(steps)))
            .to_vec())
    }

    /// What schedules count if an update is due at step `t`.
    pub fn at(&self, t: usize) -> Option<usize> {
        let completed = match self.order {
            UpdateOrder::AfterStep => t + 1,
            UpdateOrder::InsteadOfStep => t,
        };
        let (due, value) = match self.clock {
            Clock::Completed => (completed, completed),
            Clock::Index => (t, t),
            Clock::IndexPlusOne => (t, t + 1),
        };
        self.due.is_at(due).then_some(value)
    }
}
