//! Linear mode connectivity (Alg. 3; Frankle et al. 2020): from which step on runs that differ in the order of their data end in
//! one basin.

use super::Entry;
use super::choices::Choices;
use super::keys::{hyper, reading};
use super::options::{Domain, OptionValue};
use crate::select::path::{BarrierOf, Grid, Interpolation};

pub static ENTRY: Entry = Entry {
    choices: Choices {
        score: "mean loss on the line",
        schedule: "every candidate k",
        distribution: "-",
        structure: "the network",
        update: "none: it finds k",
    },
    options: &[
        hyper("points", Domain::Count { from: 2 }, "T: points on the line").or(OptionValue::Count(30)),
        hyper("threshold", Domain::Size, "Below which barrier networks are connected").or(OptionValue::Real(0.02)),
        reading::<Grid>("Where the line is looked at"),
        reading::<Interpolation>("From which network to which it runs"),
        reading::<BarrierOf>("Of what the barrier is measured"),
    ],
    labels: &["grid", "interpolate", "score", "barrier", "argmin", "stable"],
    ..Entry::new(
        "lmc",
        "Between children of one parent: the mean loss and the barrier on the line",
        "Alg. 3; Frankle et al. 2020",
    )
};
