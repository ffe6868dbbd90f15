//! `gdstar weights`: a network's first weights, as a file.

use super::choice;
use crate::error::{Error, Result};
use crate::nn::{Network, Parameters, hashed, models, state_dict};
use crate::output;
use crate::paper::reading::InitialWeights;
use crate::scalar::{Dtype, Scalar};
use crate::tensor_file::{self, Element};
use crate::train::RunFolder;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Write a network's first weights under their PyTorch names.
///
/// For ports: `model.load_state_dict(load_file(W), strict=True)` in PyTorch starts from the weights that `gdstar train`
/// starts from with the same seed and --initial-weights.
#[derive(Debug, clap::Args)]
pub struct WeightsArgs {
    /// The network: a name that `gdstar models` lists.
    #[arg(long, value_name = "MODEL")]
    model: String,

    /// Where the weights go. Replaced if it exists.
    #[arg(long, value_name = "W.safetensors")]
    out: PathBuf,

    /// The seed that W_0 is drawn from.
    #[arg(long, default_value_t = 0, conflicts_with = "hashed")]
    seed: u64,

    /// The distribution that W_0 is drawn from (open point 21).
    #[arg(long, default_value_t = InitialWeights::Uniform, value_parser = choice::<InitialWeights>(), conflicts_with = "hashed")]
    initial_weights: InitialWeights,

    /// Instead of W_0, weights (running statistics too) from integer hashes of names and positions, which any language
    /// reproduces: golden/make/README.md.
    #[arg(long)]
    hashed: bool,

    /// Channels, height and width of an image; without it, those of the paper's data.
    #[arg(long, value_name = "C,H,W", value_delimiter = ',')]
    input: Option<Vec<usize>>,

    /// The number of classes; without it, that of the paper's data.
    #[arg(long)]
    classes: Option<usize>,

    /// The number system of the file.
    #[arg(long, default_value_t = Dtype::F32, value_parser = choice::<Dtype>())]
    precision: Dtype,
}

/// Runs the subcommand.
///
/// # Errors
/// [`Error::Domain`] for an unknown model, or images or classes out of range; [`Error::Shape`] for images that it cannot
/// take; [`Error::Io`].
pub fn run(args: &WeightsArgs) -> Result<()> {
    let model = models::find(&args.model)?;
    output::check("--out", &args.out, &[] as &[&Path])?;
    RunFolder::check_foreign("--out", &args.out)?;
    let input = match args.input.as_deref() {
        None => model.input,
        Some(&[c, h, w]) => [c, h, w],
        Some(other) => return Err(Error::domain("--input", "three numbers: C,H,W", format!("{other:?}"))),
    };
    let network = model.network(input, args.classes.unwrap_or(model.classes))?;
    match args.precision {
        Dtype::F32 => write(args, &parameters::<f32>(args, &network)),
        Dtype::F64 => write(args, &parameters::<f64>(args, &network)),
    }
}

fn parameters<S: Scalar>(args: &WeightsArgs, network: &Network) -> Parameters<S> {
    if args.hashed {
        return hashed::parameters(network);
    }
    network.first_parameters_from(args.seed, args.initial_weights)
}

fn write<S: Scalar + Element>(args: &WeightsArgs, parameters: &Parameters<S>) -> Result<()> {
    tensor_file::write(&args.out, HashMap::new(), &state_dict::tensors(parameters, 0))
}
