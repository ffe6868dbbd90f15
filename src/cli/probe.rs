//! `gdstar probe`: one forward and backward of a network, from files.

use super::{choice, tell_remark};
use crate::error::Result;
use crate::kernel::Kernel;
use crate::nn::{Mode, models};
use crate::output;
use crate::scalar::{Dtype, Scalar};
use crate::tensor_file::{self, Element, TensorFile};
use crate::train::RunFolder;
use crate::train::probe::{network, probe};
use std::collections::HashMap;
use std::path::PathBuf;

/// Ask for a network's loss, logits and gradients on one batch, from your own weights.
///
/// For ports: `save_file(model.state_dict(), W)` in PyTorch, or `gdstar weights`, gives the weights. The image may be of
/// any size that the network takes, and the classifier's weight says how many classes there are, so that networks for
/// 100 or 200 classes work as well. Dropout and stochastic depth are off.
#[derive(Debug, clap::Args)]
#[command(override_usage = "gdstar probe [OPTIONS] --model NAME --weights W --batch B --out OUT")]
pub struct ProbeArgs {
    /// The network: a name that `gdstar models` lists.
    #[arg(long, value_name = "MODEL")]
    model: String,

    /// Parameters and running statistics by their PyTorch names; checkpoints of `gdstar train` too.
    #[arg(long, value_name = "W.safetensors")]
    weights: PathBuf,

    /// `input` [n, c, h, w], floats; `labels` [n], integers from 0.
    #[arg(long, value_name = "B.safetensors")]
    batch: PathBuf,

    /// Where the results go: `logits`, `loss` (mean cross-entropy), `grad/<name>` and, in training, the updated running
    /// statistics `buffer/<name>`. Replaced if it exists.
    #[arg(long, value_name = "OUT.safetensors")]
    out: PathBuf,

    /// Normalise with the running statistics (PyTorch's `model.eval()`); without it, with those of the batch.
    #[arg(long)]
    eval: bool,

    /// The number system to compute in; weights and inputs are rounded to it, and results have it.
    #[arg(long, default_value_t = Dtype::F64, value_parser = choice::<Dtype>())]
    precision: Dtype,

    /// The fast kernels that training uses, plain loops that give the same bits on every machine, or a GPU's (docs/cuda.md).
    #[arg(long, default_value_t = Kernel::Fast, value_parser = choice::<Kernel>())]
    kernel: Kernel,
}

/// Runs the subcommand.
///
/// # Errors
/// Those of [`probe`], or an unknown model; nothing is written then.
pub fn run(args: &ProbeArgs) -> Result<()> {
    match args.precision {
        Dtype::F32 => run_in::<f32>(args),
        Dtype::F64 => run_in::<f64>(args),
    }
}

fn run_in<S: Scalar + Element>(args: &ProbeArgs) -> Result<()> {
    let model = models::find(&args.model)?;
    output::check("--out", &args.out, &[&args.weights, &args.batch])?;
    RunFolder::check_foreign("--out", &args.out)?;
    let (weights, batch) = (TensorFile::open(&args.weights)?, TensorFile::open(&args.batch)?);
    let mode = if args.eval { Mode::EvaluationWithGradients } else { Mode::Training };
    args.kernel.open()?;
    let results = probe::<S>(model, &weights, &batch, mode, args.kernel)?;
    tell_remark(&weights, &network(model, &weights, &batch)?);
    tensor_file::write(&args.out, HashMap::new(), &results)
}
