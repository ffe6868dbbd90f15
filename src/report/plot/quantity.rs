//! [`Quantity`]: what a panel shows, and the axis for it.

use super::axis::Axis;
use crate::choice::choice;
use crate::train::EpochRecord;

choice! {
    /// A quantity of an epoch, by its key in `metrics.jsonl`.
    Quantity, "quantity":
    /// S_F (Eq. 4), with dots at its running minima (Alg. 4) as in Fig. 3.
    Frobenius = "frobenius",
    TestAccuracy = "test_accuracy",
    Sparsity = "sparsity",
    Loss = "loss",
    KStar = "k_star",
    T = "t",
    Alpha = "alpha",
    Tau = "tau",
    Selected = "selected",
    LearningRate = "learning_rate",
    Seconds = "seconds",
    EffectiveFlops = "effective_flops",
    Bytes = "bytes",
}

/// How values lie along a quantity's axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    Linear,
    /// Linear, from 0, for what costs nothing where it is 0.
    FromZero,
    /// Linear, the whole of 0 to 100 whatever part of it the runs cover.
    Percent,
    Logarithmic,
}

impl Quantity {
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Frobenius => "S_F",
            Self::TestAccuracy => "test accuracy (%)",
            Self::Sparsity => "sparsity (%)",
            Self::Loss => "training loss",
            Self::KStar => "k*",
            Self::T => "t",
            Self::Alpha => "alpha",
            Self::Tau => "tau",
            Self::Selected => "weights selected",
            Self::LearningRate => "learning rate",
            Self::Seconds => "time per epoch (s)",
            Self::EffectiveFlops => "effective GFLOP per epoch",
            Self::Bytes => "weights and what follows them (MiB)",
        }
    }

    /// The record's value in the label's unit.
    pub(super) fn of(self, record: &EpochRecord) -> Option<f64> {
        match self {
            Self::Frobenius => record.frobenius,
            Self::TestAccuracy => Some(100.0 * record.test_accuracy),
            Self::Sparsity => Some(100.0 * record.sparsity),
            Self::Loss => Some(record.loss),
            Self::KStar => record.k_star.map(|k| k as f64),
            Self::T => record.t.map(|t| t as f64),
            Self::Alpha => record.alpha,
            Self::Tau => record.tau,
            Self::Selected => record.selected.map(|n| n as f64),
            Self::LearningRate => Some(record.learning_rate),
            Self::Seconds => Some(record.seconds),
            Self::EffectiveFlops => record.effective_flops.map(|flops| flops as f64 / 1e9),
            Self::Bytes => record.bytes.map(|bytes| bytes as f64 / f64::from(1 << 20)),
        }
    }

    pub(super) fn scale(self) -> Scale {
        match self {
            Self::Sparsity => Scale::Percent,
            Self::Loss | Self::Tau => Scale::Logarithmic,
            Self::Seconds | Self::EffectiveFlops | Self::Bytes => Scale::FromZero,
            _ => Scale::Linear,
        }
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
