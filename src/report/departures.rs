//! [`Departure`]: a setting of a run that is not the paper's or the default reading.

use crate::error::Result;
use crate::train::{Config, Difference};
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
    let mut paper = Config::new(&run.model, run.data, run.method);
    paper.seed = run.seed;
    paper.hyper.epochs = run.hyper.epochs;
    let departure = |d: &Difference| Some(Departure { key: d.name().to_string(), value: d.value()? });
    Ok(run.differences(&paper)?.iter().filter_map(departure).collect())
}
