//! `gdstar train`: one run.

mod apply;
mod experiment;
mod method_options;
mod plan;
mod seeds;
mod unheeded;

use super::{choice, load_data, stop_on_interrupt, with_threads};
use crate::choice::Choice;
use crate::console;
use crate::data::Source;
use crate::error::Result;
use crate::kernel::Kernel;
use crate::method::{Method, Record};
use crate::output;
use crate::paper::reading;
use crate::paper::structured::{GroupScore, Structure};
use crate::report::progress::Progress;
use crate::report::{self, Summary, TensorBoard};
use crate::scalar::Dtype;
use crate::trace::MaskForm;
use crate::train::{
    Beginning, Config, DenseLayers, Execution, RateSchedule, Recipe, RunFolder, Session, TraceSteps, Watcher,
};
use clap::builder::PossibleValuesParser;
use indicatif::HumanBytes;
use method_options::MethodOptions;
use seeds::SeedList;
use std::path::{Path, PathBuf};

/// Train a network with one method; the paper's symbols, and what it leaves open, are options.
///
/// The defaults are the paper's (section 4). A run is the same, bit for bit, for the same options at any number of
/// threads (--kernel literal: on any CPU too). With --out DIR it leaves config.toml, metrics.jsonl and, after every
/// epoch, checkpoint.safetensors, from which --resume continues as if nothing had happened.
#[derive(Debug, Clone, clap::Args)]
pub struct TrainArgs {
    /// Begin with the settings of a file, a run's own config.toml; options that are given beside it come on top
    #[arg(long, value_name = "FILE", help_heading = "The run")]
    config: Option<PathBuf>,
    /// The network; `gdstar models` lists them
    #[arg(long, value_name = "NAME", help_heading = "The run")]
    model: Option<String>,
    /// The data set: digits (embedded), mnist, cifar10, image-folder
    #[arg(long, value_name = "NAME", help_heading = "The run")]
    data: Option<Source>,
    /// Where the data set's files are; docs/data.md has the layouts [default: data/NAME, where `data fetch` puts it]
    #[arg(long, value_name = "DIR", help_heading = "The run")]
    data_dir: Option<PathBuf>,
    /// Resize the images of an image folder to N x N [default: as they are, which must be one size]
    #[arg(long, value_name = "N", help_heading = "The run")]
    image_size: Option<usize>,
    /// Read the images of an image folder as red, green and blue, or as grey: 3 or 1 [default: 3]
    #[arg(long, value_name = "C", help_heading = "The run")]
    channels: Option<usize>,
    /// The number of classes of files in MNIST's format whose labels go beyond 9 (EMNIST) [default: 10]
    #[arg(long, value_name = "N", help_heading = "The run")]
    classes: Option<usize>,
    /// Train on the first N training images alone, in the data set's own order [default: all]
    #[arg(long, value_name = "N", help_heading = "The run")]
    subset: Option<usize>,
    /// What is done to the weights at the end of an epoch [default: gdstar]
    #[arg(long, value_parser = choice::<Method>(), value_name = "NAME", help_heading = "The run")]
    method: Option<Method>,
    /// Determines initial weights, order of samples, augmentation and random rewinds [default: 0]
    #[arg(long, value_name = "N", help_heading = "The run")]
    seed: Option<u64>,
    /// Several runs, one after the other: N (seeds 0 to N - 1) or seeds with commas; DIR/seed-<seed> is the folder of each
    #[arg(
        long, value_name = "LIST", requires = "out", conflicts_with_all = ["seed", "trace", "no_trace"],
        help_heading = "The run"
    )]
    seeds: Option<SeedList>,
    /// Determines the order of samples alone [default: as --seed]
    #[arg(long, value_name = "N", help_heading = "The run")]
    order_seed: Option<u64>,
    /// Begin with the weights of a safetensors file, by PyTorch's names: an export, a checkpoint, another program's
    #[arg(long, value_name = "FILE", help_heading = "The run")]
    init: Option<PathBuf>,
    /// The number system [default: f32]
    #[arg(long, value_parser = choice::<Dtype>(), help_heading = "The run")]
    precision: Option<Dtype>,
    /// Plain loops (the definition), matrixmultiply and threads, or a GPU (docs/cuda.md) [default: fast]
    #[arg(long, value_parser = choice::<Kernel>(), help_heading = "The run")]
    kernel: Option<Kernel>,
    /// Leave eliminated weights out of computations where a layer is sparse enough, or compute with them as zeros; the
    /// results differ by rounding, with --kernel literal not at all [default: sparse]
    #[arg(long, value_parser = choice::<Execution>(), help_heading = "The run")]
    execution: Option<Execution>,
    /// Threads to use; never changes a result [default: all cores]
    #[arg(long, value_name = "T", help_heading = "The run")]
    threads: Option<usize>,
    /// Train on the images as they are, without random crops and flips
    #[arg(long, help_heading = "The run")]
    no_augmentation: bool,

    /// Select groups of weights: channels, blocks (4x4), or n:m patterns (2:4) [default: each weight by itself]
    #[arg(long, value_name = "GROUPS", help_heading = "The run")]
    structure: Option<Structure>,
    /// A group's score from its weights' G [default: max]
    #[arg(long, value_parser = choice::<GroupScore>(), value_name = "NAME", help_heading = "The run")]
    group_score: Option<GroupScore>,

    /// S: how sparse the network becomes: the method's own option for it, or where gdstar and its relatives stop pruning
    #[arg(long, value_name = "S", allow_negative_numbers = true, help_heading = "The run")]
    target_sparsity: Option<f64>,
    /// By whose settings of the optimizer: the paper's section 4, or those of the method's authors [default: paper]
    #[arg(long, value_parser = choice::<Recipe>(), value_name = "WHOSE", help_heading = "The run")]
    recipe: Option<Recipe>,
    /// How the learning rate moves from --lr: cosine, constant, `0.5 every 25ep`, `0.1 at 50%,75%`, or from 0 and back to
    /// it, `linear up to 5ep` [default: cosine]
    #[arg(long, value_name = "RULE", help_heading = "The run")]
    schedule: Option<RateSchedule>,
    /// Spread this share of every target evenly over all classes, in the loss that is trained [default: 0]
    #[arg(long, value_name = "X", allow_negative_numbers = true, help_heading = "The run")]
    label_smoothing: Option<f64>,
    /// Layers that are left out of W: first, last, first,last, none, or names with commas [default: none]
    #[arg(long, value_name = "LAYERS", help_heading = "The run")]
    dense_layers: Option<DenseLayers>,

    /// Where to keep configuration, metrics and checkpoint
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    out: Option<PathBuf>,
    /// Continue the run in --out; options that decide its results must be those it began with
    #[arg(long, requires = "out", help_heading = "Output")]
    resume: bool,
    /// Write a trace of the method's quantities (safetensors) to a file that is not there yet; a resumed run goes on with
    /// it
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    trace: Option<PathBuf>,
    /// Also record every batch's gradients in the trace; with =K,.. those of these epochs alone
    #[arg(
        long, requires = "trace", value_name = "K,..", value_delimiter = ',', num_args = 0.., require_equals = true,
        help_heading = "Output"
    )]
    trace_gradients: Option<Vec<usize>>,
    /// Record this share of the weights alone, chosen by a hash of name and place, and at least about 1024 of each
    /// parameter; masks of all. docs/trace.md says what a sample proves
    #[arg(long, requires = "trace", value_name = "SHARE", allow_negative_numbers = true, help_heading = "Output")]
    trace_sample: Option<f64>,
    /// How the trace stores masks: bytes, or packed, eight weights in one [default: bytes]
    #[arg(
        long, requires = "trace", value_parser = choice::<MaskForm>(), value_name = "HOW", help_heading = "Output"
    )]
    trace_masks: Option<MaskForm>,
    /// Which steps the trace of a method that is traced by steps has: updates, all, or indices with commas
    #[arg(long, requires = "trace", value_name = "WHICH", help_heading = "Output")]
    trace_steps: Option<TraceSteps>,
    /// Resume without the trace that the run has begun; what there is of it is removed
    #[arg(long, requires = "resume", conflicts_with = "trace", help_heading = "Output")]
    no_trace: bool,
    /// Also keep the epoch of the best test accuracy, as checkpoint-best.safetensors
    #[arg(long, requires = "out", help_heading = "Output")]
    keep_best: bool,
    /// Also keep every N-th epoch, as checkpoint-<k>.safetensors
    #[arg(long, requires = "out", value_name = "N", help_heading = "Output")]
    keep_every: Option<usize>,
    /// Also write an event file into DIR, which TensorBoard shows while the run goes on
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    tensorboard: Option<PathBuf>,
    /// Also measure, into the metrics: frobenius (S_F of a dense run), histogram (of G), parts (their seconds), memory
    #[arg(
        long, value_name = "WHAT,..", value_delimiter = ',', value_parser = choice::<Record>(), help_heading = "Output"
    )]
    record: Vec<Record>,
    /// Print every N-th epoch (0: none)
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Output")]
    every: usize,

    /// K: epochs [default: 300]
    #[arg(long, value_name = "K", help_heading = "The paper's symbols")]
    epochs: Option<usize>,
    /// alpha_0: prune rate at the start, in (0, 1) (Eq. 8) [default: 0.95]
    #[arg(long, value_name = "X", allow_negative_numbers = true, help_heading = "The paper's symbols")]
    alpha_0: Option<f64>,
    /// alpha_K: prune rate at the end, in (0, 1) (Eq. 8) [default: 0.25]
    #[arg(long, value_name = "X", allow_negative_numbers = true, help_heading = "The paper's symbols")]
    alpha_k: Option<f64>,
    /// Decay rate, in (0, 1] (Eq. 9) [default: 0.75]
    #[arg(long, value_name = "X", allow_negative_numbers = true, help_heading = "The paper's symbols")]
    lambda: Option<f64>,
    /// Prune threshold (Eq. 9) [default: 5.5e-5]
    #[arg(long, value_name = "X", allow_negative_numbers = true, help_heading = "The paper's symbols")]
    eps: Option<f64>,
    /// C: chunks of the quantile (Eq. 6, 7) [default: 1; 2 for vgg19bn, resnet34 and resnet50]
    #[arg(long, value_name = "C", help_heading = "The paper's symbols")]
    chunks: Option<usize>,
    /// Learning rate at the start of the cosine schedule, or what --schedule multiplies [default: 0.05]
    #[arg(long, value_name = "X", allow_negative_numbers = true, help_heading = "The paper's symbols")]
    lr: Option<f64>,
    /// SGD momentum [default: 0.9]
    #[arg(long, value_name = "X", allow_negative_numbers = true, help_heading = "The paper's symbols")]
    momentum: Option<f64>,
    /// L2 penalty, as PyTorch's SGD applies it [default: 5e-4]
    #[arg(long, value_name = "X", allow_negative_numbers = true, help_heading = "The paper's symbols")]
    weight_decay: Option<f64>,
    /// Nesterov's momentum, as PyTorch defines it; --nesterov=false takes a recipe's back
    #[arg(
        long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true,
        help_heading = "The paper's symbols"
    )]
    nesterov: Option<bool>,
    /// Samples per step [default: 128]
    #[arg(long, value_name = "N", help_heading = "The paper's symbols")]
    batch_size: Option<usize>,

    /// The distribution of W_0 (21); same | fresh: what training starts from once snip has chosen
    #[arg(
        long, value_name = "CHOICE", value_parser = PossibleValuesParser::new(["uniform", "normal", "same", "fresh"]),
        help_heading = "What the paper leaves open (first value: default)"
    )]
    initial_weights: Option<String>,

    #[command(flatten)]
    own: MethodOptions,

    #[command(flatten)]
    reading: ReadingArgs,
}

