//! `gdstar reproduce`.

mod progress;
mod work;

use super::scale::ScaleArgs;
use super::with_threads;
use crate::console;
use crate::error::{Error, Result};
use crate::experiment::reproduce::{TARGETS, Target, find};
use crate::experiment::{CostModel, Job, Scale, Store};
use crate::report::{exhibit, indented, thousands};
use clap::builder::PossibleValuesParser;
use indicatif::{HumanBytes, HumanDuration};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use work::Work;

/// Make the paper's tables and figures, and answers to what its readers asked; without TARGET, list them.
///
/// A target is a list of runs and what is made of them. Runs lie in the store, each in a folder that is named by a hash of all
/// that decides its bits: what is finished is not trained again, what was cut off goes on, and targets share runs. The paper's
/// settings are the default; --models, --seeds, --epochs, --subset and --data take less, and what then differs from the paper
/// is printed with the result.
///
/// --list prints the runs instead, a JSON object a line, with the command that makes each by itself: for schedulers, and for
/// several machines that share the store (docs/reproduce.md).
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ReproduceArgs {
    /// Tables, figures and questions
    #[arg(value_name = "TARGET", value_parser = PossibleValuesParser::new(TARGETS.iter().map(|target| target.name)), hide_possible_values = true)]
    targets: Vec<String>,
    #[command(flatten)]
    scale: ScaleArgs,
    /// The folder with the runs of all targets
    #[arg(long, value_name = "DIR", default_value = "reproduced")]
    store: PathBuf,
    /// Print what is to be run, a JSON object a line
    #[arg(long)]
    list: bool,
    /// Make the run of this hash alone, also beside others that do the same in this store
    #[arg(long, value_name = "HASH", requires = "targets", conflicts_with = "list")]
    only: Option<String>,
    /// Threads to use; never changes a result [default: all cores]
    #[arg(long, value_name = "T")]
    threads: Option<usize>,
}

const EXAMPLES: &str = "\
Examples:
  gdstar reproduce                            the targets, and what they take
  gdstar reproduce table2 --models lenet300 --seeds 2 --epochs 30
  gdstar reproduce table2 --models lenet300 --data digits
      in seconds, on digits that are part of the program
  gdstar reproduce table2 fig3 --list         their runs, for other machines";

pub fn run(args: &ReproduceArgs) -> Result<()> {
    let scale = args.scale.scale()?;
    let store = Store::at(&args.store)?;
    let targets = args.targets.iter().map(|name| find(name)).collect::<Result<Vec<_>>>()?;
    if targets.is_empty() {
        return if args.list { args.list(TARGETS, &scale, &store) } else { overview(&scale, &store) };
    }
    if args.list {
        return args.list(&targets, &scale, &store);
    }
    let jobs = jobs_of(&targets, &scale)?;
    if let Some(hash) = &args.only {
        return args.only(hash, jobs, &scale);
    }
    args.finish(jobs.into_iter().map(|(_, job)| job).collect(), &targets, &scale)
}

