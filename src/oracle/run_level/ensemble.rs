//! [`Ensemble`]: reference runs that may stand together, and for which port's runs they may stand.

use super::statistics::{RunStatistics, are_distinct};
use crate::choice::Choice;
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::paper::reading::Reading;
use crate::scalar::Dtype;
use crate::trace::{Header, TracedMethod};
use crate::train::{Config, Difference, Execution, StoredRun};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The fewest seeds that say something about their spread: two have one difference.
const FEWEST: usize = 3;

/// Finished runs of one configuration, by seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Ensemble {
    /// What all of them ran, but for the seed and what rounds.
    config: Config,
    /// A number for each seed. Runs of one seed differ by rounding alone: together they are one observation.
    seeds: Vec<RunStatistics>,
}

impl Ensemble {
    /// Reads folders of `gdstar train --out`.
    ///
    /// # Errors
    /// [`Error::File`] or [`Error::Io`] naming a folder that cannot be read, a run that is not finished, is one of
    /// another method, configuration or data, or is given twice; [`Error::Domain`] for fewer than three seeds.
    pub fn read(paths: &[PathBuf]) -> Result<Self> {
        let mut all: Option<Config> = None;
        let mut by_seed: BTreeMap<u64, Vec<RunStatistics>> = BTreeMap::new();
        let mut ends: Vec<(&Path, u64, RunStatistics)> = Vec::new();
        // A folder without its checkpoint does not tell its data to the last byte.
        let mut data: Option<(&Path, String)> = None;
        for path in paths {
            let run = StoredRun::read(path)?;
            let (place, method) = ("config.toml: method", run.config.method);
            if !TracedMethod::NAMES.contains(&method.entry().name) {
                let expected = format!("{}, whose rules a trace follows", TracedMethod::NAMES.join(" | "));
                return Err(Error::file(path, place, expected, method));
            }
            if !run.is_finished() {
                return Err(Error::file(path, "metrics", "a finished run: all K epochs", run.progress()));
            }
            let config = comparable(&run.config);
            let first = all.get_or_insert_with(|| config.clone());
            let found: Vec<String> = config.differences(first)?.iter().map(told).collect();
            if !found.is_empty() {
                let expected = format!("what {} has but for seed and precision", paths[0].display());
                return Err(Error::file(path, "config.toml", expected, found.join(", ")));
            }
            if let Some(own) = run.fingerprint {
                let (other, same) = data.get_or_insert_with(|| (path, own.clone()));
                if own != *same {
                    let expected = format!("the data of {} (SHA-256 {same})", other.display());
                    return Err(Error::file(path, "checkpoint: data", expected, format!("other data ({own})")));
                }
            }
            let end = RunStatistics::of_records(path, &run.records)?;
            by_seed.entry(run.config.seed).or_default().push(end);
            ends.push((path, run.config.seed, end));
        }
        let apart: Vec<(&Path, &RunStatistics)> = by_seed
            .keys()
            .filter_map(|seed| ends.iter().find(|(_, other, _)| other == seed))
            .map(|(path, _, end)| (*path, end))
            .collect();
        are_distinct(&apart)?;
        let seeds: Vec<RunStatistics> = by_seed.values().map(|runs| mean(runs)).collect();
        match all {
            Some(config) if seeds.len() >= FEWEST => Ok(Self { config, seeds }),
            _ => {
                let found = format!("{} runs of {} seeds", paths.len(), seeds.len());
                Err(Error::domain("--ensemble", format!("runs of at least {FEWEST} different seeds"), found))
            }
        }
    }

    /// One entry a seed.
    pub(super) fn seeds(&self) -> &[RunStatistics] {
        &self.seeds
    }

    /// K, of the reference runs.
    pub(super) fn epochs(&self) -> usize {
        self.config.hyper.epochs
    }

