//! SET (Mocanu et al. 2018, Alg. 1): every epoch the weights nearest 0 are dropped, and as many grown at random.

use super::choices::{Choices, GROWN, WEIGHTS};
use super::keys::{
    CLOCK, COUNT, DISTRIBUTION, ERK_BUDGET, EXCLUSIVE, GROW_FROM, GROWN_MOMENTUM, GROWN_WEIGHTS, INACTIVE_MOMENTUM,
    LAST_UPDATE, MASKED, MINIMUM, PERIOD, REGROWN, REMOVE_FLOOR, SHARE, SPARSITIES, SPARSITY, TIES, UPDATE_END,
    UPDATE_GRID, UPDATE_ORDER, UPDATE_START, hyper, reading,
};
use super::options::{Domain, OptionValue};
use super::rewired::{Course, Rewired};
use super::rewiring::Rewiring;
use super::selection::{Rules, Shares};
use super::sparse_start::SparseStart;
use super::tally::tallied;
use super::timing::Timing;
use super::{Entry, Setup, Sparsifier};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::select::update::DropRule;
use crate::weights::Weights;

pub static ENTRY: Entry = Entry {
    choices: Choices {
        score: "|w|, by sign; growth at random",
        schedule: "every epoch, the share zeta",
        distribution: GROWN,
        structure: WEIGHTS,
        update: "dropped and grown, new weights 0",
    },
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
    check: |setup, shapes| method::<f64>(setup, shapes).map(|_| ()),
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

/// How many weights each layer starts with.
fn sparse_start(setup: &Setup, rules: &Rules, shapes: &[&[usize]]) -> Result<SparseStart> {
    let options = setup.options;
    let epsilon = options.real("er_epsilon");
    let sparsity = options.real("sparsity");
    if epsilon.is_none() && (sparsity.is_some() || !options.reals("sparsities").is_empty()) {
        return Ok(SparseStart::of(Shares::of(setup, sparsity.unwrap_or_default(), shapes)?, rules, shapes));
    }
    let epsilon = epsilon.unwrap_or(ER_EPSILON);
    let count = |shape: &&[usize]| {
        let ends = shape.first().map_or(0, |out| out + shape.get(1).unwrap_or(&1));
        shape.iter().product::<usize>().min((epsilon * ends as f64).round_ties_even() as usize)
    };
    Ok(SparseStart { counts: shapes.iter().map(count).collect(), shares: None })
}

/// zeta: the share that is dropped never changes.
struct Set(f64);

fn method<S: Scalar>(setup: &Setup, shapes: &[&[usize]]) -> Result<Rewired<S, Set>> {
    let (rewiring, every) = (Rewiring::of(setup, setup.options.choice()?)?, setup.length.steps_per_epoch);
    let timing = Timing::of(setup, every, Some(Timing::end(setup, every, 100)?))?;
    let start = sparse_start(setup, &rewiring.rules, shapes)?;
    Ok(Rewired::new(Set(setup.options.real("zeta").unwrap_or_default()), timing, start, rewiring, shapes))
}

pub(super) fn start<S: Scalar>(setup: &Setup, w: &mut Weights<S>) -> Result<Box<dyn Sparsifier<S>>> {
    w.mask_mut();
    Ok(Box::new(method(setup, &w.shapes())?))
}

impl Course for Set {
    const BY_GRADIENT: bool = false;

    fn fraction(&self, _: usize) -> f64 {
        self.0
    }
}
