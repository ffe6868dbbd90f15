//! The proofs of the methods that GDSTAR is compared with and of experiments, one module a subject.
//! `cargo test --test methods NAME::` runs one.

mod amc;
mod by_hand;
mod common;
mod coverage;
mod declared;
mod goldens;
mod judged;
mod layer_traces;
mod layerdrop;
mod listed;
mod lmc;
mod lottery;
mod optimizers;
mod oracle;
mod peers;
mod properties;
mod recipes;
mod refusals;
mod runs;
mod sdgp;
mod shrink;
mod small;
mod starts;
mod traces;
