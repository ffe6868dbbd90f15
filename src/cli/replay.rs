//! `gdstar replay`: the whole method, from a port's gradients.

use super::progress_bar;
use crate::console;
use crate::error::{Result, in_one_line};
use crate::oracle::replay::replay;
use crate::report::thousands;
use crate::train::RunFolder;
use std::path::PathBuf;

/// What is left out is told one by one up to so many: of a trace of many steps it may be a line for each quantity of each.
const MOST_NOTES: usize = 20;

/// Compute the whole method from the gradients of a trace.
///
/// Reads every batch's `grad` tensors and, for what needs weights, `weights_before` (and `mask_before`), and writes a
/// full trace in f64: Eq. 1 to 9, Alg. 4 and Alg. 6 under the header's reading, each real quantity within 1 ulp of the
/// exact value for the numbers it follows from. With `init` instead of `weights_before`, the weights are stepped by SGD
/// from the header's lr, momentum and weight_decay. What cannot be computed is said on standard error.
#[derive(Debug, clap::Args)]
pub struct ReplayArgs {
    /// The trace with the gradients, format gdstar-trace/1
    #[arg(value_name = "IN.safetensors")]
    input: PathBuf,

    /// Where the full trace goes; replaced if it exists
    #[arg(long, value_name = "OUT.safetensors")]
    out: PathBuf,
}

/// Runs the subcommand.
///
/// # Errors
/// Those of [`replay`].
pub fn run(args: &ReplayArgs) -> Result<()> {
    RunFolder::check_foreign("--out", &args.out)?;
    let bar = progress_bar("gradient");
    let replayed = replay(&args.input, &args.out, &mut |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    let notes = replayed?.notes;
    let tell = |note: &str| console::tell(in_one_line(&format!("gdstar: {}: {note}", args.input.display())));
    notes.iter().take(MOST_NOTES).for_each(|note| tell(note));
    let others = notes.len().saturating_sub(MOST_NOTES);
    if others > 0 {
        tell(&format!("and {} more", thousands(others)));
    }
    Ok(())
}
