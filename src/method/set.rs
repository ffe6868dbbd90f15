//! SET (Mocanu et al. 2018, Alg. 1): every epoch the weights nearest 0 are dropped, and as many grown at random.

use super::Entry;
use super::keys::{
    CLOCK, COUNT, DISTRIBUTION, ERK_BUDGET, EXCLUSIVE, GROW_FROM, GROWN_MOMENTUM, GROWN_WEIGHTS, INACTIVE_MOMENTUM,
    LAST_UPDATE, MINIMUM, PERIOD, REGROWN, REMOVE_FLOOR, SHARE, SPARSITIES, SPARSITY, TIES, UPDATE_END, UPDATE_GRID,
    UPDATE_ORDER, UPDATE_START, hyper, reading,
};
use super::options::{Domain, OptionValue};
use crate::select::update::DropRule;

pub static ENTRY: Entry = Entry {
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
    ..Entry::new(
        "set",
        "Sparse from the start: every epoch the weights nearest 0 are dropped, and as many grown at random",
        "Mocanu et al. 2018, Alg. 1",
    )
};
