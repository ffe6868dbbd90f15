//! AMC (He et al. 2018): an agent chooses what share of each layer's input channels stays.

use super::Entry;
use super::keys::{SHARE, TIES, hyper, reading};
use super::options::{Domain, OptionValue};
use crate::select::structure::RewardRule;

pub static ENTRY: Entry = Entry {
    options: &[
        hyper("flops", Domain::Counts, "F_l: each layer's multiply-accumulates"),
        hyper("buffer_flops", Domain::Counts, "B_l: those of the depthwise layers before it [default: 0]"),
        hyper("preserve", SHARE, "The share of all multiply-accumulates that may stay").or(OptionValue::Real(0.5)),
        hyper("lower", SHARE, "The least share of a layer's channels").or(OptionValue::Real(0.2)),
        hyper("channel_round", Domain::Count { from: 1 }, "What channels come in multiples of")
            .or(OptionValue::Count(8)),
        reading::<RewardRule>("What the agent is rewarded for"),
        TIES,
    ],
    labels: &["clip", "count", "score", "channels", "weights", "flops", "reward"],
    ..Entry::new("amc", "An agent chooses each layer's share of channels", "He et al. 2018")
};