/// One option per open point, from one list: field, type, help.
macro_rules! reading_args {
    ($($field:ident: $Type:ident, $help:literal;)+) => {
        /// What the paper leaves open; see docs/open-points.md.
        #[derive(Debug, Clone, clap::Args)]
        struct ReadingArgs {
            $(#[arg(
                long, value_parser = choice::<reading::$Type>(), value_name = "CHOICE", help = $help,
                help_heading = "What the paper leaves open (first value: default)"
            )]
            $field: Option<reading::$Type>,)+
        }

        impl ReadingArgs {
            /// The keys of the choices that are given.
            fn given(&self) -> Vec<&'static str> {
                let mut given = Vec::new();
                $(given.extend(self.$field.map(|_| <reading::$Type as Choice>::KEY));)+
                given
            }

            fn apply(&self, config: &mut Config) {
                $(if let Some(choice) = self.$field { config.reading.$field = choice; })+
            }
        }
    };
}

reading_args! {
    epoch_origin: EpochOrigin, "The first epoch's index k (open point 1)";
    quantile: QuantileRule, "Interpolation of Quantile_alpha (3)";
    chunking: Chunking, "How N weights are cut into C chunks (4)";
    prunable: Prunable, "Which parameters are W (6)";
    masked_gradient: MaskedGradient, "The gradient of an eliminated weight (7)";
    rewind_update: RewindUpdate, "When W_k* is captured (8)";
    rewind_copy: RewindCopy, "What W_k* holds (9)";
    decay_step: DecayStep, "The decay step t of Eq. 9 (10)";
    threshold: Threshold, "Which weights eps can eliminate (11)";
    momentum_on_prune: MomentumOnPrune, "The momentum of a pruned weight (13)";
    gradient: GradientOf, "The gradient that enters G (14)";
    learning_rate: LearningRateStep, "When the cosine schedule of --lr moves (16)";
    last_batch: LastBatch, "The last, short batch of an epoch (19)";
    evaluation: Evaluation, "When test accuracy is measured (20)";
    decayed: Decayed, "Which parameters weight decay acts on (22)";
}

