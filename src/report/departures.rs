//! [`Departure`]: a setting of a run that is not the paper's or the default reading.

use crate::error::{Error, Result};
use crate::train::Config;
use std::cmp::Ordering;
use std::fmt;

/// A key of `config.toml` and its value; the learning rate is `lr`, as its option is, and not the reading's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    pub key: String,
    pub value: String,
}

impl Departure {
    /// By key, then by value, numbers by their size.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        let by_size = match (self.value.parse::<f64>(), other.value.parse::<f64>()) {
            (Ok(a), Ok(b)) => a.total_cmp(&b),
            _ => self.value.cmp(&other.value),
        };
        self.key.cmp(&other.key).then(by_size)
    }
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.key, self.value)
    }
}

/// All of a configuration's, in its order.
pub(super) fn of(run: &Config) -> Result<Vec<Departure>> {
    // Seeds name runs, and not every seed has a TOML form.
    let run = Config { seed: 0, ..run.clone() };
    let mut paper = Config::new(&run.model, run.data, run.method);
    paper.data_dir.clone_from(&run.data_dir);
    paper.hyper.epochs = run.hyper.epochs;
    // Compared as files: a key that is added to the configuration is compared from then on.
    let table = |config: &Config| {
        toml::Table::try_from(config).map_err(|e| Error::domain("configuration", "values that TOML can hold", e))
    };
    let mut found = Vec::new();
    compare(&table(&run)?, &table(&paper)?, "", &mut found);
    Ok(found)
}

/// Appends every value of `run`, also in its tables, that `paper` does not have.
fn compare(run: &toml::Table, paper: &toml::Table, within: &str, found: &mut Vec<Departure>) {
    for (key, value) in run {
        let default = paper.get(key);
        let key = if (within, key.as_str()) == ("optimizer", "learning_rate") { "lr" } else { key };
        match (value, default) {
            (toml::Value::Table(run), Some(toml::Value::Table(paper))) => compare(run, paper, key, found),
            (value, Some(default)) if value == default => {}
            (toml::Value::String(name), _) => found.push(Departure { key: key.to_string(), value: name.clone() }),
            (value, _) => found.push(Departure { key: key.to_string(), value: value.to_string() }),
        }
    }
}
