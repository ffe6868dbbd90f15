//! GraNet (Liu et al. 2021, Alg. 1): gradual pruning, and at every update some more are dropped and grown where the gradient
//! is largest.

use super::Entry;
use super::keys::{
    CLOCK, COUNT, CUT, DISTRIBUTION, ERK_BUDGET, EXCLUSIVE, GROW_FROM, GROWN_MOMENTUM, GROWN_WEIGHTS,
    INACTIVE_MOMENTUM, LAST_UPDATE, MINIMUM, REGROWN, REMOVE_CEIL, SHARE, STEP, TIES, UPDATE_END, UPDATE_EVERY,
    UPDATE_GRID, UPDATE_ORDER, UPDATE_START, hyper, reading,
};
use super::options::OptionValue;
use crate::select::update::Gradual;

pub static ENTRY: Entry = Entry {
    options: &[
        hyper("initial_sparsity", SHARE, "s_i: the sparsity at the start").or(OptionValue::Real(0.5)),
        hyper("final_sparsity", SHARE, "s_f: where the course of pruning ends"),
        hyper("regrow", SHARE, "The share that the first update drops and grows").or(OptionValue::Real(0.5)),
        hyper("regrow_min", SHARE, "The same at the end").or(OptionValue::Real(0.005)),
        hyper("total_steps", STEP, "When the share that is regrown is at its least"),
        UPDATE_START.or(OptionValue::Count(0)),
        UPDATE_EVERY.or(OptionValue::Count(1000)),
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
    ..Entry::new(
        "granet",
        "Gradual pruning, with some weights more dropped and grown at every update",
        "Liu et al. 2021, Alg. 1",
    )
};
