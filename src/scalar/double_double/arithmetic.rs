//! `+ - * / sqrt` of [`DoubleDouble`]. Algorithms and bounds: Joldes, Muller, Popescu 2017 (see there).

use super::error_free::{exponent, power_of_two, quick_two_sum, two_prod, two_sum};
use super::{DoubleDouble, UNROUNDED_FROM};
use crate::scalar::Scalar;
use crate::scalar::assign::assigning_operators;
use std::iter::Sum;
use std::ops::{Add, Div, Mul, Neg, Sub};

assigning_operators!(DoubleDouble);

impl Neg for DoubleDouble {
    type Output = Self;
    #[inline]
    fn neg(self) -> Self {
        Self { hi: -self.hi, lo: -self.lo }
    }
}

impl Add for DoubleDouble {
    type Output = Self;
    /// AccurateDWPlusDW.
    #[inline]
    fn add(self, other: Self) -> Self {
        let (s_hi, s_lo) = two_sum(self.hi, other.hi);
        let (t_hi, t_lo) = two_sum(self.lo, other.lo);
        let (v_hi, v_lo) = quick_two_sum(s_hi, s_lo + t_hi);
        let (hi, lo) = quick_two_sum(v_hi, t_lo + v_lo);
        if hi == 0.0 {
            // The relative bound makes a zero result exact, so the heads cancel; their sum has IEEE's sign of zero.
            return Self::from(self.hi + other.hi);
        }
        if lo.is_finite() { Self { hi, lo } } else { self.add_near_overflow(other) }
    }
}

impl DoubleDouble {
    /// The sum when something on the way was not finite: an operand, the result, or only an intermediate.
    #[cold]
    fn add_near_overflow(self, other: Self) -> Self {
        if !(self.is_finite() && other.is_finite()) {
            return Self::from(self.hi + other.hi);
        }
        (self.scaled(-2) + other.scaled(-2)).scaled(2)
    }

    /// `self + a b`: the product exactly (below `2^-960` within `2^-1074`), the sum by AccurateDWPlusDW.
    ///
    /// The inner loop of every long sum of `f64` products, and so without branches and with a fused multiply-add for the
    /// product's error: where the CPU has one, a loop over many sums runs in vectors, and where it has none, the bits are
    /// the same. As in `+`, a zero has the sign that the plain sum has, and where something on the way is not finite the
    /// result is the plain sum.
    #[inline(always)]
    pub(in crate::scalar) fn plus_product(self, a: f64, b: f64) -> Self {
        let product = a * b;
        let error = a.mul_add(b, -product);
        let (s_hi, s_lo) = two_sum(self.hi, product);
        let (t_hi, t_lo) = two_sum(self.lo, error);
        let (v_hi, v_lo) = quick_two_sum(s_hi, s_lo + t_hi);
        let (hi, lo) = quick_two_sum(v_hi, t_lo + v_lo);
        let is_plain = hi == 0.0 || !lo.is_finite();
        Self { hi: if is_plain { s_hi } else { hi }, lo: if is_plain { 0.0 } else { lo } }
    }

    /// DWTimesFP1: error at most `3/2 u^2 + 4u^3`. For finite operands whose product is far from the range's ends.
    #[inline]
    pub(super) fn times(self, y: f64) -> Self {
        let (c_hi, c_lo) = two_prod(self.hi, y);
        let (t_hi, t_lo) = quick_two_sum(c_hi, self.lo * y);
        let (hi, lo) = quick_two_sum(t_hi, t_lo + c_lo);
        Self { hi, lo }
    }

    /// DWTimesDW1, for a product in range; otherwise `lo` is not finite or `hi` is under 2^-960 (in magnitude).
    #[inline]
    fn multiply(self, other: Self) -> Self {
        let (p, e) = two_prod(self.hi, other.hi);
        let (hi, lo) = quick_two_sum(p, e + (self.hi * other.lo + self.lo * other.hi));
        Self { hi, lo }
    }

    /// The product of any operands: as [`Self::divide_scaled`].
    #[inline(never)]
    fn multiply_scaled(self, other: Self) -> Self {
        let product = self.hi * other.hi;
        if !product.is_finite() || self.hi == 0.0 || other.hi == 0.0 {
            return Self::from(product);
        }
        let (k, l) = (exponent(self.hi), exponent(other.hi));
        self.scaled(-k).multiply(other.scaled(-l)).scaled((k + l).max(-1200))
    }

    /// DWDivDW2, for operands of magnitude in [2^-450, 2^450].
    #[inline]
    fn divide(self, divisor: Self) -> Self {
        let quotient = self.hi / divisor.hi;
        let product = divisor.times(quotient);
        let remainder = (self.hi - product.hi) + (self.lo - product.lo);
        let (hi, lo) = quick_two_sum(quotient, remainder / divisor.hi);
        Self { hi, lo }
    }

    /// The quotient of any operands: both are scaled into [1, 2) by powers of two, and the result back, which is where
    /// it is rounded to the bits that are left near underflow, once.
    #[inline(never)]
    fn divide_scaled(self, divisor: Self) -> Self {
        if [self.hi, divisor.hi].iter().any(|x| *x == 0.0 || !x.is_finite()) {
            return Self::from(self.hi / divisor.hi);
        }
        let (k, l) = (exponent(self.hi), exponent(divisor.hi));
        // Beyond 2^+-1200 the result is infinite or zero anyway.
        self.scaled(-k).divide(divisor.scaled(-l)).scaled((k - l).clamp(-1200, 1200))
    }

    /// SQRTDWtoDW (Lefevre, Louvet, Muller, Picot, Rideau 2023); `sqrt(-0) = -0`, negative numbers give `NaN`.
    pub(super) fn square_root(self) -> Self {
        const UNSCALED_FROM: f64 = power_of_two(-900);
        let root = self.hi.sqrt();
        if root == 0.0 || !root.is_finite() {
            return Self::from(root);
        }
        if self.hi < UNSCALED_FROM {
            return self.scaled(400).square_root().scaled(-200); // keeps `root^2` clear of underflow
        }
        let (p, e) = two_prod(root, root);
        let remainder = ((self.hi - p) - e) + self.lo; // hi - root^2 is a floating-point number: exact
        let (hi, lo) = quick_two_sum(root, remainder / (2.0 * root));
        Self { hi, lo }
    }
}

impl Sub for DoubleDouble {
    type Output = Self;
    #[inline]
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for DoubleDouble {
    type Output = Self;
    /// DWTimesDW1.
    #[inline]
    fn mul(self, other: Self) -> Self {
        let product = self.multiply(other);
        let in_range = product.lo.is_finite() && product.hi.abs() >= UNROUNDED_FROM;
        if in_range { product } else { self.multiply_scaled(other) }
    }
}

impl Div for DoubleDouble {
    type Output = Self;
    #[inline]
    fn div(self, other: Self) -> Self {
        /// Where the quotient, its residual and their errors stay in range.
        fn moderate(x: f64) -> bool {
            (power_of_two(-450)..=power_of_two(450)).contains(&x.abs())
        }
        if moderate(self.hi) && moderate(other.hi) { self.divide(other) } else { self.divide_scaled(other) }
    }
}

impl Sum for DoubleDouble {
    /// Left to right, from 0.
    fn sum<I: Iterator<Item = Self>>(terms: I) -> Self {
        terms.fold(Self::ZERO, Add::add)
    }
}
