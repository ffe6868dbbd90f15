//! [`Misread`]: an operand that a port may have taken otherwise than it is recorded, or a result that it changed.

use super::near::Near;
use half::{bf16, f16};

/// How an operand is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Taken {
    StepBefore,
    StepAfter,
    LayerBefore,
    LayerAfter,
    /// What another operand is stands for it.
    Other(String),
    ColumnMajor,
    Backwards,
    Negated,
    Magnitude,
    Squared,
    Root,
    Rest,
    Inverse,
    WholePercents,
    Half,
    Bfloat16,
    Zero,
    One,
}

impl Taken {
    /// Every way that needs no other operand, as it is told.
    pub(super) const ALONE: [(Self, &'static str); 13] = [
        (Self::StepBefore, "is that of the step before: stale"),
        (Self::StepAfter, "is that of the step after: taken too late"),
        (Self::LayerBefore, "is that of the layer before"),
        (Self::LayerAfter, "is that of the layer after"),
        (Self::ColumnMajor, "is read in column-major order: transposed"),
        (Self::Backwards, "is read from its end"),
        (Self::Negated, "has the other sign, or is inverted"),
        (Self::Magnitude, "is taken without its sign"),
        (Self::Squared, "is squared"),
        (Self::Half, "is rounded to half precision"),
        (Self::Bfloat16, "is rounded to bfloat16"),
        (Self::Zero, "is taken for 0: never filled, or cleared"),
        (Self::One, "is taken for 1 everywhere"),
    ];

    /// Every way in which a result may have been changed after it was formed.
    pub(super) const AFTER: [(Self, &'static str); 6] = [
        (Self::Root, "is the root of what it should be"),
        (Self::Rest, "is taken for its rest, 1 less it"),
        (Self::Inverse, "is turned over: 1 / x for x"),
        (Self::WholePercents, "is rounded to whole percents"),
        (Self::Half, "is rounded to half precision"),
        (Self::Bfloat16, "is rounded to bfloat16"),
    ];

    pub(super) fn of(&self, x: Near) -> Near {
        match self {
            Self::Negated => x.negated(),
            Self::Magnitude => x.abs(),
            Self::Squared => x.times(x),
            Self::Root => x.root(f64::EPSILON),
            Self::Rest => Near::exact(1.0).minus(x),
            Self::Inverse if x.size() > x.radius => Near::exact(1.0).over(x, f64::EPSILON),
            Self::WholePercents => Near::exact((100.0 * x.rounded()).round() / 100.0).give(x.radius),
            Self::Half => Near::exact(f16::from_f64(x.rounded()).to_f64()),
            Self::Bfloat16 => Near::exact(bf16::from_f64(x.rounded()).to_f64()),
            Self::Zero => Near::ZERO,
            Self::One => Near::exact(1.0),
            _ => x,
        }
    }

    pub(super) fn of_flag(&self, flag: bool) -> bool {
        match self {
            Self::Negated => !flag,
            Self::Zero => false,
            Self::One => true,
            _ => flag,
        }
    }
}

/// An operand that is taken otherwise, or a result that is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misread {
    pub(super) operand: String,
    pub(super) taken: Taken,
}

/// What every trace has beside its steps.
pub(super) const W_0: &str = "init";
