//! `gdstar lmc`.

use super::experiment::{Experiment, RunArgs, headed};
use super::{choice, load_data, with_threads};
use crate::console;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::experiment::lmc::{BatchNorm, CandidateRecord, Choice, Connectivity, End, between};
use crate::method::options::{Domain, Value};
use crate::method::{Entry, Options, lmc};
use crate::output;
use crate::report::wrapped;
use crate::train::Config;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Find from which step on runs that differ in the order of their data end in one basin (linear mode connectivity).
///
/// Between two finished runs of one network: loss and error along the line (1 - alpha) theta_1 + alpha theta_2, their mean
/// loss, and how far the line rises above its ends.
///
/// With --candidates all of Alg. 3: one parent is trained; from each candidate k of its steps two children go on, each with an
/// order of samples of its own (those of the seeds one and two above). k* is the candidate of least mean loss (Alg. 3); stable
/// is the least from which on no barrier of the error reaches --threshold (Frankle et al. 2020). DIR gets the runs, lmc.jsonl
/// (a line a candidate), lmc.json (k_star, k_stable; -1: none is stable) and trace.safetensors, which `gdstar check` judges.
/// The same command again goes on where it was interrupted, and uses what is finished for other candidates too.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct LmcArgs {
    /// Two finished runs, folders or checkpoints; with --out the trace of the line goes there
    #[arg(value_names = ["RUN", "RUN"], num_args = 2, conflicts_with_all = ["candidates", "children", "masks"])]
    ends: Vec<PathBuf>,
    /// Candidates for k: optimizer steps, epochs (3ep) or shares of the run (10%), with commas between them
    #[arg(long, value_name = "K,K,..", allow_hyphen_values = true)]
    candidates: Option<String>,
    /// Runs from each candidate; of more than two all pairs are looked at, and their curves averaged [default: 2]
    #[arg(long, value_name = "N")]
    children: Option<usize>,
    /// Batch norm's running statistics on the line: interpolated, or measured again on the training set [default:
    /// interpolate]
    #[arg(long, value_parser = choice::<BatchNorm>(), value_name = "NAME")]
    batch_norm: Option<BatchNorm>,
    /// Train the children under the mask of a lottery's level, or of its last level
    #[arg(long, value_name = "DIR")]
    masks: Option<PathBuf>,
    /// Leave the interpolated networks out of the trace, which takes their size at every point
    #[arg(long)]
    no_theta: bool,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    runs: RunArgs<Line>,
}

const EXAMPLES: &str = "\
Examples:
  gdstar lmc runs/a runs/b                    the line between two runs
  gdstar lmc --candidates 0,1ep,3ep --model lenet300 --data digits
      --epochs 30 --out lmc
  gdstar lmc --candidates 0,1ep,3ep,10ep --out lmc
      one candidate more
  gdstar lmc --candidates 0,1ep --masks tickets/level_5 --model lenet300
      --data digits --epochs 30 --out sparse";

#[derive(Debug)]
struct Line;

impl Experiment for Line {
    const ENTRY: &'static Entry = &lmc::ENTRY;
    const COMMAND: &'static str = "lmc";
}

pub fn run(args: &LmcArgs) -> Result<()> {
    match &args.ends[..] {
        [one, two] => args.pair([one, two]),
        _ => args.search(),
    }
}

impl LmcArgs {
    /// Between two runs.
    fn pair(&self, [one, two]: [&PathBuf; 2]) -> Result<()> {
        let ends = [End::open(one)?, End::open(two)?];
        ends[0].check_same_network(&ends[1])?;
        let config = self.evaluated_as(&ends[0].config)?;
        let options = self.runs.options(Options::of(&lmc::ENTRY))?;
        options.validate(&lmc::ENTRY)?;
        let trace = self.runs.train.out().map(|out| -> Result<PathBuf> {
            output::check_folder(out)?;
            std::fs::create_dir_all(out).map_err(Error::io(out, "create"))?;
            Ok(out.join("trace.safetensors"))
        });
        let trace = trace.transpose()?;
        let how = (&options, self.batch_norm.unwrap_or_default());
        let record = self.with_data(&config, |dataset| {
            self.runs.on_bench(dataset, |bench| between([&ends[0], &ends[1]], how, &config, bench, trace.as_deref()))
        })??;
        if self.json {
            return console::print_line(json!(record));
        }
        console::print_line("   alpha        loss   error %")?;
        let curve = &record.curve;
        for ((alpha, loss), error) in curve.alpha.iter().zip(&curve.loss).zip(&curve.error) {
            console::print_line(format_args!("{alpha:>8.4} {loss:>11.6} {:>9.2}", 100.0 * error))?;
        }
        console::print_line(format_args!(
            "mean loss {:.6}, barrier {:.6} of the loss, {:.2} % of the error: {}",
            record.score,
            record.barrier_loss,
            100.0 * record.barrier_error,
            if record.stable { "connected" } else { "not connected" }
        ))
    }

