//! GraNet (Liu et al. 2021, Alg. 1): gradual pruning, and at every update some more are dropped and grown where the gradient
//! is largest.

use super::keys::{
    CLOCK, COUNT, CUT, DISTRIBUTION, ERK_BUDGET, EXCLUSIVE, GROW_FROM, GROWN_MOMENTUM, GROWN_WEIGHTS,
    INACTIVE_MOMENTUM, LAST_UPDATE, MASKED, MINIMUM, REGROWN, REMOVE_CEIL, SHARE, STEP, TIES, UPDATE_END, UPDATE_EVERY,
    UPDATE_GRID, UPDATE_ORDER, UPDATE_START, hyper, reading,
};
use super::options::OptionValue;
use super::rewiring::{Rewiring, Update};
use super::selection::{Shares, magnitudes, ranges, required};
use super::sparse_start::start_sparse;
use super::tally::{Tally, tallied};
use super::timing::{LAST_OF_RUN, Timing};
use super::{At, Entry, Fields, Gradients, Lab, Needs, Setup, Sparsifier, StepNeeds, Story, Told, Value, record};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::select::distribution::Distribution;
use crate::select::schedule::{cosine, cubic};
use crate::select::update::{DropRule, Gradual};
use crate::weights::Weights;

const EVERY: usize = 1000;

pub static ENTRY: Entry = Entry {
    heeds: MASKED,
    options: &[
        hyper("initial_sparsity", SHARE, "s_i: the sparsity at the start").or(OptionValue::Real(0.5)),
        hyper("final_sparsity", SHARE, "s_f: where the course of pruning ends"),
        hyper("regrow", SHARE, "The share that the first update drops and grows").or(OptionValue::Real(0.5)),
        hyper("regrow_min", SHARE, "The same at the end").or(OptionValue::Real(0.005)),
        hyper("total_steps", STEP, "When the share that is regrown is at its least"),
        UPDATE_START.or(OptionValue::Count(0)),
        UPDATE_EVERY.or(OptionValue::Count(EVERY)),
        UPDATE_END,
        DISTRIBUTION.among(&["erk", "er", "uniform"]),
        ERK_BUDGET,
        reading::<Gradual>("Over what gradual pruning compares weights"),
        CLOCK,
        UPDATE_GRID.or(OptionValue::Name("multiples")),
        LAST_UPDATE.or(EXCLUSIVE),
        UPDATE_ORDER.among(&["after-step"]),
        INACTIVE_MOMENTUM,
        GROWN_MOMENTUM,
        GROWN_WEIGHTS,
        REGROWN,
        GROW_FROM,
        COUNT.or(REMOVE_CEIL),
        CUT,
        TIES,
        MINIMUM,
    ],
    labels: &["when", "step", "schedule", "prune", "count", "score", "drop", "grow", "weights", "momentum"],
    quantities: tallied!(SPARSITY, INIT_DRAW, INIT_MASK, KEEP, PRUNED, DROP, SCORE, KEPT, FRESH),
    records_steps: true,
    of_run: |setup| {
        let mut values = Timing::of_run(setup, EVERY, LAST_OF_RUN)?;
        values.push(("total_steps", Value::Count(total_steps(setup))));
        Ok(values)
    },
    check: |setup, shapes| Granet::<f64>::new(setup, shapes).map(|_| ()),
    ..Entry::new(
        "granet",
        "Gradual pruning, with some weights more dropped and grown at every update",
        "Liu et al. 2021, Alg. 1",
    )
};

/// When the share that is regrown is at its least.
fn total_steps(setup: &Setup) -> usize {
    setup.options.step("total_steps", setup.length).unwrap_or_else(|| setup.length.steps())
}

struct Granet<S> {
    sparsities: (f64, f64),
    regrow: (f64, f64),
    total_steps: usize,
    /// t_1, up to which more is pruned.
    end: usize,
    gradual: Gradual,
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
    Ok(Box::new(Granet::new(setup, &w.shapes())?))
}

impl<S: Scalar> Granet<S> {
    fn new(setup: &Setup, shapes: &[&[usize]]) -> Result<Self> {
        let options = setup.options;
        let rewiring = Rewiring::of(setup, DropRule::Magnitude)?;
        let initial = required(options, "initial_sparsity")?;
        let shares = match initial {
            0.0 => Shares::even(Distribution::Uniform, 0.0, shapes.len()),
            _ => Shares::of(setup, initial, shapes)?,
        };
        Ok(Self {
            sparsities: (initial, required(options, "final_sparsity")?),
            regrow: (required(options, "regrow")?, required(options, "regrow_min")?),
            total_steps: total_steps(setup),
            end: Timing::end(setup, EVERY, LAST_OF_RUN)?,
            gradual: options.choice()?,
            timing: Timing::of(setup, EVERY, None)?,
            counts: shares.counts(&rewiring.rules, shapes),
            shares,
            rewiring,
            growth: Vec::new(),
            tally: Tally::new(shapes.iter().map(|shape| shape.iter().product::<usize>()).sum()),
        })
    }

    /// What gradual pruning leaves of the active weights at c.
    fn prune(&mut self, c: usize, active: &[bool], w: &Weights<S>, story: &mut Story<S>) -> Result<Vec<bool>> {
        if !self.timing.due.last.is_within(c, self.end) {
            return Ok(active.to_vec());
        }
        let rate = cubic(self.sparsities, c, (self.timing.due.start, self.end));
        let distribution = match self.gradual {
            Gradual::Global => Distribution::Global,
            Gradual::Uniform => Distribution::Uniform,
        };
        let (ranges, scores) = (ranges(w), magnitudes(&w.values()));
        let kept = Shares::even(distribution, rate, ranges.len()).keep(
            &self.rewiring.rules,
            &ranges,
            &scores,
            Some(active),
        )?;
        self.tally.rate = S::from_f64(rate);
        story.tell(&record::RATE, Told::Number(self.tally.rate));
        story.record(&record::KEEP, || Told::Counts(kept.keep));
        Ok(kept.flags)
    }
}

impl<S: Scalar> Sparsifier<S> for Granet<S> {
    fn needs(&self) -> Needs {
        Needs { inactive_momentum: self.rewiring.inactive_momentum, ..Needs::default() }
    }

    fn step_needs(&self, t: usize) -> StepNeeds {
        let is_update = self.timing.at(t).is_some();
        StepNeeds { dead_gradients: is_update, after: is_update, is_update, ..StepNeeds::default() }
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
        let pruned = self.prune(c, &before, w, story)?;
        let fraction = cosine(self.regrow, c, self.total_steps);
        let mask = self.rewiring.update(&Update { t, fraction, active: &pruned, growth: &growth }, w, story)?;
        self.tally.fraction = S::from_f64(fraction);
        self.tally.update(&before, &mask);
        story.tell(&record::FRACTION, Told::Number(self.tally.fraction));
        story.record(&record::PRUNED, || Told::Flags(pruned));
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