    /// Whether a trace is of the same network, data, hyper-parameters and reading, as far as its header tells.
    ///
    /// # Errors
    /// [`Error::Domain`] naming the first that differs.
    pub(super) fn must_fit(&self, header: &Header) -> Result<()> {
        let differs = |what: &str, trace: String, found: String| {
            Err(Error::domain("--ensemble", format!("runs with {what} = {trace}, as the trace has"), found))
        };
        let (run, sgd) = (&self.config, &self.config.optimizer);
        let dataset = run.data.to_string();
        if header.method.name() != run.method.entry().name {
            return differs("method", header.method.to_string(), run.method.to_string());
        }
        for (what, trace, found) in [("model", &header.model, &run.model), ("dataset", &header.dataset, &dataset)] {
            if let Some(trace) = trace.as_ref().filter(|&trace| trace != found) {
                return differs(what, trace.clone(), found.clone());
            }
        }
        let (own, theirs) = (&header.hyper, &run.hyper);
        let optional = |what, trace: Option<f64>, found| trace.map(|trace| (what, trace, found));
        let numbers = [
            Some(("epochs", own.epochs as f64, theirs.epochs as f64)),
            Some(("alpha_0", own.alpha_0, theirs.alpha_0)),
            Some(("alpha_K", own.alpha_end, theirs.alpha_end)),
            Some(("lambda", own.lambda, theirs.lambda)),
            Some(("eps", own.eps, theirs.eps)),
            Some(("chunks", own.chunks as f64, theirs.chunks as f64)),
            optional("lr", header.sgd.map(|sgd| sgd.lr), sgd.learning_rate),
            optional("momentum", header.sgd.map(|sgd| sgd.momentum), sgd.momentum),
            optional("weight_decay", header.sgd.map(|sgd| sgd.weight_decay), sgd.weight_decay),
            Some(("nesterov", f64::from(header.optimizer.nesterov), f64::from(sgd.nesterov))),
            Some(("label_smoothing", header.label_smoothing, run.label_smoothing)),
            optional("batch_size", header.batch_size.map(|size| size as f64), sgd.batch_size as f64),
        ];
        for (what, trace, found) in numbers.into_iter().flatten() {
            // A port may tell the decimal as its f32 holds it.
            if trace != found && trace as f32 != found as f32 {
                return differs(what, trace.to_string(), found.to_string());
            }
        }
        // What a trace says nothing of is as the runs have it.
        let Reading { last_batch, evaluation, initial_weights, .. } = run.reading;
        let mut reading = Reading { last_batch, evaluation, initial_weights, ..header.reading };
        if !run.schedule.is_cosine() {
            // It says how the header lists the rates.
            reading.learning_rate = run.reading.learning_rate;
        }
        match run.differences(&Config { reading, ..run.clone() })?.first() {
            None => Ok(()),
            Some(found) => Err(Error::domain("--ensemble", "runs with the trace's reading", told(found))),
        }
    }
}

/// A setting in which runs differ from others.
fn told(difference: &Difference) -> String {
    let [here, there] = difference.values();
    format!("{} = {here}, not {there}", difference.name())
}

/// A configuration without the seed and what decides roundings.
fn comparable(config: &Config) -> Config {
    Config {
        seed: 0,
        precision: Dtype::default(),
        kernel: Kernel::Fast,
        execution: Execution::default(),
        ..config.clone()
    }
}

/// Quantity by quantity, over the runs that have it.
fn mean(runs: &[RunStatistics]) -> RunStatistics {
    let of = |read: fn(&RunStatistics) -> Option<f64>| -> Option<f64> {
        let values: Vec<f64> = runs.iter().filter_map(read).collect();
        (!values.is_empty()).then(|| super::mean(&values))
    };
    RunStatistics {
        accuracy: of(|run| run.accuracy),
        sparsity: of(|run| run.sparsity),
        k_star: of(|run| run.k_star),
        frobenius: of(|run| run.frobenius),
    }
}
