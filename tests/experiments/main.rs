//! The proofs of the paper's tables and figures as commands, one module a subject.
//! `cargo test --test experiments NAME::` runs one.

mod beginnings;
mod command;
mod common;
mod exercise;
mod explain;
mod measures;
mod pages;
mod presets;
mod published;
mod report;
mod reported;
mod scaled_down;
mod statistics;
mod stops;
mod store;
mod subset;
mod targets;
mod walkthrough;