/// Whether a file will be in a folder that is not there yet.
fn is_in(file: &Path, folder: &Path) -> bool {
    let absolute = |path: &Path| std::path::absolute(path).ok();
    absolute(folder).is_some_and(|folder| absolute(file).is_some_and(|file| file.parent() == Some(folder.as_path())))
}

/// Looks whether what the run leaves can be written where it is asked for, and replaces nothing.
fn check_outputs(args: &TrainArgs) -> Result<()> {
    if let Some(out) = &args.out {
        output::check_folder(out)?;
    }
    args.tensorboard.as_deref().map_or(Ok(()), output::check_folder)?;
    let Some(trace) = &args.trace else { return Ok(()) };
    // Folders that the run makes are no place for a file either, and what is not there yet does not show it.
    let folders = args.out.iter().chain(&args.tensorboard).flat_map(|folder| folder.ancestors());
    let mut files: Vec<PathBuf> = folders.filter(|path| !path.as_os_str().is_empty()).map(Path::to_path_buf).collect();
    if let Some(out) = &args.out {
        files.extend(RunFolder::files(out));
        let kept = trace.file_name().filter(|name| RunFolder::is_kept(name));
        files.extend(kept.map(|name| out.join(name)));
    }
    if args.out.as_ref().is_some_and(|out| !out.exists() && is_in(trace, out)) {
        return output::check_distinct("--trace", trace, &files);
    }
    if args.resume { output::check("--trace", trace, &files) } else { output::check_new("--trace", trace, &files) }
}

