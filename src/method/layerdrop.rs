//! LayerDrop (Fan et al. 2020): whole layers are left out at random in training, and at regular depths afterwards.

use super::Entry;
use super::keys::{POSITIVE_SHARE, SHARE, hyper, reading};
use super::options::{Domain, OptionValue};
use crate::select::structure::DepthOrigin;

pub static ENTRY: Entry = Entry {
    options: &[
        hyper("layers", Domain::Count { from: 1 }, "L: how many layers there are"),
        hyper("p", SHARE, "How likely a layer is left out of a step").or(OptionValue::Real(0.2)),
        hyper("droppable", Domain::Flags, "Which layers may be left out [default: all]"),
        hyper("prune_rate", POSITIVE_SHARE, "The share of the layers that goes after training"),
        reading::<DepthOrigin>("From where depth is counted"),
    ],
    labels: &["active"],
    ..Entry::new("layerdrop", "Layers are left out at random in training", "Fan et al. 2020")
};
