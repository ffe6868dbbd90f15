//! `gdstar table RUN...`.

use super::{choice, terminal_columns};
use crate::console;
use crate::error::Result;
use crate::report::{RunTable, TableFormat};
use crate::train::StoredRun;
use std::path::PathBuf;

/// Compare runs in a table, with mean, standard deviation and 95 % interval over seeds.
///
/// One row per run folder (`gdstar train --out`), sorted by model, data, method, settings and seed: its name, what tells
/// it from the others, the last epoch's test accuracy and sparsity, and the time of training. What all runs share stands
/// in a line above. Runs that differ in their seed alone (the same data to the last byte, the same settings) are one
/// experiment: where more than one seed of it is finished, their mean and sample standard deviation follow, and Student's
/// 95 % interval for the mean. Runs under way are marked by the epochs they have done, as 254/300.
#[derive(Debug, clap::Args)]
pub struct TableArgs {
    /// Run folders, or folders of run folders
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// A table to read, or records for other programs
    #[arg(long, value_parser = choice::<TableFormat>(), default_value_t, value_name = "FORM")]
    format: TableFormat,
}

pub fn run(args: &TableArgs) -> Result<()> {
    let runs = StoredRun::read_all(&args.runs)?;
    let table = RunTable::new(&runs)?;
    match args.format {
        TableFormat::Markdown => console::print(table.markdown(terminal_columns())),
        TableFormat::Csv => console::print(table.csv()?),
        TableFormat::Epochs => console::print(table.epochs()?),
        TableFormat::Json => console::print_line(table.json()),
    }
}
