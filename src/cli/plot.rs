//! `gdstar plot RUN... --out FILE.svg`.

use super::choice;
use crate::error::{Error, Result};
use crate::report::{Against, StoredRun, plot};
use crate::tensor_file::write_atomically;
use std::io::Write;
use std::path::PathBuf;

/// Draw runs as curves over epochs (SVG): S_F, test accuracy, sparsity, training loss.
///
/// Panels over the same epochs: S_F (Eq. 4) with a dot at every running minimum, as in the paper's Fig. 3, test
/// accuracy in %, sparsity in %, and training loss on a logarithmic scale. One line per run folder (`gdstar train --out`), finished or under way, in
/// colours that colour-blind readers can tell apart.
///
/// With --against sparsity: what an epoch costs, a dot each, against the sparsity it was trained at: seconds of training
/// and pruning, effective FLOPs, and the bytes of weights and all that is kept beside them.
#[derive(Debug, clap::Args)]
pub struct PlotArgs {
    /// Run folders
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// The horizontal axis [default: epochs]
    #[arg(long, value_parser = choice::<Against>(), value_name = "WHAT")]
    against: Option<Against>,
    /// Where to write the figure
    #[arg(long, value_name = "FILE.svg")]
    out: PathBuf,
}

pub fn run(args: &PlotArgs) -> Result<()> {
    if args.out.extension().is_none_or(|extension| extension != "svg") {
        return Err(Error::domain("--out", "a file name that ends in .svg", args.out.display()));
    }
    let runs = args.runs.iter().map(|path| StoredRun::read(path)).collect::<Result<Vec<_>>>()?;
    let figure = plot(&runs, args.against.unwrap_or_default())?;
    write_atomically(&args.out, |file| file.write_all(figure.as_bytes()))
}
