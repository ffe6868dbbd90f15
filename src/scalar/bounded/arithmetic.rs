//! `+ - * /` of [`Bounded`].

use super::outward::{below, magnitude, product, quotient};
use super::{Bounded, Rounding};
use crate::scalar::assign::assigning_operators;
use std::ops::{Add, Div, Mul, Neg, Sub};

// Out of line: these serve proofs, where the size of every op in every number system counts for more than speed.
assigning_operators!(Bounded<S>, S: Rounding);

impl<S: Rounding> Neg for Bounded<S> {
    type Output = Self;
    fn neg(self) -> Self {
        Self::new(-self.value, self.error)
    }
}

impl<S: Rounding> Add for Bounded<S> {
    type Output = Self;
    #[inline(never)]
    fn add(self, other: Self) -> Self {
        let value = self.value + other.value;
        let passed_on = self.error + other.error;
        if self.value == S::ZERO || other.value == S::ZERO {
            Self::unrounded(value, passed_on)
        } else {
            Self::rounded(value, passed_on, 1.0)
        }
    }
}

impl<S: Rounding> Sub for Bounded<S> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl<S: Rounding> Mul for Bounded<S> {
    type Output = Self;
    /// `|ab - AB| <= |a| e_b + |b| e_a + e_a e_b`.
    #[inline(never)]
    fn mul(self, other: Self) -> Self {
        let (a, b) = (self.value, other.value);
        let passed_on =
            product(magnitude(a), other.error) + product(magnitude(b), self.error) + product(self.error, other.error);
        if [a, b].iter().any(|x| *x == S::ZERO || x.abs() == S::ONE) {
            Self::unrounded(a * b, passed_on)
        } else {
            Self::rounded(a * b, passed_on, 1.0)
        }
    }
}

impl<S: Rounding> Div for Bounded<S> {
    type Output = Self;
    /// `|a/b - A/B| <= (|a/b| e_b + e_a) / (|b| - e_b)`.
    #[inline(never)]
    fn div(self, other: Self) -> Self {
        let (a, b) = (magnitude(self.value), magnitude(other.value));
        let numerator = product(quotient(a, below(b, 0.0)), other.error) + self.error;
        let nearest_to_zero = below(b, other.error);
        let passed_on = if nearest_to_zero > 0.0 { quotient(numerator, nearest_to_zero) } else { f64::INFINITY };
        let value = self.value / other.value;
        if self.value == S::ZERO { Self::unrounded(value, passed_on) } else { Self::rounded(value, passed_on, 1.0) }
    }
}
