//! `gdstar explain`.

use super::{load_data, progress_bar, with_threads};
use crate::console;
use crate::data::{Dataset, Source};
use crate::error::{Error, Result};
use crate::explain::{Example, PAGES, Page, Watch, Watched, find, life, rewind, tour};
use crate::method::Method;
use crate::report::wrapped;
use crate::scalar::Scalar;
use crate::train::{Config, EpochEvent, Observer, Outputs, RunFolder, Session};
use indicatif::ProgressBar;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Explain the paper by a run: every equation with one epoch's numbers put in, one weight's life, or S_F and k*.
///
/// Without arguments: LeNet-300-100 on the embedded digits, a guided tour of its epoch 20. With an EQUATION (eq1 .. eq11,
/// alg4, alg5, alg6) that one alone; `rewind` draws S_F over the epochs and says where k* moved. With --run a run that was
/// kept is trained once more in memory, to the same bits, up to the epoch asked for: its folder is read and left as it is.
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// An equation or algorithm of the paper, or `rewind` [default: all of them]
    #[arg(value_name = "EQUATION")]
    equation: Option<String>,
    /// A run folder (`gdstar train --out`) of GDSTAR or one of its relatives [default: a run on the digits]
    #[arg(long, value_name = "DIR")]
    run: Option<PathBuf>,
    /// Where the data set's files are [default: where the run had them]
    #[arg(long, value_name = "DIR", requires = "run")]
    data_dir: Option<PathBuf>,
    /// The epoch that is shown, counted as the run counts [default: 20; of a run its last, or of a weight's life]
    #[arg(long, value_name = "K")]
    epoch: Option<usize>,
    /// Follow this weight: alone, its life in sentences; with an equation, the example [default: one that the epoch prunes]
    #[arg(long, value_name = "LAYER[I,J]")]
    weight: Option<String>,
    /// Threads to use; never changes a result [default: all cores]
    #[arg(long, value_name = "T")]
    threads: Option<usize>,
}

/// The epoch of the tour on the digits: late enough that weights are pruned, and a second's training.
const EPOCH_OF_TOUR: usize = 20;

