//! A black-box proof of `gdstar check`: a simulated port of the whole method, written from the paper and the trace
//! format alone (nothing of `gdstar::paper` or `gdstar::oracle` is in it), writes traces. Correct variants of it must
//! never fail, and each planted fault must be caught, at the right equation, by its name.
//!
//! The measured table is published in `docs/oracle.md`, which [`planted`] verifies;
//! `GDSTAR_BLESS=1 cargo test --test suite oracle::` rewrites it.

mod checked;
mod claimed;
mod command;
mod declared;
mod excuses;
mod explained;
mod false_alarms;
mod faults;
mod hex_floats;
mod malformed;
mod other_methods;
mod planted;
mod poison;
mod port;
mod prunable;
mod run_level;
mod sampled;
mod sums;
mod variants;
