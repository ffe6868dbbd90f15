//! `gdstar op`: single ops from a file, forward and backward.

use super::choice;
use crate::error::Result;
use crate::kernel::Kernel;
use crate::ops::cases::{Precision, Written, evaluate_file};
use crate::train::RunFolder;
use std::path::PathBuf;

/// Evaluate single ops from a file, forward and backward.
///
/// For ports: put the inputs (and upstream gradients) of one operation into a safetensors file, and compare your own
/// kernel's results with those written to --out. The files of golden/ops are examples. The file's metadata key
/// `gdstar-ops` names the op and its cases; `gdstar::ops::cases` documents it.
#[derive(Debug, clap::Args)]
pub struct OpArgs {
    /// The op-case file: `<case>/in/<input>` and `<case>/dy/<output>` tensors, and the `gdstar-ops` metadata.
    #[arg(value_name = "IN.safetensors")]
    input: PathBuf,

    /// Where the results go: `<case>/out/<output>` and `<case>/grad/<input>` tensors. Replaced if it exists.
    #[arg(long, value_name = "OUT.safetensors")]
    out: PathBuf,

    /// Write a record that `gdstar check` judges (docs/records.md): beside the results what was given, rounded to the
    /// precision.
    #[arg(long)]
    record: bool,

    /// The number system to compute in; `dd` is DoubleDouble, about 31 digits, rounded once to f64.
    #[arg(long, default_value_t = Precision::F64, value_parser = choice::<Precision>())]
    precision: Precision,

    /// Plain loops that give the same bits on every machine, the fast kernels that training uses, or a GPU's (docs/cuda.md).
    #[arg(long, default_value_t = Kernel::Literal, value_parser = choice::<Kernel>())]
    kernel: Kernel,
}

/// Runs the subcommand.
///
/// # Errors
/// Those of [`evaluate_file`].
pub fn run(args: &OpArgs) -> Result<()> {
    RunFolder::check_foreign("--out", &args.out)?;
    let written = if args.record { Written::Record } else { Written::Results };
    evaluate_file(&args.input, &args.out, args.precision, args.kernel, written)
}
