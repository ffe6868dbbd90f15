//! What rounding may do: how far a correct port can be from an exact value, and when it cannot be anywhere else.
//!
//! Every bound follows from the arithmetic that the trace declares ([`Arithmetic`]) by the lemma of rounding error
//! analysis: a product of factors `1 + d_i` or `1 / (1 + d_i)` with `sum |d_i| <= m < 1` is `1 + theta` with
//! `|theta| <= m / (1 - m)` (Higham, "Accuracy and Stability of Numerical Algorithms", 2002, Lemma 3.1, for equal bounds
//! `gamma_n = n u / (1 - n u)`). Where `m >= 1` there is no bound, and the verdict says so.
//!
//! Each equation's own bound stands with its claim ([`crate::oracle`]'s `claims`); here is what they are made of.
//!
//! Fused multiply-adds only leave roundings out, so every bound holds with and without them.

mod gradient_sums;

pub(crate) use gradient_sums::{L1, own_roundings, with_decay};

use super::interval::Interval;
use crate::scalar::{DoubleDouble, Dtype, Scalar};
use crate::trace::Arithmetic;

/// A tolerance around an exact value E: `relative |E| + absolute`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    pub relative: f64,
    pub absolute: f64,
}

/// `m / (1 - m)`, or `None` where rounding errors that add up to `m` leave no bound (or `m` is NaN).
pub fn theta(m: f64) -> Option<f64> {
    (m < 1.0).then(|| m / (1.0 - m))
}

impl Arithmetic {
    /// A sum of `n` non-negative terms, each the square of a gradient or its size: the gradient's own error (twice, for
    /// a square), a rounding for the square, one for its storage, at most `n` for the sums in any order and one for the
    /// result's storage. Underflow: each square and each sum, n of both.
    ///
    /// Eq. 1 with n = weights times batches, Eq. 2 with n = batches.
    pub fn sum_over_gradients(&self, n: usize) -> Option<Tolerance> {
        let relative = theta(2.0 * self.u_in + (n as f64 + 1.0) * self.u_acc + 2.0 * self.u_out)?;
        Some(Tolerance { relative, absolute: 2.0 * (n as f64 + 1.0) * self.underflow() * (1.0 + relative) })
    }

    /// A threshold as the port may hold it: as declared, rounded to the dtype, or stored as its results are.
    pub fn threshold(&self, eps: f64) -> Interval {
        let rounded = match self.dtype {
            Dtype::F32 => f64::from(eps as f32),
            Dtype::F64 => eps,
        };
        let stored = if self.u_out > self.dtype.unit_roundoff() { self.u_out } else { 0.0 };
        let held = Interval { low: eps.min(rounded), high: eps.max(rounded) }.widened(stored);
        if self.ftz && held.low < self.smallest_normal() { Interval { low: 0.0, ..held } } else { held }
    }
}

/// A sum that knows whether it is exact in a port's arithmetic, whatever the order.
///
/// If every term is a multiple of 2^e and the sum of their sizes is at most 2^(e + p), then so is every partial sum in
/// every order, and all of them are numbers of p bits: no addition rounds. That is the whole difference between a case
/// where every correct port must agree bit for bit and one where a tolerance is due.
#[derive(Debug, Clone, Copy)]
pub struct Sum {
    /// To about 31 digits.
    pub value: DoubleDouble,
    /// Of the terms' sizes.
    size: f64,
    /// The largest e for which every term is a multiple of 2^e.
    unit: i32,
}

impl Default for Sum {
    fn default() -> Self {
        Self { value: DoubleDouble::ZERO, size: 0.0, unit: i32::MAX }
    }
}

impl Sum {
    /// Adds `x`.
    pub fn add(&mut self, x: f64) {
        self.value += DoubleDouble::from(x);
        self.size += x.abs();
        self.unit = self.unit.min(unit(x));
    }

    /// Adds `x^2`.
    pub fn add_square(&mut self, x: f64) {
        self.value += DoubleDouble::from_product(x, x);
        self.size += x * x;
        self.unit = self.unit.min(unit(x).saturating_mul(2));
    }

    /// Whether no order of adding the terms rounds in `arithmetic`.
    pub fn is_exact_in(&self, arithmetic: &Arithmetic) -> bool {
        if self.unit == i32::MAX {
            return true; // every term is 0
        }
        let floor = match arithmetic.dtype {
            _ if arithmetic.ftz => unit(arithmetic.smallest_normal()),
            Dtype::F32 => -149,
            Dtype::F64 => -1022,
        };
        arithmetic.u_in == 0.0
            && self.unit >= floor
            && self.unit < 900
            && self.size <= libm::ldexp(1.0, self.unit + arithmetic.precision())
    }
}

/// The largest e for which `x` is a multiple of 2^e; `i32::MAX` for 0.
pub fn unit(x: f64) -> i32 {
    let (bits, significand) = (x.to_bits(), x.to_bits() & ((1 << 52) - 1));
    let exponent = (bits >> 52 & 0x7ff) as i32;
    match (exponent, significand) {
        (0, 0) => i32::MAX,
        (0, s) => -1074 + s.trailing_zeros() as i32,
        (e, s) => e - 1075 + (s | 1 << 52).trailing_zeros() as i32,
    }
}

/// Whether `x` is a number of `arithmetic`'s sums and results.
pub fn is_representable(x: DoubleDouble, arithmetic: &Arithmetic) -> bool {
    let mut alone = Sum::default();
    alone.add(x.hi());
    x.lo() == 0.0 && alone.is_exact_in(arithmetic)
}
