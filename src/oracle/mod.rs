//! The oracle: holds any port against the reference, and names the first equation that is wrong.
//!
//! A port writes what it did as a trace ([`crate::trace`]); [`check`] judges each equation on the port's own operands, with
//! tolerances that follow from the arithmetic it declares ([`arithmetic`]) and decisions that are yes, no, or either
//! ([`Decision`]); each claim's list names the known mistakes that give a wrong value; [`replay`] computes the whole method
//! from a port's gradients; [`golden`] verifies the numbers that ports are held against.

mod altered;
pub mod arithmetic;
mod check;
mod checked;
mod claims;
mod epoch;
pub mod exact;
mod field;
pub mod golden;
mod interval;
mod options;
mod outcome;
pub mod record;
pub mod replay;
mod report;
mod run_level;
mod seen;
mod sgd;
pub mod step;
mod steps;
mod verdict;

pub use check::{check, check_observed, check_opened, check_trace};
pub use checked::{Checked, check_file};
pub use claims::claimed;
pub use interval::{Decision, Interval};
pub use options::{CheckOptions, Reach};
pub use report::{EQUATION_NAMES, Event, Finding, LISTED, Level, NotChecked, Report, Sampled, Verdict, thousands};
pub use run_level::{Ensemble, Equivalence, RunComparison, RunStatistics, compare_runs};
pub use steps::{KnownMistake, known_mistakes};
