//! [`MethodOption`]: an option of one method, declared once for the command line, `config.toml` and the docs; [`Options`]:
//! the values of a run.

use super::Entry;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// An option that one method has and others have not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MethodOption {
    /// Its key in files; the option is the same with dashes.
    pub key: &'static str,
    /// A line for `--help`.
    pub help: &'static str,
    pub domain: Domain,
    /// The value where none is given: the first of a choice; of others none, and the method says what that means.
    pub default: Option<OptionValue>,
}

/// What values an option takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Domain {
    /// A count, at least this.
    Count { from: usize },
    /// A number from `low` to `high`, both themselves excluded.
    Between { low: f64, high: f64 },
    /// One of these names; the first is the default.
    Choice(&'static [&'static str]),
}

/// A default.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OptionValue {
    Count(usize),
    Real(f64),
}

impl Domain {
    /// The value that a text stands for.
    ///
    /// # Errors
    /// [`Error::Domain`] naming the option if it is none of this domain.
    pub fn parse(self, option: &str, text: &str) -> Result<Value> {
        let value = match self {
            Self::Count { .. } => text.parse().map(Value::Count).ok(),
            Self::Between { .. } => text.parse().map(Value::Real).ok(),
            Self::Choice(_) => Some(Value::Name(text.to_string())),
        };
        value
            .filter(|value| self.holds(value))
            .ok_or_else(|| Error::domain(option, self.to_string(), format!("`{text}`")))
    }

    fn holds(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Count { from }, Value::Count(n)) => *n >= from,
            (Self::Between { low, high }, Value::Real(x)) => *x > low && *x < high,
            (Self::Choice(names), Value::Name(name)) => names.contains(&name.as_str()),
            _ => false,
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count { from } => write!(f, "a whole number of at least {from}"),
            Self::Between { low, high } => write!(f, "a number in ({low}, {high})"),
            Self::Choice(names) => f.write_str(&names.join(" | ")),
        }
    }
}

/// A run's value of an option.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    Count(usize),
    Real(f64),
    Name(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(n) => n.fmt(f),
            Self::Real(x) => x.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

/// The values of a method's own options, defaults included, by key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Options(BTreeMap<String, Value>);

impl Options {
    /// The defaults of a method's options.
    pub fn of(entry: &Entry) -> Self {
        let default = |option: &MethodOption| {
            let value = match (option.domain, option.default) {
                (Domain::Choice(names), _) => Value::Name(names.first()?.to_string()),
                (_, Some(OptionValue::Count(n))) => Value::Count(n),
                (_, Some(OptionValue::Real(x))) => Value::Real(x),
                (_, None) => return None,
            };
            Some((option.key.to_string(), value))
        };
        Self(entry.options.iter().filter_map(default).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets an option.
    pub fn set(&mut self, key: &str, value: Value) {
        self.0.insert(key.to_string(), value);
    }

    /// A count that is given or has a default.
    pub fn count(&self, key: &str) -> Option<usize> {
        match self.0.get(key) {
            Some(Value::Count(n)) => Some(*n),
            _ => None,
        }
    }

    /// A number that is given or has a default.
    pub fn real(&self, key: &str) -> Option<f64> {
        match self.0.get(key) {
            Some(Value::Real(x)) => Some(*x),
            _ => None,
        }
    }

    /// The name that is chosen.
    pub fn name(&self, key: &str) -> &str {
        match self.0.get(key) {
            Some(Value::Name(name)) => name,
            _ => "",
        }
    }

    /// Whether every value is of an option that the method has, and in its domain.
    ///
    /// # Errors
    /// [`Error::Domain`] naming the first option that is not.
    pub fn validate(&self, entry: &Entry) -> Result<()> {
        for (key, value) in &self.0 {
            let option = format!("--{}", key.replace('_', "-"));
            let Some(declared) = entry.options.iter().find(|option| option.key == key) else {
                let expected = format!("an option of --method {}", entry.name);
                return Err(Error::domain(option, expected, owner(key)));
            };
            if !declared.domain.holds(value) {
                return Err(Error::domain(option, declared.domain.to_string(), value));
            }
        }
        Ok(())
    }
}

/// Whose option this is.
fn owner(key: &str) -> String {
    let has = |method: &&super::Method| method.entry().options.iter().any(|option| option.key == key);
    match super::METHODS.iter().find(has) {
        Some(method) => format!("one of --method {method}"),
        None => "one of no method".to_string(),
    }
}
