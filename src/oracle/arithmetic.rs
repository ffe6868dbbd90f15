//! [`Arithmetic`]: what a port declares about the numbers it computes with.

use crate::train::Precision;

/// A port's declared arithmetic: the trace header's `dtype` and `arithmetic`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arithmetic {
    pub dtype: Precision,
    /// Relative distance of what enters a product from what is recorded.
    pub u_in: f64,
    /// Unit roundoff of each operation of a sum.
    pub u_acc: f64,
    /// Unit roundoff of each stored result.
    pub u_out: f64,
    /// Subnormal operands and results may be 0.
    pub ftz: bool,
}

impl Arithmetic {
    /// What a port has that declares nothing but its dtype.
    pub fn of(dtype: Precision) -> Self {
        let u = Self { dtype, u_in: 0.0, u_acc: 0.0, u_out: 0.0, ftz: false }.dtype_roundoff();
        Self { dtype, u_in: 0.0, u_acc: u, u_out: u, ftz: false }
    }

    /// The unit roundoff of the dtype itself.
    pub fn dtype_roundoff(&self) -> f64 {
        match self.dtype {
            Precision::F32 => f64::from(f32::EPSILON) / 2.0,
            Precision::F64 => f64::EPSILON / 2.0,
        }
    }

    /// What a result near 0 can be off by on top of its relative error: the smallest subnormal, or, where those may
    /// be 0, the smallest normal number.
    pub fn underflow(&self) -> f64 {
        match (self.dtype, self.ftz) {
            (Precision::F32, false) => f64::from(f32::from_bits(1)),
            (Precision::F32, true) => f64::from(f32::MIN_POSITIVE),
            (Precision::F64, false) => f64::from_bits(1),
            (Precision::F64, true) => f64::MIN_POSITIVE,
        }
    }
}
