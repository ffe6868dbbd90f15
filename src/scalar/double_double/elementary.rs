//! `exp`, `exp_m1`, `ln`, `ln_1p` of [`DoubleDouble`] over the whole range.
//!
//! Bounds, with `u = 2^-53`, `+` at `3u^2` and `*` at `7u^2`:
//!
//! - [`exp_m1_by_series`]: the series' last addition weighs 3u^2 and what precedes it at most 1u^2 (it is scaled by
//!   |r| <= 1/16). Each of the four doublings `2s + s^2` adds 3u^2, and 7u^2 s/(2 + s) for the square. These grow with the
//!   condition of e^x - 1, x e^x/(e^x - 1): in all 20u^2 for |x| <= 0.347, where it is under 1.19, and 30u^2 for |x| <= 1,
//!   where it is under 1.59.
//! - `exp`: the reduction adds 3 times 3u^2 |r|, at most 3.2u^2 absolute, which is relative in e^r; then 20u^2 |s|/(1 + s),
//!   at most 8.3u^2, and the last addition: 15u^2.
//! - `exp_m1` beyond |x| = 1: at most 1.59 times that of `exp`, and 3u^2: 27u^2.
//! - [`ln_1p_by_newton`], y in [-0.29, 0.41]: the exponential's 20u^2; 10u^2 y^2/(1 + y), at most 3.5u^2 of the result; the
//!   last addition: 27u^2.
//! - `ln`: with k != 0, |ln x| >= 0.346, so k ln 2 adds at most 2 times 1.6u^2, and the sum 3u^2: 34u^2. `ln_1p` elsewhere: the
//!   rounding of 1 + y adds 3u^2 absolute, so 9u^2: 43u^2.

use super::DoubleDouble;
use super::error_free::{exponent, power_of_two};
use crate::scalar::Scalar;

const fn dd(hi: f64, lo: f64) -> DoubleDouble {
    DoubleDouble { hi, lo }
}

const LN_2: DoubleDouble = dd(std::f64::consts::LN_2, 2.3190468138462996e-17);

/// ln 2 in three parts; the first two have 40 bits, so their products with an exponent are exact.
const LN_2_PARTS: [f64; 3] = [0.6931471805592082, 7.371002565161996e-13, 5.8029889835956905e-25];

/// Below this, e^x - 1 and ln(1 + x) are x to a relative 2^-111.
const IDENTITY_BELOW: f64 = power_of_two(-110);

/// `1/n!` for n = 2 ..= 9.
const INVERSE_FACTORIALS: [DoubleDouble; 8] = [
    dd(0.5, 0.0),
    dd(0.16666666666666666, 9.25185853854297e-18),
    dd(0.041666666666666664, 2.3129646346357427e-18),
    dd(0.008333333333333333, 1.1564823173178714e-19),
    dd(0.001388888888888889, -5.300543954373577e-20),
    dd(0.0001984126984126984, 1.7209558293420705e-22),
    dd(2.48015873015873e-05, 2.1511947866775882e-23),
    dd(2.7557319223985893e-06, -1.858393274046472e-22),
];

/// `1/n!` for n = 10 ..= 16: terms below 2^-58 of the first, for which `f64` is enough. The first term left out is
/// below 2^-112.
const INVERSE_FACTORIALS_TAIL: [f64; 7] = [
    2.755731922398589e-07,
    2.505210838544172e-08,
    2.08767569878681e-09,
    1.6059043836821613e-10,
    1.1470745597729725e-11,
    7.647163731819816e-13,
    4.779477332387385e-14,
];

/// `e^x - 1` for `|x| <= 1`: the Taylor series at `r = x/16`, then four times `e^2r - 1 = 2s + s^2`, which keeps the
/// relative error of small results.
fn exp_m1_by_series(x: DoubleDouble) -> DoubleDouble {
    if x.hi.abs() < IDENTITY_BELOW {
        return x;
    }
    let r = x.scaled(-4);
    let tail = INVERSE_FACTORIALS_TAIL.iter().rev().fold(0.0, |sum, c| sum * r.hi + c);
    let series = INVERSE_FACTORIALS.iter().rev().fold(DoubleDouble::from(tail), |sum, &c| sum * r + c);
    let s = r + r * (r * series);
    (0..4).fold(s, |s, _| dd(2.0 * s.hi, 2.0 * s.lo) + s * s)
}

/// `ln(1 + y)` for y in [-0.29, 0.41]: one Newton step from the `f64` logarithm `z`, to second order,
/// `z + ln(1 + t)` with `t = (1 + y) e^-z - 1` of about 2^-53 |y|.
fn ln_1p_by_newton(y: DoubleDouble) -> DoubleDouble {
    if y.hi.abs() < IDENTITY_BELOW {
        return y;
    }
    let z = DoubleDouble::from(libm::log1p(y.hi));
    let inverse_m1 = exp_m1_by_series(-z);
    let t = (y + inverse_m1) + y * inverse_m1;
    z + (t - DoubleDouble::from(0.5 * t.hi * t.hi))
}

impl DoubleDouble {
    /// `2^k (1 + (e^r - 1))` with `x = k ln 2 + r`, `|r| <= 0.347`; the power of two is applied last, so that results
    /// in the subnormal range are rounded once.
    pub(super) fn exponential(self) -> Self {
        if self.hi.is_nan() {
            return self;
        }
        if self.hi >= 710.0 {
            return Self::from(f64::INFINITY); // f64::MAX is e^709.78..
        }
        if self.hi <= -746.0 {
            return Self::ZERO; // half of 2^-1074 is e^-745.13..
        }
        let k = (self.hi * std::f64::consts::LOG2_E + 0.5).floor();
        let r = LN_2_PARTS.iter().fold(self, |r, part| r - Self::from(k * part));
        (exp_m1_by_series(r) + Self::ONE).scaled(k as i32)
    }

    pub(super) fn exponential_minus_one(self) -> Self {
        if self.hi.abs() <= 1.0 { exp_m1_by_series(self) } else { self.exponential() - Self::ONE }
    }

    /// `k ln 2 + ln m` with `x = 2^k m`, `m` in [sqrt(1/2), sqrt(2)]; `ln 0 = -inf`, negative numbers give `NaN`.
    pub(super) fn logarithm(self) -> Self {
        if self.hi == 0.0 {
            return Self::from(f64::NEG_INFINITY);
        }
        if self.hi < 0.0 {
            return Self::from(f64::NAN);
        }
        if !self.hi.is_finite() {
            return self;
        }
        let k = exponent(self.hi);
        let k = if self.scaled(-k).hi > std::f64::consts::SQRT_2 { k + 1 } else { k };
        let ln_m = ln_1p_by_newton(self.scaled(-k) - Self::ONE);
        if k == 0 { ln_m } else { LN_2.times(f64::from(k)) + ln_m }
    }

    pub(super) fn logarithm_of_one_plus(self) -> Self {
        if (-0.29..=0.41).contains(&self.hi) { ln_1p_by_newton(self) } else { (self + Self::ONE).logarithm() }
    }
}
