//! [`StoredRun`]: a run folder as a report reads it.

use super::Summary;
use crate::error::{Error, Result};
use crate::train::{Config, EpochRecord, Metrics, RunFolder};
use std::path::Path;

/// A run's configuration and every epoch it has completed so far.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRun {
    pub config: Config,
    pub records: Vec<EpochRecord>,
}

impl StoredRun {
    /// Reads `config.toml` and `metrics.jsonl` of a run that is finished, under way or stopped. Nothing is written.
    ///
    /// # Errors
    /// [`Error::File`] naming the folder if it holds no run, or the file and the place that cannot be read;
    /// [`Error::Io`].
    pub fn read(path: &Path) -> Result<Self> {
        let Some((folder, config)) = RunFolder::open(path)? else {
            let found = if path.is_dir() { "a folder without one" } else { "no folder" };
            return Err(Error::file(path, "run folder", "config.toml, as `gdstar train --out` leaves it", found));
        };
        let records = Metrics::read_so_far(&folder.metrics())?;
        for (k, (record, i)) in (config.reading.epoch_origin.first()..).zip(records.iter().zip(1..)) {
            if record.epoch != k {
                let place = format!("line {i}");
                return Err(Error::file(folder.metrics(), place, format!("epoch {k}"), record.epoch));
            }
        }
        Ok(Self { config, records })
    }

    /// Whether all K epochs are done.
    pub fn is_finished(&self) -> bool {
        self.records.len() >= self.config.hyper.epochs
    }

    /// Epochs done of K: `300`, or `254/300` for a run that is not finished.
    pub fn progress(&self) -> String {
        let (done, k) = (self.records.len(), self.config.hyper.epochs);
        if self.is_finished() { done.to_string() } else { format!("{done}/{k}") }
    }

    /// The last epoch's network, in numbers; `None` before the first.
    pub fn summary(&self) -> Option<Summary> {
        (!self.records.is_empty()).then(|| Summary::new(self.config.method, &self.records))
    }

    /// What differs from the paper's settings and the default readings, as in `config.toml`: `lambda = 0.5`,
    /// `masked_gradient = zero`. The run's own name (model, data, method, seed, K) and where its data lies are not
    /// among them.
    ///
    /// # Errors
    /// [`Error::Domain`] if the configuration has no TOML form.
    pub fn departures(&self) -> Result<Vec<String>> {
        let run = &self.config;
        let mut paper = Config::new(&run.model, run.data, run.method);
        paper.seed = run.seed;
        paper.data_dir.clone_from(&run.data_dir);
        paper.hyper.epochs = run.hyper.epochs;
        // Compared as files: a key that is added to the configuration is compared from then on.
        let table = |config: &Config| {
            toml::Table::try_from(config).map_err(|e| Error::domain("configuration", "values that TOML can hold", e))
        };
        let mut found = Vec::new();
        departures(&table(run)?, &table(&paper)?, &mut found);
        Ok(found)
    }
}

/// Appends `key = value` for every value of `run`, also in its tables, that `paper` does not have.
fn departures(run: &toml::Table, paper: &toml::Table, found: &mut Vec<String>) {
    for (key, value) in run {
        match (value, paper.get(key)) {
            (toml::Value::Table(run), Some(toml::Value::Table(paper))) => departures(run, paper, found),
            (value, Some(default)) if value == default => {}
            (toml::Value::String(name), _) => found.push(format!("{key} = {name}")),
            (value, _) => found.push(format!("{key} = {value}")),
        }
    }
}
