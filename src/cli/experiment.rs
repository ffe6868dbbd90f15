//! What the commands that are made of several runs share: the options of their runs, and how their progress is shown.

use super::train::TrainArgs;
use super::{progress_bar, stop_on_interrupt};
use crate::console;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::experiment::Bench;
use crate::method::{Entry, Method, MethodOption, Options};
use crate::report::progress::Progress;
use crate::train::{Beginning, Config, Watcher};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use std::fmt::Display;
use std::marker::PhantomData;
use std::path::Path;

/// An experiment whose method's options the command has.
pub trait Experiment {
    const ENTRY: &'static Entry;
    /// The subcommand.
    const COMMAND: &'static str;
}

/// The options of an experiment's runs, of those of `gdstar train`, and its method's own.
#[derive(Debug)]
pub struct RunArgs<E> {
    pub train: TrainArgs,
    own: Vec<(&'static MethodOption, String)>,
    experiment: PhantomData<E>,
}

/// The options of `gdstar train` that dense runs heed.
const HEEDED: &[&str] = &[
    "model",
    "data",
    "data_dir",
    "image_size",
    "channels",
    "classes",
    "subset",
    "method",
    "seed",
    "order_seed",
    "precision",
    "kernel",
    "execution",
    "threads",
    "no_augmentation",
    "dense_layers",
    "out",
    "resume",
    "every",
    "epochs",
    "lr",
    "momentum",
    "weight_decay",
    "batch_size",
    "prunable",
    "learning_rate",
    "last_batch",
    "evaluation",
    "initial_weights",
    "decayed",
    "epoch_origin",
];

/// Those that are taken, and of which there is nothing to say.
const SILENT: &[&str] = &["method", "resume"];

fn train_arguments() -> Vec<Arg> {
    TrainArgs::augment_args(Command::new("train")).get_arguments().cloned().collect()
}

impl<E: Experiment> RunArgs<E> {
    fn is_own(id: &str) -> bool {
        E::ENTRY.options.iter().any(|option| option.key == id)
    }

    /// What the runs are trained by: what is given, over what the folder's experiment has.
    ///
    /// # Errors
    /// As [`TrainArgs::experiment`]; [`Error::Domain`] for another method than `dense`.
    pub fn config(&self, stored: Option<&Config>) -> Result<Config> {
        let config = self.train.experiment(stored)?;
        if config.method != Method::Dense {
            let expected = format!("dense, which is what gdstar {} trains", E::COMMAND);
            return Err(Error::domain("--method", expected, config.method));
        }
        Ok(config)
    }

    /// The method's own options: what is given, over these.
    ///
    /// # Errors
    /// [`Error::Domain`] naming an option whose value is none of its domain.
    pub fn options(&self, mut options: Options) -> Result<Options> {
        for (option, text) in &self.own {
            options.set(option.key, option.domain.parse(&option.option(), text)?);
        }
        Ok(options)
    }

    /// The folder.
    ///
    /// # Errors
    /// [`Error::Domain`] if none is given.
    pub fn out(&self) -> Result<&Path> {
        self.train.out().ok_or_else(|| Error::domain("--out", "the folder that holds all its runs", "nothing"))
    }

    /// Runs `work` on a bench whose runs show their progress.
    pub fn on_bench<T>(&self, dataset: &Dataset, work: impl FnOnce(&Bench) -> T) -> T {
        let every = self.train.every();
        let watch = |stage: &str, beginning: &Beginning| watch(stage, beginning, every);
        let bar = progress_bar("points");
        let progress = |stage: &str, done: usize, all: usize| {
            bar.set_length(all as u64);
            bar.set_position(done as u64);
            bar.set_message(stage.to_string());
            if done == all {
                bar.finish_and_clear();
                bar.reset();
            }
        };
        work(&Bench { dataset, stop: stop_on_interrupt(), watch: &watch, progress: &progress })
    }
}

/// Prints a row for each record, below a head that is printed before the first.
pub fn headed<R>(head: impl Display, row: impl Fn(&R) -> String) -> impl FnMut(&R) -> Result<()> {
    let mut head = Some(head);
    move |record| {
        head.take().map_or(Ok(()), console::print_line)?;
        console::print_line(row(record))
    }
}

/// A run's bar, and every so many rows of its story.
fn watch(stage: &str, &Beginning { run, completed, .. }: &Beginning, every: usize) -> Vec<Box<dyn Watcher>> {
    let epochs = run.config.hyper.epochs;
    if completed == epochs {
        return Vec::new();
    }
    if completed > run.config.first_epoch() {
        console::tell(format_args!("{stage}: resuming after {completed} of {epochs} epochs"));
    }
    vec![Box::new(Progress::new(stage, run, completed, every))]
}

impl<E: Experiment> Args for RunArgs<E> {
    fn augment_args(command: Command) -> Command {
        let own = E::ENTRY.options.iter().fold(command, |command, option| {
            let default = option.default().map(|value| format!(" [default: {value}]")).unwrap_or_default();
            let help = format!("{}: {}{default}", option.help, option.domain);
            let arg = Arg::new(option.key).long(option.key.replace('_', "-")).help(help).value_name("VALUE");
            command.arg(arg.allow_negative_numbers(true).help_heading("The method's own"))
        });
        let others = train_arguments().into_iter().filter(|arg| !Self::is_own(arg.get_id().as_str()));
        own.args(others.map(|arg| {
            let id = arg.get_id().as_str();
            let is_shown = HEEDED.contains(&id) && !SILENT.contains(&id);
            // Rows of every run would drown those of the experiment.
            let arg = if id == "every" { arg.default_value("0") } else { arg };
            arg.hide(!is_shown)
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<E: Experiment> FromArgMatches for RunArgs<E> {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        for arg in train_arguments() {
            let id = arg.get_id().as_str();
            let is_taken = HEEDED.contains(&id) || Self::is_own(id);
            if !is_taken && matches.value_source(id) == Some(ValueSource::CommandLine) {
                let told = format!("--{} is no option of gdstar {}", id.replace('_', "-"), E::COMMAND);
                return Err(clap::Error::raw(ErrorKind::UnknownArgument, told));
            }
        }
        let given = |option: &'static MethodOption| Some((option, matches.get_one::<String>(option.key)?.clone()));
        let own = E::ENTRY.options.iter().filter_map(given).collect();
        Ok(Self { train: TrainArgs::from_arg_matches(matches)?, own, experiment: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
