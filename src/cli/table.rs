//! `gdstar table RUN...`.

use crate::error::Result;
use crate::report::{StoredRun, run_table};
use std::path::PathBuf;

/// Compare runs in a markdown table, with mean and standard deviation over seeds.
///
/// One row per run folder (`gdstar train --out`), sorted by model, data, method and seed: the last epoch's test
/// accuracy and sparsity, the minutes of training, and every setting or reading that is not the paper's or the
/// default. Where an experiment has finished runs of more than one seed, their mean and sample standard deviation
/// follow. Runs under way are marked by the epochs they have done, as 254/300.
#[derive(Debug, clap::Args)]
pub struct TableArgs {
    /// Run folders
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
}

pub fn run(args: &TableArgs) -> Result<()> {
    let runs = args.runs.iter().map(|path| StoredRun::read(path)).collect::<Result<Vec<_>>>()?;
    print!("{}", run_table(&runs)?);
    Ok(())
}
