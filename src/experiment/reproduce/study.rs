//! [`Study`]: settings beside each other, each with every seed: what most targets are made of.

use super::Finished;
use super::seen::{Run, Seen, Tried};
use super::setting::Setting;
use crate::error::{Error, Result};
use crate::experiment::job::Job;
use crate::experiment::preset::{self, Preset};
use crate::experiment::scale::Scale;
use crate::method::Method;
use crate::train::Config;

/// Settings of some networks, to be run with the same seeds.
pub struct Study {
    scale: Scale,
    pub networks: Vec<Preset>,
    settings: Vec<Setting>,
    departures: Vec<String>,
}

impl Study {
    /// Of the networks that the paper takes, where the scale names none; else of those that it names.
    ///
    /// # Errors
    /// [`Error::Domain`] for a network that the paper trains neither on MNIST nor on CIFAR-10; as [`Scale::validate`].
    pub fn of(scale: &Scale, papers: &[&str]) -> Result<Self> {
        let mut study = Self::without_runs(scale, papers)?;
        study.departures.splice(..0, scale.departures(&study.networks));
        Ok(study)
    }

    /// The same where nothing is trained: of the scale its networks alone matter.
    ///
    /// # Errors
    /// As [`Study::of`].
    pub fn without_runs(scale: &Scale, papers: &[&str]) -> Result<Self> {
        scale.validate()?;
        let papers = papers.iter().map(|network| preset::find(network).copied()).collect::<Result<Vec<_>>>()?;
        let named = scale.models.iter().map(|network| preset::find(network).copied()).collect::<Result<Vec<_>>>();
        let named = named.map_err(|error| match error {
            Error::Domain { expected, found, .. } => Error::domain("--models", expected, found),
            other => other,
        })?;
        let networks = if named.is_empty() { papers.clone() } else { named };
        let mut departures = Vec::new();
        let names = |presets: &[Preset]| presets.iter().map(|preset| preset.model).collect::<Vec<_>>().join(", ");
        if names(&networks) != names(&papers) {
            departures.push(format!("Of {}; in the paper, or by default, of {}.", names(&networks), names(&papers)));
        }
        Ok(Self { scale: scale.clone(), networks, settings: Vec::new(), departures })
    }

    /// Adds this setting to every network.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, method: Method, change: impl Fn(&mut Config)) -> Self {
        let name = name.into();
        for preset in &self.networks {
            let mut config = self.scale.config(preset, method, 0);
            change(&mut config);
            self.settings.push(Setting { network: preset.model, name: name.clone(), config });
        }
        self
    }

    /// A sentence more on what differs from the paper.
    #[must_use]
    pub fn departing(mut self, sentence: impl Into<String>) -> Self {
        self.departures.push(sentence.into());
        self
    }

    /// Network by network and, of each, seed by seed: so that few seeds of all settings are there before many of some.
    pub fn jobs(&self) -> Vec<Job> {
        let mut jobs = Vec::new();
        for network in &self.networks {
            for seed in self.scale.seeds() {
                jobs.extend(self.of_network(network).map(|setting| setting.job(seed)));
            }
        }
        jobs
    }

    /// What there is of its runs.
    ///
    /// # Errors
    /// As [`Finished::records`].
    pub fn read(&self, finished: &Finished) -> Result<Seen> {
        let mut tried = Vec::new();
        for setting in self.networks.iter().flat_map(|network| self.of_network(network)) {
            let mut runs = Vec::new();
            for seed in self.scale.seeds() {
                let job = setting.job(seed);
                if let Some(records) = finished.records(&job)? {
                    runs.push(Run { seed, hash: job.hash()?, records });
                }
            }
            let is_alone = self.networks.len() == 1;
            let label = if is_alone { setting.name.clone() } else { format!("{}, {}", setting.network, setting.name) };
            tried.push(Tried { setting: setting.clone(), label, runs });
        }
        Ok(Seen { tried, departures: self.departures.clone() })
    }

    fn of_network(&self, network: &Preset) -> impl Iterator<Item = &Setting> {
        let network = network.model;
        self.settings.iter().filter(move |setting| setting.network == network)
    }
}
