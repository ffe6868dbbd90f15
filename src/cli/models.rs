//! `gdstar models [NAME]`.

use crate::console;
use crate::error::{Error, Result};
use crate::nn::models::{self, Entry, MODELS};
use crate::nn::{LayerSummary, Network};
use crate::report::{WIDTH, thousands, wrapped};
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
        let memory = format!("batch {}", self.batch_size);
        let head = ["model", "parameters", "prunable", "MACs a sample", &memory].map(str::to_string);
        let rows: Vec<String> = MODELS.iter().map(|entry| self.row(entry)).collect::<Result<_>>()?;
        let more = wrapped("With a network's name: its layers, and where it comes from.");
        Ok(format!("{}\n{}\n\n{more}\n", listed(&head), rows.join("\n")))
    }

    fn row(&self, entry: &Entry) -> Result<String> {
        let network = match self.network(entry) {
            Ok(network) => network,
            // The image is to blame, and others may take it.
            Err(_) if entry.network(entry.input, self.classes(entry)).is_ok() => {
                return Ok(format!("{:<14} cannot take these images", entry.name));
            }
            Err(error) => return Err(error),
        };
        let summary = network.summary::<f32>(self.batch_size)?;
        let [parameters, prunable, macs] = [summary.parameters, summary.prunable, summary.macs].map(thousands);
        let memory = HumanBytes(summary.step_bytes() as u64).to_string();
        Ok(listed(&[entry.name.to_string(), parameters, prunable, macs, memory]))
    }

    fn layers(&self, entry: &Entry) -> Result<String> {
        let network = self.network(entry)?;
        let summary = network.summary::<f32>(self.batch_size)?;
        let layer = |LayerSummary { name, kind, output, parameters, macs }: &LayerSummary| {
            [name.to_string(), kind.to_string(), format!("{output:?}"), thousands(*parameters), thousands(*macs)]
        };
        let mut rows = vec![["layer", "op", "output", "parameters", "MACs"].map(str::to_string)];
        rows.extend(summary.layers.iter().map(layer));
        let total = ["total", "", "", &thousands(summary.parameters), &thousands(summary.macs)];
        rows.push(total.map(str::to_string));
        let mut lines = vec![
            wrapped(&format!("{}: {}", entry.name, entry.source)),
            format!("input {:?}, {} classes\n", network.input, network.classes),
            fitted(&rows),
            format!("memory of a training step at batch {}, f32:", self.batch_size),
        ];
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

/// A network's line in the list.
fn listed([model, parameters, prunable, macs, memory]: &[String; 5]) -> String {
    format!("{model:<14} {parameters:>11} {prunable:>11} {macs:>14} {memory:>11}")
}

/// The rows of layers, as narrow as their columns; a name that leaves no room for them stands in the line above.
fn fitted(rows: &[[String; 5]]) -> String {
    let longest = |i: usize| rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0);
    let [name, op, output, parameters, macs] = std::array::from_fn(longest);
    let name = name.min(WIDTH.saturating_sub(op + output + parameters + macs + 4));
    let mut text = String::new();
    for [layer, kind, shape, weights, products] in rows {
        let beside = if layer.chars().count() <= name { layer } else { &format!("{layer}\n{:name$}", "") };
        text += &format!("{beside:<name$} {kind:<op$} {shape:>output$} {weights:>parameters$} {products:>macs$}\n");
    }
    text
}