/// What is asked of the watched run.
enum Asked {
    Pages(Vec<&'static Page>),
    Rewind,
    Life,
}

pub fn run(args: &ExplainArgs) -> Result<()> {
    let asked = match (args.equation.as_deref(), &args.weight) {
        (Some("rewind"), _) => Asked::Rewind,
        (Some(equation), _) => Asked::Pages(vec![find(equation)?]),
        (None, Some(_)) => Asked::Life,
        (None, None) => Asked::Pages(PAGES.iter().collect()),
    };
    let config = config(args)?;
    let last = last_epoch(args, &config, &asked)?;
    let dir = args.data_dir.as_deref().or(config.data_dir.as_deref());
    let seen = with_threads(args.threads, || {
        let dataset = load_data(config.data, dir, config.load_options())?;
        watch(args, &config, &dataset, last, &asked)
    })??;
    let text = match asked {
        Asked::Pages(pages) => tour(&pages, &seen)?,
        Asked::Rewind => rewind(&seen)?,
        Asked::Life => life(&seen)?,
    };
    let about = format!(
        "{} on {}, {}, epoch {last} of {} (seed {})",
        config.model, config.data, config.method, config.hyper.epochs, config.seed
    );
    show(&format!("{about}\n\n{}\n", wrapped(&text)))
}

/// The run that is explained.
fn config(args: &ExplainArgs) -> Result<Config> {
    let Some(folder) = &args.run else {
        return Ok(Config::new("lenet300", Source::Digits, Method::Gdstar));
    };
    let Some((_, mut config)) = RunFolder::open(folder)? else {
        return Err(Error::file(folder, "run folder", "config.toml, as `gdstar train --out` leaves it", "none"));
    };
    let entry = config.method.entry();
    if !entry.quantities.iter().any(|quantity| quantity.tensor == Some("k_star")) {
        let expected = "a run of gdstar, reset, random-rewind or fixed-rewind, which the paper's equations are about";
        return Err(Error::file(folder, "method", expected, config.method));
    }
    if config.start.is_some() {
        return Err(Error::file(
            folder,
            "run",
            "one that begins at its first epoch",
            "one that goes on from another's checkpoint",
        ));
    }
    // It is trained in memory: what it left behind is not made again.
    config.outputs = Outputs::default();
    Ok(config)
}

/// The epoch after which nothing more has to be seen.
fn last_epoch(args: &ExplainArgs, config: &Config, asked: &Asked) -> Result<usize> {
    let (first, end) =
        (config.reading.epoch_origin.first(), config.reading.epoch_origin.first() + config.hyper.epochs - 1);
    let all = args.run.is_some() || !matches!(asked, Asked::Pages(_));
    let last = args.epoch.unwrap_or(if all { end } else { EPOCH_OF_TOUR.min(end) });
    if last < first || last > end {
        return Err(Error::domain("--epoch", format!("an epoch of the run, {first} to {end}"), last));
    }
    Ok(last)
}

/// Trains to the epoch; twice where no weight is named, the second time with the one that tells most of it.
fn watch(args: &ExplainArgs, config: &Config, dataset: &Dataset, last: usize, asked: &Asked) -> Result<Watched> {
    let example = match (&args.weight, asked) {
        (Some(text), _) => Example::Named(text.clone()),
        (None, Asked::Rewind) => Example::None,
        (None, _) => Example::At(train(config, dataset, last, Example::None)?.telling()),
    };
    train(config, dataset, last, example)
}

fn train(config: &Config, dataset: &Dataset, last: usize, example: Example) -> Result<Watched> {
    static REACHED: AtomicBool = AtomicBool::new(false);
    REACHED.store(false, Ordering::Relaxed);
    let seen = Arc::new(Mutex::new(Watched::default()));
    let watch = Watch::new(config, example, last, &seen, &REACHED);
    let bar = EpochBar { bar: progress_bar("epoch"), epochs: last + 1 - config.reading.epoch_origin.first() };
    let session = Session::new(config.clone())?.stopped_by(&REACHED).watched(|_| vec![Box::new(watch), Box::new(bar)]);
    match session.train(dataset) {
        Err(Error::Interrupted { .. }) if REACHED.load(Ordering::Relaxed) => {}
        outcome => drop(outcome?),
    }
    Ok(std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner)))
}

/// Epochs on the terminal.
struct EpochBar {
    bar: ProgressBar,
    epochs: usize,
}

impl<S: Scalar> Observer<S> for EpochBar {
    fn on_epoch(&mut self, _: &EpochEvent<S>) -> Result<()> {
        self.bar.set_length(self.epochs as u64);
        self.bar.inc(1);
        if self.bar.position() >= self.epochs as u64 {
            self.bar.finish_and_clear();
        }
        Ok(())
    }
}

/// Shows a text page by page where standard output is a terminal: through $PAGER, or `less`. Elsewhere, and where there is
/// neither, it is printed as it is.
fn show(text: &str) -> Result<()> {
    if !std::io::stdout().is_terminal() {
        return console::print(text);
    }
    let pager = std::env::var("PAGER").ok().filter(|pager| !pager.trim().is_empty());
    let mut words = pager.as_deref().unwrap_or("less -FRX").split_whitespace();
    let Some(program) = words.next() else { return console::print(text) };
    let Ok(mut child) = Command::new(program).args(words).stdin(Stdio::piped()).spawn() else {
        return console::print(text);
    };
    if let Some(mut stdin) = child.stdin.take() {
        // A reader who quits has seen what he wanted.
        let _ = stdin.write_all(text.as_bytes());
    }
    child.wait().map(drop).map_err(|source| Error::Output { source })
}
