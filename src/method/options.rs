//! [`MethodOption`]: an option of one method, declared once for the command line, `config.toml`, the headers of traces and the
//! docs; [`Options`]: the values of a run.

mod domain;
mod value;

pub use domain::Domain;
pub use value::{Length, Value};

use super::Entry;
use crate::choice::Choice;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An option that one method has and others have not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MethodOption {
    /// Its key in files; the option is the same with dashes.
    pub key: &'static str,
    /// A line for `--help`.
    pub help: &'static str,
    pub part: Part,
    pub domain: Domain,
    /// The value where none is given: of a choice, if none is stated, the first; of others none, and the method says what
    /// that means.
    pub default: Option<OptionValue>,
}

/// Where a trace's header has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Among the hyper-parameters.
    Hyper,
    /// Among the readings: what sources do differently.
    Reading,
    /// Nowhere: it says how a run comes by what the trace records.
    Run,
}

/// A default.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OptionValue {
    Count(usize),
    Real(f64),
    Name(&'static str),
}

impl From<OptionValue> for Value {
    fn from(value: OptionValue) -> Self {
        match value {
            OptionValue::Count(n) => Self::Count(n),
            OptionValue::Real(x) => Self::Real(x),
            OptionValue::Name(name) => Self::Name(name.to_string()),
        }
    }
}

impl MethodOption {
    /// The option on the command line.
    pub fn option(&self) -> String {
        option(self.key)
    }

    /// The value where none is given.
    pub fn default(&self) -> Option<Value> {
        match (self.default, self.domain) {
            (Some(value), _) => Some(value.into()),
            (None, Domain::Choice(names)) => Some(Value::Name(names.first()?.to_string())),
            (None, _) => None,
        }
    }

    /// This option with another default.
    pub(super) const fn or(self, default: OptionValue) -> Self {
        Self { default: Some(default), ..self }
    }

    /// A choice of fewer, or in another order; the first is the default.
    pub(super) const fn among(self, names: &'static [&'static str]) -> Self {
        Self { domain: Domain::Choice(names), ..self }
    }
}

fn option(key: &str) -> String {
    format!("--{}", key.replace('_', "-"))
}

/// The values of a method's own options, defaults included, by key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Options(BTreeMap<String, Value>);

impl Options {
    /// The defaults of a method's options.
    pub fn of(entry: &Entry) -> Self {
        let default = |option: &MethodOption| Some((option.key.to_string(), option.default()?));
        Self(entry.options.iter().filter_map(default).collect())
    }

    /// Gives options that the method has and that have no value their defaults: files of before they were there have none.
    pub fn complete(&mut self, entry: &Entry) {
        for (key, value) in Self::of(entry).0 {
            self.0.entry(key).or_insert(value);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets an option.
    pub fn set(&mut self, key: &str, value: Value) {
        self.0.insert(key.to_string(), value);
    }

    /// The value that is given or has a default.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// A count that is given or has a default.
    pub fn count(&self, key: &str) -> Option<usize> {
        self.get(key)?.as_count()
    }

    /// A number that is given or has a default.
    pub fn real(&self, key: &str) -> Option<f64> {
        self.get(key)?.as_real()
    }

    /// The name that is chosen.
    pub fn name(&self, key: &str) -> &str {
        match self.get(key) {
            Some(Value::Name(name)) => name,
            _ => "",
        }
    }

    /// The choice that is made, or the default of a method that does not leave it open.
    ///
    /// # Errors
    /// [`Error::Domain`] for a name that is none of the choices.
    pub fn choice<C: Choice + Default>(&self) -> Result<C> {
        match self.name(C::KEY) {
            "" => Ok(C::default()),
            name => name.parse(),
        }
    }

    /// The counts that are given; none if none are.
    pub fn counts(&self, key: &str) -> Vec<usize> {
        self.list(key).iter().filter_map(Value::as_count).collect()
    }

    /// The numbers that are given; none if none are.
    pub fn reals(&self, key: &str) -> Vec<f64> {
        self.list(key).iter().filter_map(Value::as_real).collect()
    }

    /// A step that is given or has a default, in a run of this length.
    pub fn step(&self, key: &str, run: Length) -> Option<usize> {
        self.get(key)?.as_step(run)
    }

    /// The steps that are given, in a run of this length; none if none are.
    pub fn steps(&self, key: &str, run: Length) -> Vec<usize> {
        self.list(key).iter().filter_map(|step| step.as_step(run)).collect()
    }

    fn list(&self, key: &str) -> &[Value] {
        match self.get(key) {
            Some(Value::List(values)) => values,
            _ => &[],
        }
    }

    /// Whether every value is of an option that the method has, and in its domain.
    ///
    /// # Errors
    /// [`Error::Domain`] naming the first option that is not.
    pub fn validate(&self, entry: &Entry) -> Result<()> {
        for (key, value) in &self.0 {
            let Some(declared) = entry.options.iter().find(|option| option.key == key) else {
                let expected = format!("an option of --method {}", entry.name);
                return Err(Error::domain(option(key), expected, owner(key)));
            };
            if !declared.domain.holds(value) {
                return Err(Error::domain(declared.option(), declared.domain.to_string(), value));
            }
        }
        Ok(())
    }
}

/// Whose option this is.
fn owner(key: &str) -> String {
    let has = |entry: &&&Entry| entry.options.iter().any(|option| option.key == key);
    match super::DECLARED.iter().find(has) {
        Some(entry) => format!("one of --method {}", entry.name),
        None => "one of no method".to_string(),
    }
}