pub fn run(args: &TrainArgs) -> Result<()> {
    let (runs, stop) = (args.runs(), stop_on_interrupt());
    let session = |run| {
        check_outputs(run)?;
        Ok(run.session()?.stopped_by(stop))
    };
    // Nothing is trained before every run is known to be one that can be.
    let sessions: Vec<Session> = runs.iter().map(session).collect::<Result<_>>()?;
    let mut dataset = None;
    for (run, session) in runs.iter().zip(sessions) {
        let config = session.config().clone();
        if runs.len() > 1 {
            console::tell(format_args!("seed {}", config.seed));
        }
        let dataset = match &dataset {
            Some(dataset) => dataset,
            None => {
                run.unheeded(&config).iter().for_each(|line| console::tell(format_args!("gdstar: {line}")));
                let load = || load_data(config.data, config.data_dir.as_deref(), config.load_options());
                dataset.insert(with_threads(run.threads, load)??)
            }
        };
        let session = session.watched(|beginning| watchers(run, beginning));
        let records = with_threads(run.threads, || session.train(dataset))??;
        console::print_line(report::summary(&Summary::new(config.method, &records)))?;
    }
    Ok(())
}

/// What shows how a run goes.
fn watchers(args: &TrainArgs, beginning: &Beginning) -> Vec<Box<dyn Watcher>> {
    let mut watchers: Vec<Box<dyn Watcher>> = vec![Box::new(progress(args, beginning))];
    if let Some(folder) = &args.tensorboard {
        watchers.push(Box::new(TensorBoard::new(folder)));
    }
    watchers
}

/// Says where a run stands, and shows how it goes on.
fn progress(args: &TrainArgs, &Beginning { run, completed, trace }: &Beginning) -> Progress {
    if completed > 0 {
        console::tell(format_args!("resuming after {completed} of {} epochs", run.config.hyper.epochs));
    }
    if let Some(trace) = trace {
        let again = if trace.is_copied { ", and as much again while it is completed" } else { "" };
        console::tell(format_args!("the trace will take {}{again}", HumanBytes(trace.tensors + trace.header)));
        trace.excess().iter().for_each(|line| console::tell(format_args!("gdstar: {line}")));
        let remedy = "make room before, or --resume when there is";
        trace.shortage().iter().for_each(|line| console::tell(format_args!("gdstar: {line}; {remedy}")));
    }
    let progress = Progress::new(&run.config.model, run, completed, args.every).announcing(run);
    if args.out.is_none() && trace.is_none() { progress.for_a_reader() } else { progress }
}