    /// The first run's settings, with what may be other: where its data lie, and what it is evaluated by.
    fn evaluated_as(&self, run: &Config) -> Result<Config> {
        let config = self.runs.train.experiment(Some(run))?;
        let is_free = |key: &str| ["kernel", "precision", "execution", "batch_size"].contains(&key);
        match config.differences(run)?.iter().find(|difference| !is_free(difference.name())) {
            None => Ok(config),
            Some(difference) => {
                let [here, there] = difference.values();
                Err(Error::domain(difference.option(), format!("that of the run, {there}, or nothing"), here))
            }
        }
    }

    fn with_data<T: Send>(&self, config: &Config, work: impl FnOnce(&Dataset) -> T + Send) -> Result<T> {
        let threads = self.runs.train.threads();
        let load = || load_data(config.data, config.data_dir.as_deref(), config.load_options());
        let dataset = with_threads(threads, load)??;
        with_threads(threads, || work(&dataset))
    }

    /// All of Alg. 3.
    fn search(&self) -> Result<()> {
        let out = self.runs.out()?;
        let connectivity = self.connectivity(out)?;
        connectivity.check_folder(out)?;
        output::check_folder(out)?;
        let config = &connectivity.run;
        self.runs.train.unheeded(config).iter().for_each(|line| console::tell(format_args!("gdstar: {line}")));
        self.with_data(config, |dataset| {
            self.runs.on_bench(dataset, |bench| -> Result<()> {
                let mut shown = headed(HEAD, row);
                let mut told = |record: &CandidateRecord| if self.json { Ok(()) } else { shown(record) };
                let (records, choice) = connectivity.train(out, bench, &mut told)?;
                if self.json { self.print_json(&records, choice) } else { console::print_line(summary(choice)) }
            })
        })?
    }

    fn print_json(&self, records: &[CandidateRecord], choice: Choice) -> Result<()> {
        let k_stable = choice.k_stable.map_or(-1, |k| k as i64);
        console::print_line(json!({ "candidates": records, "k_star": choice.k_star, "k_stable": k_stable }))
    }

    /// What the options, and the folder of what was begun, describe.
    fn connectivity(&self, out: &Path) -> Result<Connectivity> {
        let stored = Connectivity::stored(out)?;
        let candidates = match (&self.candidates, &stored) {
            (Some(text), _) => match Domain::StepList.parse("--candidates", text)? {
                Value::List(candidates) => candidates,
                one => vec![one],
            },
            (None, Some(stored)) => stored.candidates.clone(),
            (None, None) => {
                let expected = "two runs, or steps or epochs (3ep) with commas between them";
                return Err(Error::domain("--candidates", expected, "nothing"));
            }
        };
        let masks = match &self.masks {
            Some(folder) => Some(mask_in(folder)?),
            None => stored.as_ref().and_then(|stored| stored.masks.clone()),
        };
        let stored = stored.as_ref();
        let options = stored.map_or_else(|| Options::of(&lmc::ENTRY), |stored| stored.options.clone());
        let connectivity = Connectivity {
            candidates,
            children: self.children.or(stored.map(|stored| stored.children)).unwrap_or(2),
            batch_norm: self.batch_norm.or(stored.map(|stored| stored.batch_norm)).unwrap_or_default(),
            masks,
            theta: !self.no_theta,
            options: self.runs.options(options)?,
            run: self.runs.config(stored.map(|stored| &stored.run))?,
        };
        connectivity.validate()?;
        Ok(connectivity)
    }
}

/// The mask of a level's folder, or of a lottery's last level that has one.
fn mask_in(folder: &Path) -> Result<PathBuf> {
    const MASK: &str = "mask.safetensors";
    let levels = (0..).map(|level| folder.join(format!("level_{level}")).join(MASK)).take_while(|mask| mask.exists());
    let found = [folder.join(MASK)].into_iter().filter(|mask| mask.exists()).chain(levels).last();
    let found = found.ok_or_else(|| {
        let expected = "a lottery's folder, or that of one of its levels";
        Error::file(folder, "masks", expected, format!("none with {MASK}"))
    })?;
    std::path::absolute(&found).map_err(Error::io(found, "resolve"))
}

const HEAD: &str = "       k   mean loss  barrier of loss  barrier of error %  stable";

fn row(record: &CandidateRecord) -> String {
    format!(
        "{:>8} {:>11.6} {:>16.6} {:>19.2}  {}",
        record.k.unwrap_or_default(),
        record.score,
        record.barrier_loss,
        100.0 * record.barrier_error,
        if record.stable { "yes" } else { "no" }
    )
}

fn summary(choice: Choice) -> String {
    let stable = match choice.k_stable {
        Some(k) => format!("from step {k} on all are stable"),
        None => "the last is not stable".to_string(),
    };
    let text = format!("k* = {} has the least mean loss (Alg. 3); {stable} (Frankle et al. 2020)", choice.k_star);
    wrapped(&text)
}
