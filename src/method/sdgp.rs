//! SDGP (McDanel et al. 2022): of every group of an output's gradient, the largest entries alone go on to the input.

use super::Entry;
use super::keys::{TIES, hyper, reading};
use super::options::{Domain, OptionValue};
use crate::select::groups::{Groups, Remainder};
use crate::select::structure::{Pick, Rescale};

pub static ENTRY: Entry = Entry {
    options: &[
        hyper("keep", Domain::Count { from: 0 }, "M: entries of a group that stay").or(OptionValue::Count(2)),
        hyper("group", Domain::Count { from: 1 }, "N: entries of a group").or(OptionValue::Count(4)),
        reading::<Groups>("Which entries form a group"),
        reading::<Remainder>("What stays of a short last group"),
        reading::<Pick>("Which entries of a group stay"),
        reading::<Rescale>("By what they are multiplied"),
        TIES,
    ],
    labels: &["select", "scale", "weight_gradient", "data_gradient"],
    ..Entry::new("sdgp", "The gradients of activations are pruned in groups, M of N kept", "McDanel et al. 2022")
};
