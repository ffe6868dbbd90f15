//! SET (Mocanu et al. 2018, Alg. 1): every epoch the weights nearest 0 are dropped, and as many grown at random.

use super::keys::{
    CLOCK, COUNT, DISTRIBUTION, ERK_BUDGET, EXCLUSIVE, GROW_FROM, GROWN_MOMENTUM, GROWN_WEIGHTS, INACTIVE_MOMENTUM,
    LAST_UPDATE, MASKED, MINIMUM, PERIOD, REGROWN, REMOVE_FLOOR, SHARE, SPARSITIES, SPARSITY, TIES, UPDATE_END,
    UPDATE_GRID, UPDATE_ORDER, UPDATE_START, hyper, reading,
};
use super::options::{Domain, OptionValue};
use super::rewiring::{Rewiring, Update};
use super::selection::{Rules, Shares};
use super::sparse_start::{draws, start_sparse};
use super::tally::{Tally, tallied};
use super::timing::Timing;
use super::{At, Entry, Fields, Lab, Needs, Setup, Sparsifier, StepNeeds, Story, Told, record};
use crate::error::Result;
use crate::random::Purpose;
use crate::scalar::Scalar;
use crate::select::update::{DropRule, UpdateOrder};
use crate::weights::Weights;

pub static ENTRY: Entry = Entry {
    heeds: MASKED,
    options: &[
        hyper("zeta", SHARE, "The share of a layer's weights that an update drops").or(OptionValue::Real(0.3)),
        hyper("er_epsilon", Domain::Size, "Weights a layer for each of its inputs and outputs [default: 20]"),
        SPARSITY,
        SPARSITIES,
        UPDATE_START,
        hyper("update_every", PERIOD, "D: steps from update to update [default: an epoch's]"),
        UPDATE_END,
        DISTRIBUTION.among(&["er", "erk", "uniform", "given"]),
        ERK_BUDGET,
        reading::<DropRule>("How what is dropped is chosen"),
        CLOCK,
        UPDATE_GRID,
        LAST_UPDATE.or(EXCLUSIVE),
        UPDATE_ORDER.among(&["after-step", "instead-of-step"]),
        INACTIVE_MOMENTUM,
        GROWN_MOMENTUM,
        GROWN_WEIGHTS,
        REGROWN,
        GROW_FROM,
        COUNT.or(REMOVE_FLOOR),
        TIES,
        MINIMUM,
    ],
    labels: &["when", "step", "schedule", "count", "score", "drop", "grow", "weights", "momentum"],
    quantities: tallied!(SPARSITY, INIT_DRAW, INIT_MASK, DROP, SCORE, KEPT, DRAW, FRESH),
    records_steps: true,
    of_run: |setup| Timing::of_run(setup, setup.length.steps_per_epoch, 100),
    check: |setup, shapes| Set::<f64>::new(setup, shapes).map(|_| ()),
    ..Entry::new(
        "set",
        "Sparse from the start: every epoch the weights nearest 0 are dropped, and as many grown at random",
        "Mocanu et al. 2018, Alg. 1",
    )
};

/// The chapter's example.
#[cfg(doctest)]
#[doc = include_str!("../../docs/methods/set.md")]
mod chapter {}

/// er_epsilon where neither it nor a sparsity is given.
const ER_EPSILON: f64 = 20.0;

struct Set<S> {
    zeta: f64,
    timing: Timing,
    start: Start,
    rewiring: Rewiring,
    tally: Tally<S>,
}

/// How many weights each layer starts with.
struct Start {
    counts: Vec<usize>,
    /// Where they come from sparsities.
    shares: Option<Shares>,
}

impl Start {
    fn of(setup: &Setup, rules: &Rules, shapes: &[&[usize]]) -> Result<Self> {
        let options = setup.options;
        let epsilon = options.real("er_epsilon");
        let sparsity = options.real("sparsity");
        if epsilon.is_none() && (sparsity.is_some() || !options.reals("sparsities").is_empty()) {
            let shares = Shares::of(setup, sparsity.unwrap_or_default(), shapes)?;
            return Ok(Self { counts: shares.counts(rules, shapes), shares: Some(shares) });
        }
        let epsilon = epsilon.unwrap_or(ER_EPSILON);
        let count = |shape: &&[usize]| {
            let ends = shape.first().map_or(0, |out| out + shape.get(1).unwrap_or(&1));
            shape.iter().product::<usize>().min((epsilon * ends as f64).round_ties_even() as usize)
        };
        Ok(Self { counts: shapes.iter().map(count).collect(), shares: None })
    }
}

pub(super) fn start<S: Scalar>(setup: &Setup, w: &mut Weights<S>) -> Result<Box<dyn Sparsifier<S>>> {
    w.mask_mut();
    Ok(Box::new(Set::new(setup, &w.shapes())?))
}

impl<S: Scalar> Set<S> {
    fn new(setup: &Setup, shapes: &[&[usize]]) -> Result<Self> {
        let options = setup.options;
        let rewiring = Rewiring::of(setup, options.choice()?)?;
        let every = setup.length.steps_per_epoch;
        Ok(Self {
            zeta: options.real("zeta").unwrap_or_default(),
            timing: Timing::of(setup, every, Some(Timing::end(setup, every, 100)?))?,
            start: Start::of(setup, &rewiring.rules, shapes)?,
            rewiring,
            tally: Tally::new(shapes.iter().map(|shape| shape.iter().product::<usize>()).sum()),
        })
    }
}

impl<S: Scalar> Sparsifier<S> for Set<S> {
    fn needs(&self) -> Needs {
        Needs { inactive_momentum: self.rewiring.inactive_momentum, ..Needs::default() }
    }

    fn step_needs(&self, t: usize) -> StepNeeds {
        let is_update = self.timing.at(t).is_some();
        let skips_step = is_update && self.timing.order == UpdateOrder::InsteadOfStep;
        StepNeeds { after: is_update, is_update, skips_step, ..StepNeeds::default() }
    }

    fn begin(&mut self, _: &dyn Lab<S>, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        self.start.shares.iter().for_each(|shares| shares.tell(story));
        start_sparse(self.rewiring.seed, &self.start.counts, self.rewiring.rules.ties, w, story)
    }

    fn begin_epoch(&mut self, _: At, w: &mut Weights<S>) {
        self.tally.begin_epoch(w);
    }

    fn after_step(&mut self, at: At, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        let t = at.steps - 1;
        let before = w.mask_mut().to_vec();
        let growth: Vec<S> = draws(self.rewiring.seed, Purpose::Growth, t, w.len());
        let update = Update { t, fraction: self.zeta, active: &before, growth: &growth };
        let mask = self.rewiring.update(&update, w, story)?;
        self.tally.fraction = S::from_f64(self.zeta);
        self.tally.update(&before, &mask);
        story.tell(&record::FRACTION, Told::Number(self.tally.fraction));
        story.record(&record::DRAW, || Told::PerWeight(growth));
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
