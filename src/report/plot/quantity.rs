//! [`Quantity`]: what a panel shows: a number that every run has of an epoch, or one that its method tells.

use crate::error::Error;
use crate::method::quantity::{self, Scale, measured};
use crate::report::axis::Axis;
use crate::train::EpochRecord;
use std::fmt;
use std::str::FromStr;

/// A quantity of an epoch, by its key in `metrics.jsonl`.
#[derive(Debug, Clone, Copy)]
pub struct Quantity {
    key: &'static str,
    axis: quantity::Axis,
    /// The record's value in the axis's unit; `None`: the method's number under the key.
    value: Option<fn(&EpochRecord) -> Option<f64>>,
}

/// Those of every run.
const OF_EVERY_RUN: [Quantity; 7] = [
    of_every_run("test_accuracy", "test accuracy (%)", Scale::Linear, |r| Some(100.0 * r.test_accuracy)),
    of_every_run("sparsity", "sparsity (%)", Scale::Percent, |r| Some(100.0 * r.sparsity)),
    of_every_run("loss", "training loss", Scale::Logarithmic, |r| Some(r.loss)),
    of_every_run("learning_rate", "learning rate", Scale::Linear, |r| Some(r.learning_rate)),
    of_every_run("seconds", "time per epoch (s)", Scale::FromZero, |r| Some(r.seconds)),
    of_every_run("effective_flops", "effective GFLOP per epoch", Scale::FromZero, |r| {
        r.effective_flops.map(|flops| flops as f64 / 1e9)
    }),
    of_every_run("bytes", "weights and what follows them (MiB)", Scale::FromZero, |r| {
        r.bytes.map(|bytes| bytes as f64 / f64::from(1 << 20))
    }),
];

const fn of_every_run(
    key: &'static str,
    label: &'static str,
    scale: Scale,
    value: fn(&EpochRecord) -> Option<f64>,
) -> Quantity {
    Quantity { key, axis: quantity::Axis { label, scale, minima: false }, value: Some(value) }
}

impl Quantity {
    /// All that can be drawn: of every run, and of each method.
    pub fn all() -> Vec<Self> {
        let told =
            measured().into_iter().filter_map(|told| Some(Self { key: told.key?, axis: told.axis?, value: None }));
        OF_EVERY_RUN.into_iter().chain(told).collect()
    }

    /// The key in `metrics.jsonl`.
    pub fn name(self) -> &'static str {
        self.key
    }

    pub(super) fn label(self) -> &'static str {
        self.axis.label
    }

    pub(super) fn scale(self) -> Scale {
        self.axis.scale
    }

    /// Whether running minima are marked.
    pub(super) fn has_minima(self) -> bool {
        self.axis.minima
    }

    /// The record's value in the label's unit.
    pub(super) fn of(self, record: &EpochRecord) -> Option<f64> {
        self.value.map_or_else(|| record.numbers.real(self.key), |value| value(record))
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key)
    }
}

impl FromStr for Quantity {
    type Err = Error;

    fn from_str(key: &str) -> Result<Self, Error> {
        let all = Self::all();
        let names = || all.iter().map(|quantity| quantity.key).collect::<Vec<_>>().join(" | ");
        let found = all.iter().find(|quantity| quantity.key == key);
        found.copied().ok_or_else(|| Error::domain("quantity", names(), format!("`{key}`")))
    }
}

impl Scale {
    /// Whether an axis of this scale can show the value.
    pub(super) fn shows(self, value: f64) -> bool {
        match self {
            Self::Logarithmic => Axis::shows_logarithmically(value),
            _ => Axis::shows_linearly(value),
        }
    }

    /// The axis for values between these bounds.
    pub(super) fn axis(self, low: f64, high: f64) -> Axis {
        match self {
            Self::Linear => Axis::linear(low, high),
            Self::FromZero => Axis::linear(low.min(0.0), high),
            Self::Percent => Axis::linear(low.min(0.0), high.max(100.0)),
            Self::Logarithmic => Axis::logarithmic(low, high),
        }
    }
}
