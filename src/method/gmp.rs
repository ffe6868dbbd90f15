//! Gradual magnitude pruning (Zhu & Gupta 2017): the smallest weights go, more and more of them along a cubic course.

use super::Entry;
use super::keys::{
    CLOCK, COUNT, CUT, DISTRIBUTION, INACTIVE_MOMENTUM, LAST_UPDATE, MINIMUM, SHARE, TIES, UNIFORM_OR_GLOBAL,
    UPDATE_END, UPDATE_EVERY, UPDATE_GRID, UPDATE_ORDER, UPDATE_START, hyper,
};
use super::options::OptionValue;

pub static ENTRY: Entry = Entry {
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
    ..Entry::new("gmp", "The smallest weights are pruned, ever more of them along a cubic course", "Zhu & Gupta 2017")
};
