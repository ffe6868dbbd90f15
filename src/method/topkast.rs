//! Top-KAST (Jayakumar et al. 2020): the largest weights are computed with, somewhat more of them trained.

use super::Entry;
use super::keys::{COUNT, CUT, DISTRIBUTION, MINIMUM, PERIOD, SHARE, TIES, UNIFORM_OR_GLOBAL, hyper, reading};
use super::options::{Domain, OptionValue};
use crate::select::update::PenaltyRule;

pub static ENTRY: Entry = Entry {
    options: &[
        hyper("forward_sparsity", SHARE, "The share of W that is outside A: not computed with"),
        hyper("backward_sparsity", SHARE, "The share of W that is outside B: not trained"),
        hyper("penalty", Domain::Size, "What weights in B are drawn to 0 by").or(OptionValue::Real(1e-4)),
        hyper("update_every", PERIOD, "D: steps from one choice of A and B to the next").or(OptionValue::Count(1)),
        DISTRIBUTION.among(UNIFORM_OR_GLOBAL),
        reading::<PenaltyRule>("The penalty's form"),
        COUNT,
        CUT,
        TIES,
        MINIMUM,
    ],
    labels: &["when", "count", "forward", "backward", "step", "momentum"],
    ..Entry::new(
        "topkast",
        "A dense network trained as a sparse one: A is computed with, B trained, all kept",
        "Jayakumar et al. 2020",
    )
};
