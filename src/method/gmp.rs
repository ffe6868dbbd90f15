//! Gradual magnitude pruning (Zhu & Gupta 2017): the smallest weights go, more and more of them along a cubic course.

use super::choices::{Choices, WEIGHTS};
use super::gradual::GradualPruning;
use super::keys::{
    CLOCK, COUNT, CUT, DISTRIBUTION, INACTIVE_MOMENTUM, LAST_UPDATE, MASKED, MINIMUM, SHARE, TIES, UNIFORM_OR_GLOBAL,
    UPDATE_END, UPDATE_EVERY, UPDATE_GRID, UPDATE_ORDER, UPDATE_START, hyper,
};
use super::options::OptionValue;
use super::record::SCORE;
use super::selection::{Rules, impose};
use super::tally::{Tally, handed_to_tally, tallied};
use super::timing::{LAST_OF_RUN, Timing};
use super::{At, Entry, Fields, Needs, Setup, Sparsifier, StepNeeds, Story, Told};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::select::update::InactiveMomentum;
use crate::weights::Weights;

const EVERY: usize = 100;

pub static ENTRY: Entry = Entry {
    choices: Choices {
        score: "|w|",
        schedule: "every D steps, cubic sparsity",
        distribution: "uniform or global",
        structure: WEIGHTS,
        update: "pruned for good",
    },
    heeds: MASKED,
    options: &[
        hyper("initial_sparsity", SHARE, "s_i: where the course starts").or(OptionValue::Real(0.0)),
        hyper("final_sparsity", SHARE, "s_f: where the course ends"),
        UPDATE_START,
        UPDATE_EVERY,
        UPDATE_END,
        DISTRIBUTION.among(UNIFORM_OR_GLOBAL),
        CLOCK,
        UPDATE_GRID,
        LAST_UPDATE,
        UPDATE_ORDER.among(&["after-step"]),
        INACTIVE_MOMENTUM,
        COUNT,
        CUT,
        TIES,
        MINIMUM,
    ],
    labels: &["when", "step", "schedule", "count", "score", "mask", "weights", "momentum"],
    quantities: tallied!(KEEP, SCORE),
    records_steps: true,
    of_run: |setup| Timing::of_run(setup, EVERY, LAST_OF_RUN),
    check: |setup, _| Gmp::<f64>::new(setup, 0).map(|_| ()),
    ..Entry::new("gmp", "The smallest weights are pruned, ever more of them along a cubic course", "Zhu & Gupta 2017")
};

/// The chapter's example.
#[cfg(doctest)]
#[doc = include_str!("../../docs/methods/gmp.md")]
mod chapter {}

/// Pruning along the course.
struct Gmp<S> {
    pruning: GradualPruning,
    timing: Timing,
    rules: Rules,
    inactive_momentum: InactiveMomentum,
    tally: Tally<S>,
}

pub(super) fn start<S: Scalar>(setup: &Setup, w: &mut Weights<S>) -> Result<Box<dyn Sparsifier<S>>> {
    w.mask_mut();
    Ok(Box::new(Gmp::new(setup, w.len())?))
}

impl<S: Scalar> Gmp<S> {
    fn new(setup: &Setup, n: usize) -> Result<Self> {
        let options = setup.options;
        let end = Timing::end(setup, EVERY, LAST_OF_RUN)?;
        let timing = Timing::of(setup, EVERY, Some(end))?;
        Ok(Self {
            pruning: GradualPruning::of(setup, timing.due.start, end, options.choice()?)?,
            timing,
            rules: Rules::of(options)?,
            inactive_momentum: options.choice()?,
            tally: Tally::new(n),
        })
    }
}

impl<S: Scalar> Sparsifier<S> for Gmp<S> {
    fn needs(&self) -> Needs {
        Needs { inactive_momentum: self.inactive_momentum, ..Needs::default() }
    }

    fn step_needs(&self, t: usize) -> StepNeeds {
        let is_update = self.timing.at(t).is_some();
        StepNeeds { after: is_update, is_update, ..StepNeeds::default() }
    }

    fn after_step(&mut self, at: At, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        let Some(c) = self.timing.at(at.steps - 1) else { return Ok(()) };
        let active = w.mask_mut().to_vec();
        let (mask, scores) = self.pruning.keep(c, &active, &self.rules, w, &mut self.tally, story)?;
        impose(&mask, self.inactive_momentum, w);
        self.tally.update(&active, &mask);
        story.record(&SCORE, || Told::PerWeight(scores));
        Ok(())
    }

    handed_to_tally!(begin_epoch, end_of_epoch, save, restore);
}
