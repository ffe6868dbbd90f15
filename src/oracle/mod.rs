//! The oracle: holds any port against the reference, and names the first equation that is wrong.
//!
//! A port writes what it did as a trace ([`crate::trace`]); [`check`] judges each equation on the port's own operands, with
//! tolerances that follow from the arithmetic it declares ([`bounds`]) and decisions that are yes, no, or either
//! ([`Decision`]); a dictionary names the known mistakes that give a wrong value; [`replay`] computes the whole method
//! from a port's gradients; [`golden`] verifies the numbers that ports are held against.

pub mod bounds;
mod check;
mod dictionary;
pub mod golden;
mod interval;
pub mod replay;
mod report;
mod run_level;
pub mod step;

pub use check::{CheckOptions, check, check_observed, check_trace};
pub use interval::{Decision, Interval};
pub use report::{EQUATION_NAMES, Finding, LISTED, Level, NotChecked, Report, Verdict};
pub use run_level::{Ensemble, Equivalence, RunComparison, RunStatistics, compare_runs};
