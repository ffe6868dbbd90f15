//! [`Value`]: a run's value of an option.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A run's value of an option.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    Count(usize),
    Real(f64),
    /// A choice's name; or steps as epochs (`3ep`) or a share of the run (`75%`).
    Name(String),
    List(Vec<Value>),
}

/// How long a run is: what steps in epochs and shares are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length {
    pub epochs: usize,
    pub steps_per_epoch: usize,
}

impl Length {
    /// All its steps.
    pub fn steps(self) -> usize {
        self.epochs.saturating_mul(self.steps_per_epoch)
    }
}

impl Value {
    pub fn as_count(&self) -> Option<usize> {
        match self {
            Self::Count(n) => Some(*n),
            _ => None,
        }
    }

    /// A whole number is a number too.
    pub fn as_real(&self) -> Option<f64> {
        match self {
            Self::Count(n) => Some(*n as f64),
            Self::Real(x) => Some(*x),
            _ => None,
        }
    }

    /// Steps in a run of this length, epochs and shares to the nearest.
    ///
    /// ```
    /// use gdstar::method::options::{Length, Value};
    /// let run = Length { epochs: 10, steps_per_epoch: 7 };
    /// let step = |text: &str| Value::Name(text.to_string()).as_step(run);
    /// assert_eq!([step("3ep"), step("75%"), step("0.5ep"), step("3")], [Some(21), Some(52), Some(4), None]);
    /// ```
    pub fn as_step(&self, run: Length) -> Option<usize> {
        let (unit, amount) = match self {
            Self::Count(n) => return Some(*n),
            Self::Name(text) => relative(text)?,
            Self::Real(_) | Self::List(_) => return None,
        };
        let steps = match unit {
            Unit::Epochs => amount * run.steps_per_epoch as f64,
            Unit::Percent => amount * run.steps() as f64 / 100.0,
        };
        Some(steps.round_ties_even() as usize)
    }

    /// The same with steps as counts, in a run of this length.
    pub fn in_steps(&self, run: Length) -> Self {
        match self {
            Self::List(values) => Self::List(values.iter().map(|value| value.in_steps(run)).collect()),
            Self::Name(_) => self.as_step(run).map_or_else(|| self.clone(), Self::Count),
            Self::Count(_) | Self::Real(_) => self.clone(),
        }
    }

    /// Whether it is a number of epochs or a share of a run.
    pub(super) fn is_relative_step(&self) -> bool {
        matches!(self, Self::Name(text) if relative(text).is_some())
    }
}

enum Unit {
    Epochs,
    Percent,
}

fn relative(text: &str) -> Option<(Unit, f64)> {
    let (unit, amount) = match (text.strip_suffix("ep"), text.strip_suffix('%')) {
        (Some(amount), _) => (Unit::Epochs, amount),
        (_, Some(amount)) => (Unit::Percent, amount),
        (None, None) => return None,
    };
    let amount: f64 = amount.parse().ok()?;
    (amount.is_finite() && amount >= 0.0).then_some((unit, amount))
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(n) => n.fmt(f),
            Self::Real(x) => x.fmt(f),
            Self::Name(name) => name.fmt(f),
            Self::List(values) => {
                let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                f.write_str(&values.join(","))
            }
        }
    }
}
