//! GraNet (Liu et al. 2021, Alg. 1): gradual pruning, and at every update some more are dropped and grown where the gradient
//! is largest.

use super::choices::{Choices, WEIGHTS};
use super::gradual::GradualPruning;
use super::keys::{
    CLOCK, COUNT, CUT, DISTRIBUTION, ERK_BUDGET, EXCLUSIVE, GROW_FROM, GROWN_MOMENTUM, GROWN_WEIGHTS,
    INACTIVE_MOMENTUM, LAST_UPDATE, MASKED, MINIMUM, REGROWN, REMOVE_CEIL, SHARE, STEP, TIES, UPDATE_END, UPDATE_EVERY,
    UPDATE_GRID, UPDATE_ORDER, UPDATE_START, hyper, reading,
};
use super::options::OptionValue;
use super::rewired::{Course, Rewired};
use super::rewiring::Rewiring;
use super::selection::{Rules, Shares, required};
use super::sparse_start::SparseStart;
use super::tally::{Tally, tallied};
use super::timing::{LAST_OF_RUN, Timing};
use super::{Entry, Setup, Sparsifier, Story, Told, Value, record};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::select::distribution::Distribution;
use crate::select::schedule::{LastUpdate, cosine};
use crate::select::update::{DropRule, Gradual};
use crate::weights::Weights;

const EVERY: usize = 1000;

pub static ENTRY: Entry = Entry {
    choices: Choices {
        score: "|w|; growth by |g|",
        schedule: "every D steps, cubic sparsity and cosine regrowth",
        distribution: "erk, er or uniform; pruning global",
        structure: WEIGHTS,
        update: "pruned, dropped and grown, new weights 0",
    },
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
    check: |setup, shapes| method::<f64>(setup, shapes).map(|_| ()),
    ..Entry::new(
        "granet",
        "Gradual pruning, with some weights more dropped and grown at every update",
        "Liu et al. 2021, Alg. 1",
    )
};

/// The chapter's examples.
#[cfg(doctest)]
#[doc = include_str!("../../docs/methods/granet.md")]
mod chapter {}

/// When the share that is regrown is at its least.
fn total_steps(setup: &Setup) -> usize {
    setup.options.step("total_steps", setup.length).unwrap_or_else(|| setup.length.steps())
}

/// How it prunes, and how the share that it drops besides falls.
struct Granet {
    pruning: GradualPruning,
    /// Whether t_1, up to which more is pruned, is within.
    last: LastUpdate,
    regrow: (f64, f64),
    total_steps: usize,
    rules: Rules,
}

fn method<S: Scalar>(setup: &Setup, shapes: &[&[usize]]) -> Result<Rewired<S, Granet>> {
    let options = setup.options;
    let (rewiring, timing) = (Rewiring::of(setup, DropRule::Magnitude)?, Timing::of(setup, EVERY, None)?);
    let distribution = match options.choice()? {
        Gradual::Global => Distribution::Global,
        Gradual::Uniform => Distribution::Uniform,
    };
    let end = Timing::end(setup, EVERY, LAST_OF_RUN)?;
    let pruning = GradualPruning::of(setup, timing.due.start, end, distribution)?;
    let shares = match pruning.sparsities.0 {
        0.0 => Shares::even(Distribution::Uniform, 0.0, shapes.len()),
        initial => Shares::of(setup, initial, shapes)?,
    };
    let course = Granet {
        pruning,
        last: timing.due.last,
        regrow: (required(options, "regrow")?, required(options, "regrow_min")?),
        total_steps: total_steps(setup),
        rules: rewiring.rules,
    };
    let start = SparseStart::of(shares, &rewiring.rules, shapes);
    Ok(Rewired::new(course, timing, start, rewiring, shapes))
}

pub(super) fn start<S: Scalar>(setup: &Setup, w: &mut Weights<S>) -> Result<Box<dyn Sparsifier<S>>> {
    w.mask_mut();
    Ok(Box::new(method(setup, &w.shapes())?))
}

impl Course for Granet {
    const BY_GRADIENT: bool = true;

    fn fraction(&self, c: usize) -> f64 {
        cosine(self.regrow, c, self.total_steps)
    }

    fn prune<S: Scalar>(
        &self,
        c: usize,
        active: &[bool],
        w: &Weights<S>,
        tally: &mut Tally<S>,
        story: &mut Story<S>,
    ) -> Result<Option<Vec<bool>>> {
        let pruned = match self.last.is_within(c, self.pruning.end) {
            true => self.pruning.keep(c, active, &self.rules, w, tally, story)?.0,
            false => active.to_vec(),
        };
        story.record(&record::PRUNED, || Told::Flags(pruned.clone()));
        Ok(Some(pruned))
    }
}
