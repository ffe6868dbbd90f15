//! Reports: what a run, or a comparison of runs, comes to.

mod table;

pub use table::{Summary, summary, table_2, thousands};
