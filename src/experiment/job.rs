//! [`Job`]: a piece of work that targets share, known by a hash of all that decides what comes of it.

use super::Bench;
use super::lmc::Connectivity;
use super::lottery::Lottery;
use super::stage::Stage;
use crate::error::{Error, Result};
use crate::method::{Entry, Options, lmc, lth};
use crate::train::{Config, RunFolder};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// What a target is made of: a run, or an experiment of several.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// As it is called where progress is told: `lenet300 on mnist, gdstar, seed 0`.
    pub name: String,
    pub work: Work,
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Work {
    Train(Box<Config>),
    Lottery(Box<Lottery>),
    Lmc(Box<Connectivity>),
}

impl Job {
    /// A run.
    pub fn train(config: Config) -> Self {
        Self { name: named(&config, &config.method.to_string()), work: Work::Train(Box::new(config)) }
    }

    /// A lottery.
    pub fn lottery(lottery: Lottery) -> Self {
        Self { name: named(&lottery.run, "lottery"), work: Work::Lottery(Box::new(lottery)) }
    }

    /// A search for the step from which on runs are linearly connected.
    pub fn lmc(connectivity: Connectivity) -> Self {
        Self { name: named(&connectivity.run, "lmc"), work: Work::Lmc(Box::new(connectivity)) }
    }

    /// The run, or the one that all runs of the experiment are variations of.
    pub fn config(&self) -> &Config {
        match &self.work {
            Work::Train(config) => config,
            Work::Lottery(lottery) => &lottery.run,
            Work::Lmc(connectivity) => &connectivity.run,
        }
    }

    /// # Errors
    /// [`Error::Domain`] naming the option whose value is impossible.
    pub fn validate(&self) -> Result<()> {
        match &self.work {
            Work::Train(config) => config.validate(),
            Work::Lottery(lottery) => lottery.validate(),
            Work::Lmc(connectivity) => connectivity.validate(),
        }
    }

    /// Sixteen hexadecimal digits of the SHA-256 of all settings that decide what comes of it. Where the data lie is not
    /// among them, nor how many threads there are; what a run leaves besides (a trace) is, for another run's folder has it not.
    ///
    /// # Errors
    /// [`Error::Domain`] if a path is no text.
    pub fn hash(&self) -> Result<String> {
        let unwritten = |e| Error::domain("configuration", "values that JSON can hold", e);
        let mut settings = serde_json::to_value(&self.work).map_err(unwritten)?;
        forget_data_dir(&mut settings);
        // Keys are in the order of their names.
        let hash = Sha256::digest(settings.to_string());
        Ok(hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
    }

    /// The words of the command that does it by itself, in no store: `gdstar train --model lenet300 ..`.
    ///
    /// # Errors
    /// As [`Config::differences`].
    pub fn command(&self) -> Result<Vec<String>> {
        let config = self.config();
        let plain = Config::new(&config.model, config.data, config.method);
        let (verb, own) = match &self.work {
            Work::Train(_) => ("train", vec!["--method".to_string(), config.method.to_string()]),
            Work::Lottery(lottery) => {
                let levels = vec!["--levels".to_string(), lottery.levels.to_string()];
                ("lottery", levels.into_iter().chain(given(&lottery.options, &lth::ENTRY)).collect())
            }
            Work::Lmc(connectivity) => {
                let candidates: Vec<String> = connectivity.candidates.iter().map(ToString::to_string).collect();
                let words = ["--candidates", &candidates.join(","), "--children", &connectivity.children.to_string()]
                    .map(str::to_string);
                ("lmc", words.into_iter().chain(given(&connectivity.options, &lmc::ENTRY)).collect())
            }
        };
        let mut words: Vec<String> =
            ["gdstar", verb, "--model", &config.model, "--data", config.data.name()].map(str::to_string).to_vec();
        words.extend(own);
        for difference in config.differences(&plain)? {
            match (difference.key.as_str(), difference.value()) {
                ("augment", _) => words.push(difference.option()),
                (_, Some(value)) => words.extend([difference.option(), value]),
                (_, None) => {}
            }
        }
        if !config.outputs.record.is_empty() {
            let records: Vec<&str> = config.outputs.record.iter().map(|record| record.name()).collect();
            words.extend(["--record".to_string(), records.join(",")]);
        }
        Ok(words)
    }

    /// The file in its folder that its numbers are read from.
    pub fn results(&self, folder: &Path) -> PathBuf {
        match &self.work {
            Work::Train(_) => {
                let [_, metrics, _] = RunFolder::files(folder);
                metrics
            }
            Work::Lottery(_) => Lottery::results(folder),
            Work::Lmc(_) => Connectivity::results(folder),
        }
    }

    /// Does what is missing of it in this folder.
    ///
    /// # Errors
    /// As [`Bench::finish`], [`Lottery::train`] and [`Connectivity::train`].
    pub(super) fn finish(&self, folder: &Path, bench: &Bench) -> Result<()> {
        match &self.work {
            Work::Train(config) => {
                let stage =
                    Stage { name: self.name.clone(), folder: folder.to_path_buf(), config: config.as_ref().clone() };
                bench.finish(&stage).map(drop)
            }
            Work::Lottery(lottery) => lottery.train(folder, bench, &mut |_| Ok(())).map(drop),
            Work::Lmc(connectivity) => connectivity.train(folder, bench, &mut |_| Ok(())).map(drop),
        }
    }
}

/// The options of an experiment's that are not the defaults.
fn given(options: &Options, entry: &'static Entry) -> Vec<String> {
    let given = entry.options.iter().filter_map(|option| Some((option, options.get(option.key)?)));
    let other = given.filter(|(option, value)| option.default().as_ref() != Some(*value));
    other.flat_map(|(option, value)| [option.option(), value.to_string()]).collect()
}

/// What tells a job from others.
fn named(config: &Config, what: &str) -> String {
    let departures = config.departures().unwrap_or_default();
    let other = departures.iter().map(|departure| format!(", {departure}"));
    format!("{} on {}, {what}, seed {}{}", config.model, config.data, config.seed, other.collect::<String>())
}

fn forget_data_dir(settings: &mut Value) {
    if let Value::Object(map) = settings {
        map.remove("data_dir");
        map.values_mut().for_each(forget_data_dir);
    }
}
