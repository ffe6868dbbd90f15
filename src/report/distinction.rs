//! [`Distinction`]: what runs share, and what tells each from the others.

use crate::error::Result;
use crate::train::{Departure, StoredRun};
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// What a run is called by, besides its departures from the paper's settings.
pub(super) const ASPECTS: [&str; 5] = ["model", "data", "method", "epochs", "seed"];

/// Where in [`ASPECTS`] the seed stands: runs that are equal in all else are one experiment.
const SEED: usize = 4;

/// One run in words.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    /// In the order of [`ASPECTS`].
    pub(super) aspects: [String; ASPECTS.len()],
    pub(super) departures: Vec<Departure>,
    epochs: usize,
    seed: u64,
}

impl Identity {
    /// The wanted aspects.
    fn words(&self, wanted: [bool; ASPECTS.len()]) -> Vec<String> {
        let [model, data, method, epochs, seed] = &self.aspects;
        let mut parts = match wanted {
            [true, true, ..] => vec![format!("{model} on {data}")],
            [true, ..] => vec![model.clone()],
            [_, true, ..] => vec![format!("on {data}")],
            _ => Vec::new(),
        };
        parts.extend(wanted[2].then(|| method.clone()));
        parts.extend(wanted[3].then(|| format!("{epochs} epochs")));
        parts.extend(wanted[SEED].then(|| format!("seed {seed}")));
        parts
    }

    /// Whether the two differ in their seed at most: same network, same data to the last byte, same settings.
    pub(super) fn same_experiment(&self, other: &Self) -> bool {
        self.aspects[..SEED] == other.aspects[..SEED] && self.departures == other.departures
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// By model, data, method, epochs, settings, and last by seed; numbers by their size.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        let names = |identity: &Self| identity.aspects[..3].to_vec();
        let settings = || {
            let pairs = self.departures.iter().zip(&other.departures);
            let first = pairs.map(|(a, b)| by_key_and_size(a, b)).find(|order| order.is_ne());
            first.unwrap_or_else(|| self.departures.len().cmp(&other.departures.len()))
        };
        (names(self), self.epochs)
            .cmp(&(names(other), other.epochs))
            .then_with(settings)
            .then_with(|| self.seed.cmp(&other.seed))
    }
}

/// By key, then by value, numbers by their size.
fn by_key_and_size(a: &Departure, b: &Departure) -> Ordering {
    let by_size = match (a.value.parse::<f64>(), b.value.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.total_cmp(&b),
        _ => a.value.cmp(&b.value),
    };
    a.key.cmp(&b.key).then(by_size)
}

/// Runs in words, and in which of them they differ.
pub(super) struct Distinction {
    /// One a run, in the order given.
    pub(super) identities: Vec<Identity>,
    /// Which aspects are not the same for all.
    pub(super) differs: [bool; ASPECTS.len()],
    /// The departures that all share.
    shared: Vec<Departure>,
}

impl Distinction {
    /// # Errors
    /// As [`Config::departures`](crate::train::Config::departures).
    pub(super) fn of(runs: &[StoredRun]) -> Result<Self> {
        let identities = runs.iter().map(|run| identity(run, runs)).collect::<Result<Vec<_>>>()?;
        let same = |i: usize| identities.windows(2).all(|pair| pair[0].aspects[i] == pair[1].aspects[i]);
        let differs = std::array::from_fn(|i| !same(i));
        let everywhere = |departure: &&Departure| identities.iter().all(|own| own.departures.contains(departure));
        let shared = identities.first().map(|first| first.departures.iter().filter(everywhere).cloned().collect());
        Ok(Self { differs, shared: shared.unwrap_or_default(), identities })
    }

    /// What all runs share: `lenet300 on digits, gdstar, 300 epochs, lambda = 0.5`.
    pub(super) fn shared(&self) -> String {
        let Some(first) = self.identities.first() else { return String::new() };
        let mut parts = first.words(self.differs.map(|differs| !differs));
        parts.extend(self.shared.iter().map(ToString::to_string));
        parts.join(", ")
    }

    /// What the run does not share with all others: `gdstar, seed 3, lambda = 0.5`.
    pub(super) fn own(&self, identity: &Identity) -> Vec<String> {
        self.told(identity, self.differs)
    }

    /// The same of its experiment, whatever the seed.
    pub(super) fn own_experiment(&self, identity: &Identity) -> Vec<String> {
        let mut wanted = self.differs;
        wanted[SEED] = false;
        self.told(identity, wanted)
    }

    /// Whether the runs differ in their settings.
    pub(super) fn in_settings(&self) -> bool {
        self.identities.iter().any(|identity| self.settings(identity).next().is_some())
    }

    fn told(&self, identity: &Identity, wanted: [bool; ASPECTS.len()]) -> Vec<String> {
        let mut parts = identity.words(wanted);
        parts.extend(self.settings(identity).map(ToString::to_string));
        parts
    }

    /// The run's departures that not all share.
    pub(super) fn settings<'a>(&'a self, identity: &'a Identity) -> impl Iterator<Item = &'a Departure> {
        identity.departures.iter().filter(|departure| !self.shared.contains(departure))
    }
}

fn identity(run: &StoredRun, runs: &[StoredRun]) -> Result<Identity> {
    let config = &run.config;
    let (epochs, seed) = (config.hyper.epochs, config.seed);
    let aspects =
        [config.model.clone(), data(run, runs), config.method.to_string(), epochs.to_string(), seed.to_string()];
    Ok(Identity { aspects, departures: run.config.departures()?, epochs, seed })
}

/// The data set's name; where runs on other data have the same name, with the beginning of its fingerprint.
fn data(run: &StoredRun, runs: &[StoredRun]) -> String {
    let name = run.config.data.name();
    let namesakes = runs.iter().filter(|other| other.config.data == run.config.data && !other.records.is_empty());
    let fingerprints: BTreeSet<Option<&str>> = namesakes.map(|other| other.fingerprint.as_deref()).collect();
    if fingerprints.len() < 2 || run.records.is_empty() {
        return name.to_string();
    }
    match &run.fingerprint {
        Some(fingerprint) => format!("{name} ({})", fingerprint.get(..8).unwrap_or(fingerprint)),
        None => format!("{name} (unknown)"),
    }
}
