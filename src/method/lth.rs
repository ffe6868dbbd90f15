//! The lottery ticket (Frankle et al. 2020): iterative magnitude pruning with rewinding, of several runs.

use super::Entry;
use super::choices::{Choices, WEIGHTS};
use super::keys::{COUNT, CUT, DISTRIBUTION, GLOBAL_OR_UNIFORM, MINIMUM, REMOVE_CEIL, SHARE, STEP, TIES, hyper};
use super::options::OptionValue;

pub static ENTRY: Entry = Entry {
    choices: Choices {
        score: "|w| at a level's end",
        schedule: "every level, a share of the living",
        distribution: "global or uniform",
        structure: WEIGHTS,
        update: "pruned for good, all others rewound to W_k",
    },
    options: &[
        hyper("fraction", SHARE, "The share of the living weights that a level prunes").or(OptionValue::Real(0.2)),
        hyper("rewind_step", STEP, "k: the step of level 0 whose weights every level starts from"),
        DISTRIBUTION.among(GLOBAL_OR_UNIFORM),
        COUNT.or(REMOVE_CEIL),
        CUT,
        TIES,
        MINIMUM,
    ],
    labels: &["count", "score", "mask", "rewind", "momentum"],
    ..Entry::new("lth", "Level by level, the smallest weights are pruned and the others rewound", "Frankle et al. 2020")
};
