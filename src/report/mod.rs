//! Reports: what a run, or a comparison of runs, comes to.

mod axis;
mod classes;
mod columns;
mod distinction;
pub mod exhibit;
mod grid;
mod lines;
mod page;
mod plot;
mod predictions;
pub mod progress;
mod run_table;
mod sparsity;
mod summary;
mod table;
mod tensorboard;

pub use crate::oracle::thousands;
pub use classes::{ClassAccuracy, by_class};
pub use columns::columns;
pub use exhibit::files;
pub use lines::{WIDTH, fitted, indented, wrapped};
pub use page::{latex, mathml, page};
pub use plot::{Against, PlotOptions, Quantity, Seeds, plot};
pub use predictions::PredictionFormat;
pub use run_table::{RunTable, TableFormat};
pub use sparsity::{LayerSparsity, layer_sparsity};
pub(crate) use summary::ranges;
pub use summary::{Summary, summary};
pub use table::table_2;
pub use tensorboard::TensorBoard;
