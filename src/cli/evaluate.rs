//! `gdstar evaluate RUN`.

use super::{choice, load_data, tell_remark, with_threads};
use crate::console;
use crate::data::{Dataset, LoadOptions, Source, Split};
use crate::error::{Error, Result, quoted};
use crate::kernel::Kernel;
use crate::nn::models;
use crate::output;
use crate::report::{ClassAccuracy, LayerSparsity, PredictionFormat, by_class, columns, layer_sparsity, thousands};
use crate::scalar::{Dtype, Scalar};
use crate::train::{Config, Evaluation, RunFolder, SavedFile, TEST_BATCH, predict};
use serde_json::json;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

/// Run a trained network on a data set: accuracy in all and by class, loss, sparsity, multiply-accumulates.
///
/// A run folder or a checkpoint says itself which network and data it belongs to; a bare state_dict (PyTorch's
/// save_file) needs --model and --data. Inputs are normalised as the network was trained, where the file says how, and
/// classes must be those it was trained on. Sparsity is that of the file's masks; where it has none, weights that are 0
/// count as eliminated. Effective multiply-accumulates are a layer's times its share of living weights.
#[derive(Debug, clap::Args)]
pub struct EvaluateArgs {
    /// A run folder (`gdstar train --out`), a checkpoint, or a state_dict in a safetensors file
    #[arg(value_name = "RUN|CHECKPOINT|WEIGHTS")]
    from: PathBuf,
    /// The network; `gdstar models` lists them [default: the checkpoint's]
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// The data set [default: the checkpoint's]
    #[arg(long, value_name = "NAME")]
    data: Option<Source>,
    /// Where the data set's files are [default: the checkpoint's]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Resize the images of an image folder to N x N [default: the checkpoint's]
    #[arg(long, value_name = "N")]
    image_size: Option<usize>,
    /// Read the images of an image folder with 3 channels or as grey, with 1 [default: the checkpoint's, or 3]
    #[arg(long, value_name = "C")]
    channels: Option<usize>,
    /// The number of classes of files in MNIST's format [default: the checkpoint's, or 10]
    #[arg(long, value_name = "N")]
    classes: Option<usize>,
    /// The part of the data set
    #[arg(long, value_parser = choice::<Split>(), default_value_t = Split::Test)]
    split: Split,
    /// Samples per forward pass
    #[arg(long, value_name = "N", default_value_t = TEST_BATCH)]
    batch_size: usize,
    /// The number system [default: the checkpoint's, or f32]
    #[arg(long, value_parser = choice::<Dtype>())]
    precision: Option<Dtype>,
    /// Plain loops, matrixmultiply and threads, or a GPU (docs/cuda.md) [default: the checkpoint's, or fast]
    #[arg(long, value_parser = choice::<Kernel>())]
    kernel: Option<Kernel>,
    /// Threads to use; never changes a result [default: all cores]
    #[arg(long, value_name = "T")]
    threads: Option<usize>,
    /// Write each sample's label and what it is taken for to this file, anew if there is one: .csv, or .jsonl for a JSON object a line
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// The most classes that are all told; of more, so many with the lowest accuracy.
const MOST_CLASSES: usize = 20;

/// What is evaluated: the options' values, else the checkpoint's.
struct Subject {
    file: SavedFile,
    model: String,
    dataset: Dataset,
    kernel: Kernel,
    precision: Dtype,
}

impl Subject {
    fn new(args: &EvaluateArgs) -> Result<Self> {
        if args.batch_size == 0 {
            return Err(Error::domain("--batch-size", "at least 1", 0));
        }
        if let Some(path) = &args.predictions {
            predictions_format(path)?;
            output::check(
                "--predictions",
                path,
                &[&RunFolder::files(&args.from)[..], std::slice::from_ref(&args.from)].concat(),
            )?;
        }
        let file = SavedFile::open(&args.from)?;
        let config = file.checkpoint.as_ref().map(|checkpoint| &checkpoint.config);
        let stated = |option: &str| Error::domain(option, "a name (only a checkpoint says its own)", "nothing");
        let model = args.model.clone().or_else(|| config.map(|c| c.model.clone()));
        let model = model.or_else(|| file.description.as_ref().map(|description| description.model.clone()));
        let model = model.ok_or_else(|| stated("--model"))?;
        models::find(&model)?;
        let data = args.data.or_else(|| config.map(|c| c.data)).ok_or_else(|| stated("--data"))?;
        // Another data set is not where the run's was.
        let known = config.filter(|config| config.data == data);
        let dir = args.data_dir.as_deref().or(known.and_then(|config| config.data_dir.as_deref()));
        let fetched = if dir.is_none() { data.fetched() } else { None };
        let dir = dir.or(fetched.as_deref());
        let own = known.map(Config::load_options).unwrap_or_default();
        let options = LoadOptions {
            image_size: args.image_size.or(own.image_size),
            channels: args.channels.or(own.channels),
            classes: args.classes.or(own.classes),
            ..own
        };
        if data == Source::Digits && args.data_dir.is_some() {
            console::tell("gdstar: --data-dir: no effect, the digits are part of the program");
        }
        let mut dataset = with_threads(args.threads, || load_data(data, dir, options))??;
        if let Some(encoding) = &file.encoding {
            dataset = dataset.encoded(encoding, dir.unwrap_or(Path::new(data.name())))?;
        }
        let kernel = args.kernel.or_else(|| config.map(|c| c.kernel)).unwrap_or(Kernel::Fast);
        kernel.open()?;
        let precision = args.precision.or_else(|| config.map(|c| c.precision)).unwrap_or_default();
        Ok(Self { file, model, dataset, kernel, precision })
    }
}

/// Runs the subcommand.
///
/// # Errors
/// Those of [`SavedFile`], [`load_data`] and [`evaluate`].
pub fn run(args: &EvaluateArgs) -> Result<()> {
    let subject = Subject::new(args)?;
    with_threads(args.threads, || match subject.precision {
        Dtype::F32 => report::<f32>(args, &subject),
        Dtype::F64 => report::<f64>(args, &subject),
    })?
}

fn report<S: Scalar>(args: &EvaluateArgs, subject: &Subject) -> Result<()> {
    let dataset = &subject.dataset;
    let network = models::find(&subject.model)?.network(dataset.train.shape, dataset.classes.len())?;
    let saved = subject.file.read::<S>(network)?;
    tell_remark(&subject.file.tensors, &saved.network);
    let part = (dataset, args.split);
    let (evaluation, predictions) = predict(&saved.network, subject.kernel, &saved.parameters, part, args.batch_size)?;
    if let Some(path) = &args.predictions {
        let format = predictions_format(path)?;
        output::write_atomically(path, |file| format.write(&mut BufWriter::new(file), &predictions, &dataset.classes))?;
    }
    let (layers, total) = layer_sparsity(&saved)?;
    let classes = by_class(&predictions, dataset.classes.len());
    let report = Report { args, subject, evaluation, has_masks: saved.has_masks, layers, total, classes };
    if args.json { console::print_line(report.json()) } else { console::print(report.text()) }
}

fn predictions_format(path: &Path) -> Result<PredictionFormat> {
    PredictionFormat::of("--predictions", path)
}

struct Report<'a> {
    args: &'a EvaluateArgs,
    subject: &'a Subject,
    evaluation: Evaluation,
    has_masks: bool,
    layers: Vec<LayerSparsity>,
    total: LayerSparsity,
    classes: Vec<ClassAccuracy>,
}

