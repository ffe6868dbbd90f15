//! [`RateSchedule`]: how the learning rate moves where a method's authors do not let it follow a cosine.

use crate::error::{Error, Result};
use crate::method::options::{Length, Value};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What the base learning rate is multiplied by in the course of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum RateSchedule {
    /// The paper's (open point 16).
    #[default]
    Cosine,
    Constant,
    /// By a factor after every so many steps or epochs: `0.5 every 25ep`.
    Every(f64, Value),
    /// By a factor at each of these steps, epochs or shares of the run: `0.1 at 50%,75%`.
    At(f64, Vec<Value>),
    /// Linearly from 0 in the first step to the base rate in this one, and down to 0 at the run's end: `linear up to 5ep`.
    Linear(Value),
}

impl RateSchedule {
    pub fn is_cosine(&self) -> bool {
        *self == Self::Cosine
    }

    /// The factor in step `t` of a run of this length; `None` where the rate follows the cosine.
    ///
    /// ```
    /// use gdstar::method::options::Length;
    /// use gdstar::train::RateSchedule;
    /// let run = Length { epochs: 8, steps_per_epoch: 5 };
    /// let factors = |schedule: &str| {
    ///     let schedule: RateSchedule = schedule.parse().unwrap();
    ///     [0, 10, 20, 30].map(|t| schedule.factor(t, run))
    /// };
    /// assert_eq!(factors("0.5 every 2ep"), [Some(1.0), Some(0.5), Some(0.25), Some(0.125)]);
    /// assert_eq!(factors("0.5 at 50%,75%"), [Some(1.0), Some(1.0), Some(0.5), Some(0.25)]);
    /// assert_eq!(factors("linear up to 4ep"), [Some(0.0), Some(0.5), Some(1.0), Some(0.5)]);
    /// assert_eq!(factors("constant"), [Some(1.0); 4]);
    /// assert_eq!(factors("cosine"), [None; 4]);
    /// ```
    pub fn factor(&self, t: usize, run: Length) -> Option<f64> {
        let (factor, times) = match self {
            Self::Cosine => return None,
            Self::Constant => (1.0, 0),
            Self::Every(factor, period) => (*factor, t / period.as_step(run).unwrap_or(usize::MAX).max(1)),
            Self::At(factor, steps) => {
                (*factor, steps.iter().filter_map(|step| step.as_step(run)).filter(|&step| step <= t).count())
            }
            Self::Linear(top) => return Some(linear(t, top.as_step(run).unwrap_or_default(), run.steps())),
        };
        Some((0..times).fold(1.0, |product, _| product * factor))
    }
}

/// Up to step `top`, and down to 0 at `end`.
fn linear(t: usize, top: usize, end: usize) -> f64 {
    let (way, length) = if t < top { (t, top) } else { (end.saturating_sub(t), end.saturating_sub(top).max(1)) };
    way as f64 / length as f64
}

impl fmt::Display for RateSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cosine => f.write_str("cosine"),
            Self::Constant => f.write_str("constant"),
            Self::Every(factor, period) => write!(f, "{factor} every {period}"),
            Self::At(factor, steps) => write!(f, "{factor} at {}", Value::List(steps.clone())),
            Self::Linear(top) => write!(f, "linear up to {top}"),
        }
    }
}

impl FromStr for RateSchedule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let length = Length { epochs: 1, steps_per_epoch: 1 };
        let step = |text: &str| {
            let value = text.trim().parse().map_or_else(|_| Value::Name(text.trim().to_string()), Value::Count);
            value.as_step(length).map(|_| value)
        };
        let factor = |text: &str| text.trim().parse().ok().filter(|factor: &f64| (0.0..=1.0).contains(factor));
        let read = match text {
            "cosine" => Some(Self::Cosine),
            "constant" => Some(Self::Constant),
            _ => match (text.strip_prefix("linear up to "), text.split_once(" every "), text.split_once(" at ")) {
                (Some(top), ..) => step(top).map(Self::Linear),
                (_, Some((by, period)), _) => {
                    factor(by).zip(step(period)).map(|(factor, step)| Self::Every(factor, step))
                }
                (.., Some((by, steps))) => {
                    let steps: Option<Vec<Value>> = steps.split(',').map(step).collect();
                    factor(by).zip(steps).map(|(factor, steps)| Self::At(factor, steps))
                }
                (None, None, None) => None,
            },
        };
        let expected = "cosine, constant, `0.5 every 25ep`, `0.1 at 50%,75%` or `linear up to 5ep`";
        read.ok_or_else(|| Error::domain("--schedule", expected, format!("`{text}`")))
    }
}

impl From<RateSchedule> for String {
    fn from(schedule: RateSchedule) -> Self {
        schedule.to_string()
    }
}

impl TryFrom<String> for RateSchedule {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}
