//! `gdstar man --out DIR`.

use super::Cli;
use crate::error::{Error, Result};
use clap::CommandFactory;
use std::path::PathBuf;

/// Write the manual: a page for the command and for each subcommand, which `man` reads.
///
/// With --out ~/.local/share/man/man1 they are found by `man gdstar` and `man gdstar-train`.
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// The folder for the pages; it is made if it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub fn run(args: &ManArgs) -> Result<()> {
    std::fs::create_dir_all(&args.out).map_err(Error::io(&args.out, "create"))?;
    clap_mangen::generate_to(Cli::command(), &args.out).map_err(Error::io(&args.out, "write"))
}
