//! [`Domain`]: what values an option takes.

use super::Value;
use crate::error::{Error, Result};
use std::fmt;

/// What values an option takes. Lists are written with commas on the command line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Domain {
    /// A count, at least this.
    Count { from: usize },
    /// A step, or a number of steps, at least this; a run may have it in epochs (`3ep`) or as a share of the run (`75%`).
    Steps { from: usize },
    /// A share, rate or probability in [0, 1]; without `zero` 0 itself is out of range.
    Share { zero: bool },
    /// A finite number of at least 0.
    Size,
    /// A finite number.
    Real,
    /// One of these names; unless another is stated, the first is the default.
    Choice(&'static [&'static str]),
    /// A list of counts.
    Counts,
    /// A list of steps.
    StepList,
    /// A list of 0 and 1.
    Flags,
    /// A list of shares in [0, 1].
    Shares,
}

impl Domain {
    /// The value that a text stands for.
    ///
    /// # Errors
    /// [`Error::Domain`] naming the option if it is none of this domain.
    pub fn parse(self, option: &str, text: &str) -> Result<Value> {
        let value = match self {
            Self::Count { .. } => text.parse().map(Value::Count).ok(),
            Self::Steps { .. } => Some(step(text)),
            Self::Share { .. } | Self::Size | Self::Real => text.parse().map(Value::Real).ok(),
            Self::Choice(_) => Some(Value::Name(text.to_string())),
            Self::Counts | Self::Flags => list(text, |item| item.parse().map(Value::Count).ok()),
            Self::StepList => list(text, |item| Some(step(item))),
            Self::Shares => list(text, |item| item.parse().map(Value::Real).ok()),
        };
        value
            .filter(|value| self.holds(value))
            .ok_or_else(|| Error::domain(option, self.to_string(), format!("`{text}`")))
    }

    /// Whether a value is of this domain.
    pub fn holds(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Choice(names), Value::Name(name)) => names.contains(&name.as_str()),
            (Self::Counts, Value::List(items)) => items.iter().all(|item| item.as_count().is_some()),
            (Self::Flags, Value::List(items)) => items.iter().all(|item| item.as_count().is_some_and(|n| n <= 1)),
            (Self::StepList, Value::List(items)) => items.iter().all(|item| Self::Steps { from: 0 }.holds(item)),
            (Self::Shares, Value::List(items)) => items.iter().all(|item| Self::Share { zero: true }.holds(item)),
            (Self::Count { from }, _) => value.as_count().is_some_and(|n| n >= from),
            // A relative one becomes a step when the run knows its length.
            (Self::Steps { from }, Value::Count(n)) => *n >= from,
            (Self::Steps { .. }, Value::Name(_)) => value.is_relative_step(),
            (Self::Share { zero }, _) => value.as_real().is_some_and(|x| (0.0..=1.0).contains(&x) && (zero || x > 0.0)),
            (Self::Size, _) => value.as_real().is_some_and(|x| x.is_finite() && x >= 0.0),
            (Self::Real, _) => value.as_real().is_some_and(f64::is_finite),
            _ => false,
        }
    }
}

/// A count of steps, or what is kept as it is written until the run's length is known.
fn step(text: &str) -> Value {
    text.parse().map_or_else(|_| Value::Name(text.to_string()), Value::Count)
}

fn list(text: &str, item: impl Fn(&str) -> Option<Value>) -> Option<Value> {
    text.split(',').map(|text| item(text.trim())).collect::<Option<_>>().map(Value::List)
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count { from } => write!(f, "a whole number of at least {from}"),
            Self::Steps { from } => write!(f, "steps of at least {from}, epochs (3ep) or a share of the run (75%)"),
            Self::Share { zero: true } => f.write_str("a number in [0, 1]"),
            Self::Share { zero: false } => f.write_str("a number in (0, 1]"),
            Self::Size => f.write_str("a finite number of at least 0"),
            Self::Real => f.write_str("a finite number"),
            Self::Choice(names) => f.write_str(&names.join(" | ")),
            Self::Counts => f.write_str("whole numbers with commas between them"),
            Self::StepList => f.write_str("steps, epochs (3ep) or shares of the run (75%) with commas between them"),
            Self::Flags => f.write_str("0 and 1 with commas between them"),
            Self::Shares => f.write_str("numbers in [0, 1] with commas between them"),
        }
    }
}
