//! RigL (Evci et al. 2020, Alg. 1): the smallest weights are dropped, and as many grown where the gradient is largest.

use super::Entry;
use super::keys::{
    CLOCK, COUNT, CUT, DISTRIBUTION, ERK_BUDGET, EXCLUSIVE, GROW_FROM, GROWN_MOMENTUM, GROWN_WEIGHTS,
    INACTIVE_MOMENTUM, LAST_UPDATE, MINIMUM, REGROWN, REMOVE_FLOOR, SHARE, SPARSITIES, SPARSITY, TIES, UPDATE_END,
    UPDATE_EVERY, UPDATE_GRID, UPDATE_ORDER, UPDATE_START, hyper, reading,
};
use super::options::{Domain, OptionValue};
use crate::select::schedule::DropSchedule;

pub static ENTRY: Entry = Entry {
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
    ..Entry::new(
        "rigl",
        "Sparse from the start: the smallest weights are dropped, and as many grown where the gradient is largest",
        "Evci et al. 2020, Alg. 1",
    )
};
