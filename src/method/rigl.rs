//! RigL (Evci et al. 2020, Alg. 1): the smallest weights are dropped, and as many grown where the gradient is largest.

use super::keys::{
    CLOCK, COUNT, CUT, DISTRIBUTION, ERK_BUDGET, EXCLUSIVE, GROW_FROM, GROWN_MOMENTUM, GROWN_WEIGHTS,
    INACTIVE_MOMENTUM, LAST_UPDATE, MASKED, MINIMUM, REGROWN, REMOVE_FLOOR, SHARE, SPARSITIES, SPARSITY, TIES,
    UPDATE_END, UPDATE_EVERY, UPDATE_GRID, UPDATE_ORDER, UPDATE_START, hyper, reading,
};
use super::options::{Domain, OptionValue};
use super::rewiring::{Rewiring, Update};
use super::selection::{Shares, magnitudes, required};
use super::sparse_start::start_sparse;
use super::tally::{Tally, tallied};
use super::timing::{LAST_OF_RUN, Timing};
use super::{At, Entry, Fields, Gradients, Lab, Needs, Setup, Sparsifier, StepNeeds, Story, Told, record};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::select::schedule::{DropSchedule, cosine, power};
use crate::select::update::{DropRule, UpdateOrder};
use crate::weights::Weights;

const EVERY: usize = 100;

pub static ENTRY: Entry = Entry {
    heeds: MASKED,
    options: &[
        SPARSITY,
        SPARSITIES,
        hyper("alpha", SHARE, "The share of a layer's weights that the first update drops").or(OptionValue::Real(0.3)),
        UPDATE_START,
        UPDATE_EVERY,
        UPDATE_END,
        hyper("drop_power", Domain::Real, "b of --drop-schedule power").or(OptionValue::Real(3.0)),
        DISTRIBUTION.among(&["erk", "er", "uniform", "given"]),
        ERK_BUDGET,
        reading::<DropSchedule>("The course of the share that is dropped"),
        CLOCK,
        UPDATE_GRID,
        LAST_UPDATE.or(EXCLUSIVE),
        UPDATE_ORDER.among(&["instead-of-step", "after-step"]),
        INACTIVE_MOMENTUM,
        GROWN_MOMENTUM,
        GROWN_WEIGHTS,
        REGROWN,
        GROW_FROM,
        COUNT.or(REMOVE_FLOOR),
        CUT,
        TIES,
        MINIMUM,
    ],
    labels: &["when", "step", "schedule", "count", "score", "drop", "grow", "weights", "momentum"],
    quantities: tallied!(SPARSITY, INIT_DRAW, INIT_MASK, DROP, SCORE, KEPT, FRESH),
    records_steps: true,
    of_run: |setup| Timing::of_run(setup, EVERY, LAST_OF_RUN),
    check: |setup, shapes| Rigl::<f64>::new(setup, shapes).map(|_| ()),
    ..Entry::new(
        "rigl",
        "Sparse from the start: the smallest weights are dropped, and as many grown where the gradient is largest",
        "Evci et al. 2020, Alg. 1",
    )
};

/// The chapter's example.
#[cfg(doctest)]
#[doc = include_str!("../../docs/methods/rigl.md")]
mod chapter {}

struct Rigl<S> {
    alpha: f64,
    schedule: DropSchedule,
    drop_power: f64,
    /// T_end.
    end: usize,
    timing: Timing,
    shares: Shares,
    counts: Vec<usize>,
    rewiring: Rewiring,
    /// |g| of the update under way.
    growth: Vec<S>,
    tally: Tally<S>,
}

pub(super) fn start<S: Scalar>(setup: &Setup, w: &mut Weights<S>) -> Result<Box<dyn Sparsifier<S>>> {
    w.mask_mut();
    Ok(Box::new(Rigl::new(setup, &w.shapes())?))
}

impl<S: Scalar> Rigl<S> {
    fn new(setup: &Setup, shapes: &[&[usize]]) -> Result<Self> {
        let options = setup.options;
        let (rewiring, end) = (Rewiring::of(setup, DropRule::Magnitude)?, Timing::end(setup, EVERY, LAST_OF_RUN)?);
        let shares = Shares::of(setup, required(options, "sparsity")?, shapes)?;
        Ok(Self {
            alpha: options.real("alpha").unwrap_or_default(),
            schedule: options.choice()?,
            drop_power: options.real("drop_power").unwrap_or_default(),
            end,
            timing: Timing::of(setup, EVERY, Some(end))?,
            counts: shares.counts(&rewiring.rules, shapes),
            shares,
            rewiring,
            growth: Vec::new(),
            tally: Tally::new(shapes.iter().map(|shape| shape.iter().product::<usize>()).sum()),
        })
    }

    /// The share of a layer's weights that an update at c drops.
    fn fraction(&self, c: usize) -> f64 {
        match self.schedule {
            DropSchedule::Cosine => cosine((self.alpha, 0.0), c, self.end),
            DropSchedule::Constant => self.alpha,
            DropSchedule::Power => power(self.alpha, c, self.end, self.drop_power),
        }
    }
}

impl<S: Scalar> Sparsifier<S> for Rigl<S> {
    fn needs(&self) -> Needs {
        Needs { inactive_momentum: self.rewiring.inactive_momentum, ..Needs::default() }
    }

    fn step_needs(&self, t: usize) -> StepNeeds {
        let is_update = self.timing.at(t).is_some();
        let skips_step = is_update && self.timing.order == UpdateOrder::InsteadOfStep;
        StepNeeds { dead_gradients: is_update, after: is_update, is_update, skips_step, ..StepNeeds::default() }
    }

    fn begin(&mut self, _: &dyn Lab<S>, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        self.shares.tell(story);
        start_sparse(self.rewiring.seed, &self.counts, self.rewiring.rules.ties, w, story)
    }

    fn begin_epoch(&mut self, _: At, w: &mut Weights<S>) {
        self.tally.begin_epoch(w);
    }

    fn after_backward(&mut self, at: At, gradients: Gradients<S>, w: &Weights<S>) {
        if self.timing.at(at.steps).is_some() {
            self.growth = magnitudes(&gradients.over(w));
        }
    }

    fn after_step(&mut self, at: At, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        let t = at.steps - 1;
        let Some(c) = self.timing.at(t) else { return Ok(()) };
        let (before, growth) = (w.mask_mut().to_vec(), std::mem::take(&mut self.growth));
        let update = Update { t, fraction: self.fraction(c), active: &before, growth: &growth };
        let mask = self.rewiring.update(&update, w, story)?;
        self.tally.fraction = S::from_f64(update.fraction);
        self.tally.update(&before, &mask);
        story.tell(&record::FRACTION, Told::Number(self.tally.fraction));
        Ok(())
    }

    fn end_of_epoch(&mut self, _: At, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        self.tally.tell(w, story);
        Ok(())
    }

    fn save(&self) -> Fields<S> {
        self.tally.save()
    }

    fn restore(&mut self, fields: &Fields<S>) -> Result<()> {
        self.tally.restore(fields)
    }
}
