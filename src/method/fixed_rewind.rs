//! "Fixed rewind" (Fig. 1b, c): GDSTAR with W_k* captured once, at an epoch or a step that is given; W_k* = W_0 before.

use super::Entry;
use super::gdstar;
use super::keys::{STEP, hyper};
use super::options::Domain;

pub static ENTRY: Entry = Entry {
    name: "fixed-rewind",
    summary: "GDSTAR with W_k* captured once, at a given epoch or step",
    source: "Fig. 1b, c",
    heeds: gdstar::HEEDS_BUT_REWIND_UPDATE,
    options: &[
        hyper("rewind_epoch", Domain::Count { from: 0 }, "k*: the epoch at whose end W_k* is captured"),
        hyper("rewind_step", STEP, "The step after which W_k* is captured, instead of an epoch"),
    ],
    is_traced: false,
    rewinds_at_first: false,
    ..gdstar::ENTRY_OF_THE_FAMILY
};