impl Report<'_> {
    fn text(&self) -> String {
        let Evaluation { samples, accuracy, loss } = self.evaluation;
        let mut text = format!(
            "{} on {}, {} part, {} samples: accuracy {:.2} %, mean loss {loss:.6}\n",
            self.subject.model,
            self.subject.dataset.name,
            self.args.split,
            thousands(samples),
            100.0 * accuracy,
        );
        if self.subject.file.encoding.is_none() && self.subject.dataset.name == Source::ImageFolder.name() {
            text +=
                "inputs normalised by this folder's training images: the file does not say by what it was trained\n";
        }
        let basis = if self.has_masks { "by its masks" } else { "no masks: weights that are 0 count as eliminated" };
        text += &format!("sparsity {:.2} % ({basis})\n\n", 100.0 * self.total.sparsity());
        text += &self.layers_text();
        text += "\nMACs: multiply-accumulates of a sample; effective: those of living weights\n\n";
        text + &self.classes_text()
    }

    fn layers_text(&self) -> String {
        let row = |row: &LayerSparsity| {
            let [total, alive, macs, effective] = [row.total, row.alive, row.macs, row.effective_macs].map(thousands);
            [row.name.clone(), total, alive, format!("{:.2} %", 100.0 * row.sparsity()), macs, effective]
        };
        let rows: Vec<_> = self.layers.iter().chain([&self.total]).map(row).collect();
        columns(["parameter", "weights", "alive", "sparsity", "MACs", "effective"], &rows)
    }

    fn classes_text(&self) -> String {
        let mut told: Vec<&ClassAccuracy> = self.classes.iter().filter(|class| class.samples > 0).collect();
        let (all, mut text) = (told.len(), String::new());
        if all > MOST_CLASSES {
            // Nothing is between equal accuracies of finite numbers; the order is the labels' among them.
            told.sort_by(|a, b| a.accuracy().partial_cmp(&b.accuracy()).unwrap_or(std::cmp::Ordering::Equal));
            told.truncate(MOST_CLASSES);
            text = format!("the {MOST_CLASSES} of {all} classes with the lowest accuracy (--json has all)\n");
        }
        let row = |class: &&ClassAccuracy| {
            let accuracy = class.accuracy().map_or(String::new(), |accuracy| format!("{:.2} %", 100.0 * accuracy));
            let name = quoted(&self.subject.dataset.classes[class.class]);
            [name, thousands(class.samples), thousands(class.correct), accuracy]
        };
        text + &columns(["class", "samples", "correct", "accuracy"], &told.iter().map(row).collect::<Vec<_>>())
    }

    fn json(&self) -> serde_json::Value {
        let row = |row: &LayerSparsity| {
            json!({
                "name": row.name, "weights": row.total, "alive": row.alive, "sparsity": row.sparsity(),
                "macs": row.macs, "effective_macs": row.effective_macs,
            })
        };
        let class = |row: &ClassAccuracy| {
            json!({
                "class": row.class, "name": self.subject.dataset.classes[row.class], "samples": row.samples, "correct": row.correct,
                "accuracy": row.accuracy(),
            })
        };
        let loss = self.evaluation.loss;
        json!({
            "model": self.subject.model,
            "data": self.subject.dataset.name,
            "split": self.args.split.name(),
            "samples": self.evaluation.samples,
            "accuracy": self.evaluation.accuracy,
            "loss": if loss.is_finite() { json!(loss) } else { json!(loss.to_string()) },
            "per_class": self.classes.iter().map(class).collect::<Vec<_>>(),
            "classes": self.subject.dataset.classes,
            "normalisation": self.subject.dataset.normalisation,
            "masks": self.has_masks,
            "total": row(&self.total),
            "parameters": self.layers.iter().map(row).collect::<Vec<_>>(),
        })
    }
}
