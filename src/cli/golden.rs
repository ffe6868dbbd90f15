//! `gdstar golden`: the golden files.

use crate::console;
use crate::error::Result;
use crate::oracle::golden::{Verified, verify};
use clap::Subcommand;
use std::path::PathBuf;
use std::process::ExitCode;

/// Verify the golden files against the reference.
#[derive(Debug, clap::Args)]
pub struct GoldenArgs {
    #[command(subcommand)]
    command: GoldenCommand,
}

#[derive(Debug, Subcommand)]
enum GoldenCommand {
    /// Verify every golden file: its SHA-256, and everything that follows from its stored inputs.
    ///
    /// Those of method/ and exact/ are derived again, bit for bit; ops that PyTorch evaluated are evaluated, and
    /// both held within the bounds of a rounding analysis. The table says for each file what was done.
    #[command(after_help = "Exit codes: 0 all as it should be; 1 a mismatch; 2 the list cannot be read.")]
    Verify {
        /// The folder with MANIFEST
        #[arg(long, value_name = "DIR", default_value = "golden")]
        dir: PathBuf,
    },
}

/// Runs the subcommand.
///
/// # Errors
/// Those of [`verify`].
pub fn run(args: &GoldenArgs) -> Result<ExitCode> {
    let GoldenCommand::Verify { dir } = &args.command;
    let files = verify(dir)?;
    console::print(table(&files))?;
    let wrong = files.iter().filter(|file| !file.mismatches.is_empty()).count();
    Ok(ExitCode::from(u8::from(wrong > 0)))
}

/// A line a file, and one for each of its first mismatches.
fn table(files: &[Verified]) -> String {
    /// How many mismatches of a file are shown.
    const SHOWN: usize = 3;
    let width = files.iter().map(|file| file.path.len()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for Verified { path, how, numbers, mismatches } in files {
        let state = if mismatches.is_empty() { "ok" } else { "WRONG" };
        lines.push(format!("{state:<5}  {path:<width$}  {numbers:>7}  {how}"));
        for mismatch in mismatches.iter().take(SHOWN) {
            let index = if mismatch.index.is_empty() { String::new() } else { format!("{:?}", mismatch.index) };
            lines.push(format!(
                "       {path}: {}{index}: got {}, expected {}",
                mismatch.tensor, mismatch.got, mismatch.expected
            ));
        }
        if mismatches.len() > SHOWN {
            lines.push(format!("       {path}: {} mismatches in all", mismatches.len()));
        }
    }
    let wrong = files.iter().filter(|file| !file.mismatches.is_empty()).count();
    let numbers: usize = files.iter().map(|file| file.numbers).sum();
    lines.push(format!("{} files, {numbers} numbers compared, {wrong} wrong", files.len()));
    lines.join("\n") + "\n"
}