/// The jobs of targets, each once, with the first target that has it.
fn jobs_of(targets: &[&'static Target], scale: &Scale) -> Result<Vec<(&'static Target, Job)>> {
    let mut seen = BTreeSet::new();
    let mut jobs = Vec::new();
    for &target in targets {
        for job in target.runs(scale)? {
            if seen.insert(job.hash()?) {
                jobs.push((target, job));
            }
        }
    }
    Ok(jobs)
}

impl ReproduceArgs {
    /// A JSON object for every run.
    fn list(&self, targets: &[&'static Target], scale: &Scale, store: &Store) -> Result<()> {
        let folder = std::path::absolute(store.folder()).map_err(Error::io(store.folder(), "resolve"))?;
        let threads = self.threads.map(|threads| ["--threads".to_string(), threads.to_string()]);
        let mut model = CostModel::default();
        for (target, job) in jobs_of(targets, scale)? {
            let (hash, estimate) = (job.hash()?, model.estimate(&job)?);
            let mut command: Vec<String> = ["gdstar", "reproduce", target.name].map(str::to_string).to_vec();
            command.extend(scale.options());
            command.extend(threads.iter().flatten().cloned());
            command.extend(["--store", &text(&folder)?, "--only", &hash].map(str::to_string));
            console::print_line(json!({
                "command": command,
                "folder": text(&folder.join("runs").join(&hash))?,
                "seconds": estimate.seconds,
                "bytes": estimate.bytes,
                "done": store.is_finished(&job)?,
                "name": job.name,
                "hash": hash,
            }))?;
        }
        Ok(())
    }

    /// One job of a list.
    fn only(&self, hash: &str, jobs: Vec<(&'static Target, Job)>, scale: &Scale) -> Result<()> {
        let mut found = None;
        for (target, job) in jobs {
            if job.hash()? == hash {
                found = Some((target, job));
            }
        }
        let expected = "the hash of a run of this target at this scale, as --list prints it";
        let (target, job) = found.ok_or_else(|| Error::domain("--only", expected, format!("`{hash}`")))?;
        let store = Store::create(&self.store)?;
        let _hold = store.share()?;
        // One that is finished is as it was left, or that is told.
        store.finished(&job)?;
        let failed = self.work(&store, vec![job], &|| store.note(target.name, scale))?;
        failed.map_or(Ok(()), Err)
    }

    /// All jobs, and then what targets make of them.
    fn finish(&self, jobs: Vec<Job>, targets: &[&'static Target], scale: &Scale) -> Result<()> {
        let store = Store::at(&self.store)?;
        let done = jobs.iter().map(|job| store.is_finished(job)).collect::<Result<Vec<_>>>()?;
        let note = |store: &Store| targets.iter().try_for_each(|target| store.note(target.name, scale));
        let failed = if done.iter().all(|&done| done) {
            note(&store)?;
            None
        } else {
            let is_new = !self.store.exists();
            let store = Store::create(&self.store)?;
            let hold = store.hold()?;
            if done.contains(&true) {
                note(&store)?;
            }
            let failed = self.work(&store, jobs, &|| note(&store))?;
            drop(hold);
            if is_new && failed.is_some() {
                store.discard_unused()?;
            }
            failed
        };
        for target in targets {
            console::print(exhibit::text(&target.show(scale, &store)?))?;
        }
        let store = shell_word(&self.store.display().to_string());
        console::tell(format_args!(
            "\ngdstar report --store {store} --out report.html    all of the store on one page"
        ));
        failed.map_or(Ok(()), Err)
    }

    /// What is missing of these jobs, with a note of what they are for as soon as one begins; what kept some of them from being
    /// done while others were.
    fn work(&self, store: &Store, jobs: Vec<Job>, note: &(dyn Fn() -> Result<()> + Sync)) -> Result<Option<Error>> {
        with_threads(self.threads, || Work::new(store, jobs, note)?.all())?
    }
}

/// The targets, with what is there of each and what the rest takes.
fn overview(scale: &Scale, store: &Store) -> Result<()> {
    let width = TARGETS.iter().map(|target| target.name.len()).max().unwrap_or(0);
    let mut model = CostModel::default();
    for target in TARGETS {
        let (mut done, mut seconds, mut bytes) = (0, 0.0, 0);
        let jobs = match target.runs(scale) {
            Ok(jobs) => jobs,
            // None of its networks is among those that are asked for.
            Err(Error::Domain { name, .. }) if name == "--models" => continue,
            Err(error) => return Err(error),
        };
        for job in &jobs {
            if store.is_finished(job)? {
                done += 1;
            } else {
                let estimate = model.estimate(job)?;
                (seconds, bytes) = (seconds + estimate.seconds, bytes.max(estimate.bytes));
            }
        }
        let time = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        let rest = if done == jobs.len() {
            "all done".to_string()
        } else {
            format!("{done} done, the rest about {}, {}", HumanDuration(time), HumanBytes(bytes))
        };
        let line = format!("{:<width$}  {} ({})", target.name, target.title, target.source);
        console::print_line(indented(&line, width + 2))?;
        console::print_line(format_args!("{:<width$}  {} runs: {rest}", "", thousands(jobs.len())))?;
    }
    console::print_line("\nTimes are estimates for two cores, without what sparsity saves.")
}

/// A word as a shell takes it.
fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=:@".contains(c);
    if word.chars().all(is_plain) { word.to_string() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// A path as a word of a command.
fn text(path: &Path) -> Result<String> {
    let found = || Error::file(path, "path", "one that is text, which a list can hold", "other bytes");
    path.to_str().map(str::to_string).ok_or_else(found)
}
