//! `f64` arithmetic on error bounds, rounded away from the truth.
//!
//! A bound is built from at most ten rounded operations on non-negative numbers, each within 2^-53 (the functions from
//! `libm` within 2^-52), and from values taken to `f64` (within 2^-53; 745 times that as an exponent). That is less than
//! 2^-42 in all, so one factor `1 + 2^-40` at the end ([`up`]) makes the result an upper bound again. Underflow is not
//! relative: products and quotients of non-zero numbers therefore add the smallest subnormal.

use super::Rounding;

/// See the module.
const SLACK: f64 = 1.0 / (1_u64 << 40) as f64;
/// 2^-1074.
const SMALLEST: f64 = f64::from_bits(1);

/// The bound that a computed `bound` is safe for; anything that is not a number is no bound at all.
#[inline]
pub(super) fn up(bound: f64) -> f64 {
    if bound == 0.0 {
        0.0
    } else if bound > 0.0 {
        bound * (1.0 + SLACK) + SMALLEST
    } else {
        f64::INFINITY
    }
}

/// `|value|`, to be used in what [`up`] rounds.
#[inline]
pub(super) fn magnitude<S: Rounding>(value: S) -> f64 {
    value.to_f64().abs()
}

/// `x - radius`, from below, for `x >= 0`: what is left of a number's distance from 0.
#[inline]
pub(super) fn below(x: f64, radius: f64) -> f64 {
    x * (1.0 - SLACK) - radius
}

/// `a b` of bounds: 0 only if a factor is, and infinite if a factor is (even against 0: nothing is known then).
#[inline]
pub(super) fn product(a: f64, b: f64) -> f64 {
    if a.is_infinite() || b.is_infinite() {
        f64::INFINITY
    } else if a == 0.0 || b == 0.0 {
        0.0
    } else {
        a * b + SMALLEST
    }
}

/// `a / b` of a bound and a distance from 0 that must be positive.
#[inline]
pub(super) fn quotient(a: f64, b: f64) -> f64 {
    if b <= 0.0 || b.is_nan() {
        f64::INFINITY
    } else if a == 0.0 {
        0.0
    } else {
        a / b + SMALLEST
    }
}
