//! [`Dtype`]: the two number systems that networks are trained in, by name.

use super::Scalar;
use crate::choice::choice;

choice! {
    /// The number system of a run, or of a trace's producer.
    Dtype, "precision":
    F32 = "f32",
    F64 = "f64",
}

impl Dtype {
    /// Half the distance from 1 to the next number: the largest relative error of one rounding.
    pub fn unit_roundoff(self) -> f64 {
        match self {
            Self::F32 => f32::UNIT_ROUNDOFF,
            Self::F64 => f64::UNIT_ROUNDOFF,
        }
    }

    /// The smallest positive number that has all of the dtype's digits.
    pub fn smallest_normal(self) -> f64 {
        match self {
            Self::F32 => f32::MIN_POSITIVE.into(),
            Self::F64 => f64::MIN_POSITIVE,
        }
    }

    /// The smallest positive number.
    pub fn smallest_subnormal(self) -> f64 {
        match self {
            Self::F32 => f32::from_bits(1).into(),
            Self::F64 => f64::from_bits(1),
        }
    }
}
