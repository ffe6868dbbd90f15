//! `gdstar models [NAME]`.

use crate::console;
use crate::error::{Error, Result};
use crate::nn::models::{self, Entry, MODELS};
use crate::nn::{LayerSummary, Network};
use crate::report::thousands;
use indicatif::HumanBytes;

/// List the networks, or one network's layers.
///
/// MACs are the multiply-accumulates of the linear and convolution layers for one sample. Memory is what one training step
/// needs in f32: parameters, their gradients, and the activations kept for the backward pass. The optimizer's momentum and
/// GDSTAR's G and W_k* add up to three times the parameters to a run.
#[derive(Debug, clap::Args)]
pub struct ModelsArgs {
    /// A network's name; all networks are listed without it
    name: Option<String>,
    /// Samples in the training step whose memory is given
    #[arg(long, value_name = "N", default_value_t = 128)]
    batch_size: usize,
    /// Classes to tell apart [default: 10]
    #[arg(long, value_name = "N")]
    classes: Option<usize>,
    /// Height and width of the images [default: 28 for lenet300, 32 for the others]
    #[arg(long, value_name = "N")]
    image_size: Option<usize>,
}

/// The largest batch whose memory is told: beyond any machine's.
const LARGEST_BATCH: usize = 1 << 16;

pub fn run(args: &ModelsArgs) -> Result<()> {
    if !(2..=LARGEST_BATCH).contains(&args.batch_size) {
        let expected = format!("2, which batch norm needs, to {LARGEST_BATCH}");
        return Err(Error::domain("--batch-size", expected, args.batch_size));
    }
    console::print(match &args.name {
        Some(name) => args.layers(models::find(name)?)?,
        None => args.list()?,
    })
}

impl ModelsArgs {
    fn network(&self, entry: &Entry) -> Result<Network> {
        let [c, h, w] = entry.input;
        let [h, w] = self.image_size.map_or([h, w], |size| [size; 2]);
        entry.network([c, h, w], self.classes(entry))
    }

    fn classes(&self, entry: &Entry) -> usize {
        self.classes.unwrap_or(entry.classes)
    }

    fn list(&self) -> Result<String> {
        let rows: Vec<String> = MODELS.iter().map(|entry| self.row(entry)).collect::<Result<_>>()?;
        let memory = format!("batch {}", self.batch_size);
        let head = format!(
            "{:<14} {:>11} {:>11} {:>14} {:>11}  source",
            "model", "parameters", "prunable", "MACs a sample", memory
        );
        Ok(format!("{head}\n{}\n", rows.join("\n")))
    }

    fn row(&self, entry: &Entry) -> Result<String> {
        let network = match self.network(entry) {
            Ok(network) => network,
            // The image is to blame, and others may take it.
            Err(error) if entry.network(entry.input, self.classes(entry)).is_ok() => {
                return Ok(format!("{:<14} {error}", entry.name));
            }
            Err(error) => return Err(error),
        };
        let summary = network.summary::<f32>(self.batch_size)?;
        Ok(format!(
            "{:<14} {:>11} {:>11} {:>14} {:>11}  {}",
            entry.name,
            thousands(summary.parameters),
            thousands(summary.prunable),
            thousands(summary.macs),
            HumanBytes(summary.step_bytes() as u64).to_string(),
            entry.source
        ))
    }

    fn layers(&self, entry: &Entry) -> Result<String> {
        let network = self.network(entry)?;
        let summary = network.summary::<f32>(self.batch_size)?;
        let width = summary.layers.iter().map(|layer| layer.name.len()).max().unwrap_or(0).max("layer".len());
        let row = |[name, kind, output, parameters, macs]: [&str; 5]| {
            format!("{name:<width$} {kind:<20} {output:>16} {parameters:>11} {macs:>13}")
        };
        let mut lines = vec![
            format!("{}: {}", entry.name, entry.source),
            format!("input {:?}, {} classes\n", network.input, network.classes),
            row(["layer", "op", "output", "parameters", "MACs"]),
        ];
        lines.extend(summary.layers.iter().map(|LayerSummary { name, kind, output, parameters, macs }| {
            row([name, kind, &format!("{output:?}"), &thousands(*parameters), &thousands(*macs)])
        }));
        lines.push(row(["total", "", "", &thousands(summary.parameters), &thousands(summary.macs)]) + "\n");
        lines.push(format!("memory of a training step at batch {}, f32:", self.batch_size));
        for (what, bytes) in [
            ("parameters", summary.parameter_bytes),
            ("gradients", summary.gradient_bytes),
            ("saved activations", summary.activation_bytes),
            ("in all", summary.step_bytes()),
        ] {
            lines.push(format!("  {what:<18} {:>12}", HumanBytes(bytes as u64).to_string()));
        }
        Ok(lines.join("\n") + "\n")
    }
}
