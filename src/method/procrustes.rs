//! Procrustes (Yang et al. 2020; Alg. 2 of the paper): the k weights with the largest sums of gradients are tracked; all others
//! decay to 0 from their first values.

use super::Entry;
use super::keys::{COUNT, CUT, DISTRIBUTION, MINIMUM, POSITIVE_SHARE, SPARSITY, TIES, hyper, reading};
use super::options::{Domain, OptionValue};
use crate::select::dumique::{DumiqueCarry, DumiqueOrder, Select};
use crate::select::schedule::Clock;
use crate::select::score::{Accumulate, Score};

pub static ENTRY: Entry = Entry {
    options: &[
        hyper("tracked", Domain::Count { from: 0 }, "k: how many weights are tracked"),
        SPARSITY,
        hyper("lambda", POSITIVE_SHARE, "What first values decay by in a step").or(OptionValue::Real(0.9)),
        hyper("dumique_start", Domain::Size, "Where the estimate of the quantile starts").or(OptionValue::Real(1e-2)),
        hyper("dumique_rate", Domain::Size, "rho: how fast the estimate moves").or(OptionValue::Real(1e-6)),
        reading::<Clock>("What schedules count").among(&["completed", "index"]),
        reading::<Score>("By what weights are tracked").among(&["accumulated", "distance"]),
        reading::<Accumulate>("Whose sums of gradients run on"),
        reading::<Select>("How the tracked weights are found"),
        reading::<DumiqueOrder>("In which order the estimate passes over W"),
        reading::<DumiqueCarry>("Where the estimate stands when a step begins"),
        DISTRIBUTION.among(&["global"]),
        COUNT,
        CUT,
        TIES,
        MINIMUM,
    ],
    labels: &["step", "schedule", "count", "score", "quantile", "track", "reset", "momentum", "accumulate"],
    ..Entry::new(
        "procrustes",
        "The k weights with the largest sums of gradients are trained, all others decay from W_0 to 0",
        "Yang et al. 2020; Alg. 2",
    )
};
