//! Reports: what a run, or a comparison of runs, comes to.

mod plot;
mod run_table;
mod sparsity;
mod statistics;
mod stored_run;
mod table;

pub use plot::{Against, plot};
pub use run_table::run_table;
pub use sparsity::{LayerSparsity, layer_sparsity};
pub use statistics::{MeanAndDeviation, mean_and_deviation};
pub use stored_run::StoredRun;
pub use table::{Summary, summary, table_2, thousands};
