//! [`Scale`]: how much of a target is run, and what of it is then not as in the paper.

use super::preset::Preset;
use crate::data::Source;
use crate::error::{Error, Result};
use crate::method::Method;
use crate::nn::models;
use crate::train::Config;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Seeds of every run where none are asked for: the paper does not say how many it took.
const SEEDS: u64 = 3;

/// How much of a target is run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scale {
    /// These networks alone; all of the target's where there are none.
    pub models: Vec<String>,
    /// Every run with the seeds 0 to N - 1.
    pub seeds: u64,
    /// K of every run, instead of the paper's.
    pub epochs: Option<usize>,
    /// Every run on the first N training images.
    pub subset: Option<usize>,
    /// Every run on this data set, instead of the paper's.
    pub data: Option<Source>,
    /// The folder with the data sets' folders, or the one data set's own.
    #[serde(skip)]
    pub data_dir: Option<PathBuf>,
}

impl Default for Scale {
    /// The paper's, with three seeds.
    fn default() -> Self {
        Self { models: Vec::new(), seeds: SEEDS, epochs: None, subset: None, data: None, data_dir: None }
    }
}

impl Scale {
    /// # Errors
    /// [`Error::Domain`] naming the option whose value is impossible.
    pub fn validate(&self) -> Result<()> {
        /// Beyond what any experiment takes, and few enough to be listed.
        const MOST_SEEDS: u64 = 1000;
        if !(1..=MOST_SEEDS).contains(&self.seeds) {
            return Err(Error::domain("--seeds", format!("1 to {MOST_SEEDS}"), self.seeds));
        }
        if self.epochs == Some(0) {
            return Err(Error::domain("--epochs", "at least 1", 0));
        }
        if self.subset == Some(0) {
            return Err(Error::domain("--subset", "at least 1 training image", 0));
        }
        self.models.iter().try_for_each(|model| models::find(model).map(drop)).map_err(|error| match error {
            Error::Domain { expected, found, .. } => Error::Domain { name: "--models".to_string(), expected, found },
            other => other,
        })
    }

    /// What was asked for by parts, as far as it is one piece of work: scales of the same epochs and data are one, with all
    /// networks of each and as many seeds as the one that has most; the others stay, in their order.
    pub fn joined(scales: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut joined: Vec<Self> = Vec::new();
        let length = |scale: &Self| (scale.epochs, scale.subset, scale.data);
        for scale in scales {
            let Some(same) = joined.iter_mut().find(|other| length(other) == length(&scale)) else {
                joined.push(scale);
                continue;
            };
            same.seeds = same.seeds.max(scale.seeds);
            if same.models.is_empty() || scale.models.is_empty() {
                same.models.clear();
            } else {
                let new: Vec<String> = scale.models.into_iter().filter(|model| !same.models.contains(model)).collect();
                same.models.extend(new);
            }
        }
        joined
    }

    /// The seeds of every run.
    pub fn seeds(&self) -> Range<u64> {
        0..self.seeds
    }

    /// Those of a target's networks that are run, in the target's order.
    ///
    /// # Errors
    /// As [`Scale::validate`]; [`Error::Domain`] if none of the networks that are asked for is the target's.
    pub fn presets(&self, of_target: &[Preset]) -> Result<Vec<Preset>> {
        self.validate()?;
        let is_wanted = |preset: &&Preset| self.models.is_empty() || self.models.iter().any(|m| m == preset.model);
        let wanted: Vec<Preset> = of_target.iter().filter(is_wanted).copied().collect();
        if wanted.is_empty() {
            let known: Vec<&str> = of_target.iter().map(|preset| preset.model).collect();
            return Err(Error::domain(
                "--models",
                format!("of this target's {}", known.join(" | ")),
                self.models.join(","),
            ));
        }
        Ok(wanted)
    }

    /// A run by the paper's settings, scaled.
    pub fn config(&self, preset: &Preset, method: Method, seed: u64) -> Config {
        let mut config = preset.config(method);
        config.seed = seed;
        config.subset = self.subset;
        config.data = self.data.unwrap_or(config.data);
        config.data_dir = self.folder_of(config.data);
        config.hyper.epochs = self.epochs.unwrap_or(config.hyper.epochs);
        config
    }

    /// Where a data set's files are; the digits need none.
    fn folder_of(&self, data: Source) -> Option<PathBuf> {
        if data == Source::Digits {
            return None;
        }
        let Some(folder) = &self.data_dir else { return data.fetched() };
        let names: &[&str] = match data {
            Source::ImageFolder => &["tiny-imagenet-200", "tiny-imagenet"],
            other => &[other.name()],
        };
        let inside = names.iter().map(|name| folder.join(name)).find(|inside| inside.is_dir());
        Some(inside.unwrap_or_else(|| folder.clone()))
    }

    /// What is not as in the paper, of a target with these networks; a sentence each.
    pub fn departures(&self, of_target: &[Preset]) -> Vec<String> {
        let mut told = Vec::new();
        let left_out: Vec<&str> = of_target
            .iter()
            .map(|preset| preset.model)
            .filter(|model| !self.models.is_empty() && !self.models.iter().any(|wanted| wanted == model))
            .collect();
        let wanted = || of_target.iter().filter(|preset| !left_out.contains(&preset.model));
        if let Some(epochs) = self.epochs
            && wanted().any(|preset| preset.epochs != epochs)
        {
            let papers = listed(wanted().map(|preset| preset.epochs.to_string()));
            let noun = if epochs == 1 { "epoch" } else { "epochs" };
            told.push(format!("{epochs} {noun} a run; the paper: {papers}."));
        }
        if let Some(data) = self.data
            && wanted().any(|preset| preset.data != data)
        {
            let papers = listed(wanted().map(|preset| preset.data_name.to_string()));
            told.push(format!("Trained and tested on {data}; the paper: {papers}."));
        }
        told.extend(self.subset.map(|n| format!("Trained on the first {n} training images; the paper: on all.")));
        told.push(match self.seeds {
            1 => "One seed asked for; the paper does not say how many it took.".to_string(),
            n => format!("{n} seeds asked for; the paper does not say how many it took."),
        });
        if !left_out.is_empty() {
            told.push(format!("Without {}.", left_out.join(", ")));
        }
        told
    }

    /// The options of the command that ask for this.
    pub fn options(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut option = |name: &str, value: Option<String>| {
            words.extend(value.into_iter().flat_map(|value| [name.to_string(), value]));
        };
        option("--models", (!self.models.is_empty()).then(|| self.models.join(",")));
        option("--seeds", (self.seeds != SEEDS).then(|| self.seeds.to_string()));
        option("--epochs", self.epochs.map(|epochs| epochs.to_string()));
        option("--subset", self.subset.map(|images| images.to_string()));
        option("--data", self.data.map(|data| data.to_string()));
        option("--data-dir", self.data_dir.as_deref().map(Path::display).map(|path| path.to_string()));
        words
    }
}

/// Each once, in words: `MNIST and CIFAR-10`.
fn listed(words: impl Iterator<Item = String>) -> String {
    let mut distinct: Vec<String> = Vec::new();
    for word in words {
        if !distinct.contains(&word) {
            distinct.push(word);
        }
    }
    match distinct.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}
