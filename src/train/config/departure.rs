//! [`Departure`]: a setting of a run that is not the paper's or the default reading.

use super::{Config, Difference};
use crate::error::Result;
use std::fmt;

/// A key of `config.toml` and its value; the learning rate is `lr`, as its option is, and not the reading's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    pub key: String,
    pub value: String,
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.key, self.value)
    }
}

impl Config {
    /// What differs from the paper's settings and the default readings: `lambda = 0.5`, `masked_gradient = zero`. The
    /// run's own name (model, data, method, seed, K) and where its data lies are not among them.
    ///
    /// # Errors
    /// As [`Config::differences`].
    pub fn departures(&self) -> Result<Vec<Departure>> {
        let mut paper = Self::new(&self.model, self.data, self.method);
        paper.seed = self.seed;
        paper.hyper.epochs = self.hyper.epochs;
        let departure = |d: &Difference| Some(Departure { key: d.name().to_string(), value: d.value()? });
        Ok(self.differences(&paper)?.iter().filter_map(departure).collect())
    }
}
