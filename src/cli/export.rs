//! `gdstar export RUN`.

use super::choice;
use crate::console;
use crate::error::{Result, in_one_line};
use crate::export::{Exported, Format, Narrowed, Shrunk, Target, export, onnx, shrink};
use crate::output;
use crate::report::{columns, thousands};
use crate::scalar::{Dtype, Scalar};
use crate::tensor_file::Element;
use crate::train::{SavedFile, SavedNetwork};
use std::path::{Path, PathBuf};

/// Write a pruned network for other programs: dense with zeros, masks, and CSR.
///
/// Leaves a folder of files: `dense`, PyTorch's state_dict with eliminated weights 0; `masks`, 1 where a weight
/// is alive; `csr`, each prunable weight [o, ...] as the sparse matrix [o, rest], in the arrays that SciPy's
/// csr_matrix and PyTorch's sparse_csr_tensor take; and encoding.json, the class names and what inputs are normalised by,
/// which safetensors files have in their metadata too. Ends with the sizes, as measured. docs/exchange.md shows how to
/// read them.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// A run folder (`gdstar train --out`) or a checkpoint
    #[arg(value_name = "RUN|CHECKPOINT")]
    from: PathBuf,
    /// The files' format
    #[arg(long, value_parser = choice::<Target>())]
    format: Target,
    /// The new folder [default: export-FORMAT in the run's folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Leave out the channels of which all that takes them is 0 (as --method amc leaves them): a smaller network, which says
    /// the same; network.json, and the metadata of safetensors files, say how wide its layers are
    #[arg(long)]
    shrink: bool,
}

/// Runs the subcommand.
///
/// # Errors
/// Those of [`SavedFile`] and of [`export`].
pub fn run(args: &ExportArgs) -> Result<()> {
    let file = SavedFile::open(&args.from)?;
    let folder = file.tensors.path().parent().unwrap_or(Path::new(""));
    let out = args.out.clone().unwrap_or_else(|| folder.join(format!("export-{}", args.format)));
    output::check_folder(&out)?;
    let exported = match file.checkpoint.as_ref().map(|checkpoint| checkpoint.config.precision) {
        Some(Dtype::F64) => exported::<f64>(&file, args, &out),
        _ => exported::<f32>(&file, args, &out),
    }?;
    console::print(exported)
}

/// Writes the export; what is to be said of it.
fn exported<S: Scalar + Element>(file: &SavedFile, args: &ExportArgs, out: &Path) -> Result<String> {
    let saved = file.read::<S>(file.network()?)?;
    if !args.shrink {
        return written(&saved, args.format, out);
    }
    let Shrunk { saved, narrowed, held } = shrink(saved)?;
    Ok(written(&saved, args.format, out)? + &widths(&narrowed, &held))
}

/// Writes the network in this form; what is to be said of it.
fn written<S: Scalar + Element>(saved: &SavedNetwork<S>, target: Target, out: &Path) -> Result<String> {
    let format = match target {
        Target::Safetensors => Format::Safetensors,
        Target::Npz => Format::Npz,
        Target::Onnx => {
            let file = onnx(saved, out)?;
            let (path, bytes) = (out.join(&file.name), thousands(file.bytes as usize));
            return Ok(format!(
                "{}: {bytes} bytes, sparsity {:.2} %\n",
                in_one_line(&path.display().to_string()),
                100.0 * saved.sparsity()
            ));
        }
    };
    Ok(text(&export(saved, format, out)?, out))
}

/// What became narrower, and what could not.
fn widths(narrowed: &[Narrowed], held: &[Narrowed]) -> String {
    let row = |row: &Narrowed| [row.parameter.clone(), row.before.to_string(), row.after.to_string()];
    let mut text = "\n".to_string();
    text += &columns(["parameter", "channels", "left"], &narrowed.iter().map(row).collect::<Vec<_>>());
    for held in held {
        text += &format!("{held} are 0 and stay: they are not another layer's output for this one alone\n");
    }
    text
}

/// The sizes as a table, and what they mean.
fn text(exported: &Exported, out: &Path) -> String {
    let Exported { dense, masks, csr, dense_gzip, sparsity, break_even } = exported;
    let out = in_one_line(&out.display().to_string());
    let mut text = format!("{out}\n\n{:<24} {:>14} {:>10}\n", "file", "bytes", "of dense");
    let row = |name: &str, bytes: u64| {
        let share = 100.0 * bytes as f64 / dense.bytes as f64;
        format!("{name:<24} {:>14} {share:>8.1} %\n", thousands(bytes as usize))
    };
    for file in [dense, masks, csr] {
        text += &row(&file.name, file.bytes);
    }
    text += &row("total", dense.bytes + masks.bytes + csr.bytes);
    text += &row("dense, through gzip -6", *dense_gzip);
    let verdict = if sparsity > break_even { "smaller" } else { "no smaller" };
    text + &format!(
        "\nsparsity {:.2} %; CSR is smaller than dense above {:.2} % (values and I32 indices against values), so here \
         it is {verdict}\n",
        100.0 * sparsity,
        100.0 * break_even
    )
}
