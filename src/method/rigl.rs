//! RigL (Evci et al. 2020, Alg. 1): the smallest weights are dropped, and as many grown where the gradient is largest.

use super::choices::{Choices, GROWN, WEIGHTS};
use super::keys::{
    CLOCK, COUNT, CUT, DISTRIBUTION, ERK_BUDGET, EXCLUSIVE, GROW_FROM, GROWN_MOMENTUM, GROWN_WEIGHTS,
    INACTIVE_MOMENTUM, LAST_UPDATE, MASKED, MINIMUM, REGROWN, REMOVE_FLOOR, SHARE, SPARSITIES, SPARSITY, TIES,
    UPDATE_END, UPDATE_EVERY, UPDATE_GRID, UPDATE_ORDER, UPDATE_START, hyper, reading,
};
use super::options::{Domain, OptionValue};
use super::rewired::{Course, Rewired};
use super::rewiring::Rewiring;
use super::selection::{Shares, required};
use super::sparse_start::SparseStart;
use super::tally::tallied;
use super::timing::{LAST_OF_RUN, Timing};
use super::{Entry, Setup, Sparsifier};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::select::schedule::{DropSchedule, cosine, power};
use crate::select::update::DropRule;
use crate::weights::Weights;

const EVERY: usize = 100;

pub static ENTRY: Entry = Entry {
    choices: Choices {
        score: "|w|; growth by |g|",
        schedule: "every D steps, cosine share",
        distribution: GROWN,
        structure: WEIGHTS,
        update: "dropped and grown instead of a step, new weights 0",
    },
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
    check: |setup, shapes| method::<f64>(setup, shapes).map(|_| ()),
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

/// How the share that is dropped falls.
struct Rigl {
    alpha: f64,
    schedule: DropSchedule,
    drop_power: f64,
    /// T_end.
    end: usize,
}

fn method<S: Scalar>(setup: &Setup, shapes: &[&[usize]]) -> Result<Rewired<S, Rigl>> {
    let options = setup.options;
    let (rewiring, end) = (Rewiring::of(setup, DropRule::Magnitude)?, Timing::end(setup, EVERY, LAST_OF_RUN)?);
    let course = Rigl {
        alpha: options.real("alpha").unwrap_or_default(),
        schedule: options.choice()?,
        drop_power: options.real("drop_power").unwrap_or_default(),
        end,
    };
    let start = SparseStart::of(Shares::of(setup, required(options, "sparsity")?, shapes)?, &rewiring.rules, shapes);
    Ok(Rewired::new(course, Timing::of(setup, EVERY, Some(end))?, start, rewiring, shapes))
}

pub(super) fn start<S: Scalar>(setup: &Setup, w: &mut Weights<S>) -> Result<Box<dyn Sparsifier<S>>> {
    w.mask_mut();
    Ok(Box::new(method(setup, &w.shapes())?))
}

impl Course for Rigl {
    const BY_GRADIENT: bool = true;

    fn fraction(&self, c: usize) -> f64 {
        match self.schedule {
            DropSchedule::Cosine => cosine((self.alpha, 0.0), c, self.end),
            DropSchedule::Constant => self.alpha,
            DropSchedule::Power => power(self.alpha, c, self.end, self.drop_power),
        }
    }
}
