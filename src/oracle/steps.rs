//! Methods that act on steps, held to their rules: what a step's results may be, from the operands that a trace records.
//!
//! A method is a [page](page::Page): one function that takes a step's operands from a [`Desk`](desk::Desk) and lays its results on
//! it, label by label. What follows is computed once, as a number with the bound that a port's may be off by, or a decision
//! that is yes, no, or open. A check compares that with what is recorded and goes on with the port's own values; a replay
//! rounds it once and writes it. A known mistake is a change of the rules ([`Slip`](slips::Slip), or another reading) under
//! which the same page gives the port's values.

mod asked;
mod check;
mod choose;
mod counts;
mod course;
mod descend;
mod desk;
mod dictionary;
mod explain;
mod grow;
mod left;
mod misread;
mod near;
mod operands;
mod page;
mod pages;
mod pick;
mod replay;
mod results;
mod rules;
mod select;
mod settle;
mod slips;
mod state;
mod suspicion;
mod whole;

pub(crate) use check::check;
pub use dictionary::{KnownMistake, known_mistakes};
pub(crate) use replay::replay;
