//! [`Dyadic`]: sums and products of floating-point numbers without any rounding, and the one rounding at the end.

use crate::error::{Error, Result};
use std::cmp::Ordering;

/// `+-m 2^e` with an integer m of any size: every finite `f64`, and everything that sums and products make of them.
#[derive(Debug, Clone)]
pub struct Dyadic {
    negative: bool,
    /// m in base 2^64, the least digit first; no zeros at the top, so that 0 has no digits.
    digits: Vec<u64>,
    exponent: i64,
}

/// A binary floating-point format with subnormal numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// Bits of a normal number.
    precision: i64,
    /// All numbers are multiples of 2 to this.
    least: i64,
    /// All numbers are below 2 to this.
    most: i64,
}

impl Format {
    pub const F32: Self = Self { precision: 24, least: -149, most: 128 };
    pub const F64: Self = Self { precision: 53, least: -1074, most: 1024 };
}

impl Dyadic {
    pub const ZERO: Self = Self { negative: false, digits: Vec::new(), exponent: 0 };

    /// A finite number, exactly.
    ///
    /// # Errors
    /// [`Error::Domain`] for a number that is not finite.
    pub fn new(x: f64) -> Result<Self> {
        if !x.is_finite() {
            return Err(Error::domain("an exact number", "a finite number", x));
        }
        let (biased, fraction) = ((x.to_bits() >> 52 & 0x7ff) as i64, x.to_bits() & ((1 << 52) - 1));
        let significand = if biased == 0 { fraction } else { fraction | 1 << 52 };
        Ok(Self::from_parts(x.is_sign_negative(), vec![significand], biased.max(1) - 1075))
    }

    /// A count, exactly.
    pub fn count(n: u64) -> Self {
        Self::from_parts(false, vec![n], 0)
    }

    fn from_parts(negative: bool, mut digits: Vec<u64>, exponent: i64) -> Self {
        while digits.last() == Some(&0) {
            digits.pop();
        }
        Self { negative, digits, exponent }
    }

    pub fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    #[must_use]
    pub fn negated(mut self) -> Self {
        self.negative = !self.negative;
        self
    }

    #[must_use]
    pub fn abs(mut self) -> Self {
        self.negative = false;
        self
    }

    /// The sum.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        if self.is_zero() {
            return other.clone();
        }
        if other.is_zero() {
            return self.clone();
        }
        let exponent = self.exponent.min(other.exponent);
        let a = shifted_up(&self.digits, self.exponent - exponent);
        let b = shifted_up(&other.digits, other.exponent - exponent);
        if self.negative == other.negative {
            return Self::from_parts(self.negative, added(a, &b), exponent);
        }
        match compare_digits(&a, &b) {
            Ordering::Equal => Self::ZERO,
            Ordering::Greater => Self::from_parts(self.negative, subtracted(a, &b), exponent),
            Ordering::Less => Self::from_parts(other.negative, subtracted(b, &a), exponent),
        }
    }

    /// The difference.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        self.plus(&other.clone().negated())
    }

    /// The product.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        let mut digits = vec![0; self.digits.len() + other.digits.len()];
        for (i, &a) in self.digits.iter().enumerate() {
            let mut carry = 0;
            for (j, &b) in other.digits.iter().enumerate() {
                let sum = u128::from(a) * u128::from(b) + u128::from(digits[i + j]) + carry;
                digits[i + j] = sum as u64;
                carry = sum >> 64;
            }
            digits[i + other.digits.len()] = carry as u64;
        }
        Self::from_parts(self.negative != other.negative, digits, self.exponent + other.exponent)
    }

    /// The power, by repeated multiplication.
    #[must_use]
    pub fn power(&self, t: u64) -> Self {
        (0..t).fold(Self::count(1), |power, _| power.times(self))
    }

    /// The largest integer not above the number, for one that is not negative and below 2^64.
    pub fn floor(&self) -> Option<u64> {
        if self.is_zero() {
            return Some(0);
        }
        let (whole, _) = split(&self.digits, -self.exponent);
        match whole.as_slice() {
            _ if self.negative || self.exponent >= 64 => None,
            [] => Some(0),
            [digit] => Some(*digit),
            _ => None,
        }
    }

    /// By value.
    pub fn compare(&self, other: &Self) -> Ordering {
        let difference = self.minus(other);
        match (difference.is_zero(), difference.negative) {
            (true, _) => Ordering::Equal,
            (false, true) => Ordering::Less,
            (false, false) => Ordering::Greater,
        }
    }

    /// The nearest number of a format (of two, the even one); infinite beyond the largest. As `f64`, which holds all.
    pub fn rounded(&self, format: Format) -> f64 {
        round(self.negative, &self.digits, self.exponent, false, format)
    }

    /// The quotient by a positive count, rounded once to a format.
    pub fn quotient(&self, divisor: u64, format: Format) -> f64 {
        // 128 bits more make a quotient of more than 64 bits, below which any remainder is only a sign that it is there.
        const MORE: i64 = 128;
        let mut digits = shifted_up(&self.digits, MORE);
        let mut remainder = 0;
        for digit in digits.iter_mut().rev() {
            let dividend = u128::from(remainder) << 64 | u128::from(*digit);
            *digit = (dividend / u128::from(divisor)) as u64;
            remainder = (dividend % u128::from(divisor)) as u64;
        }
        let quotient = Self::from_parts(self.negative, digits, self.exponent - MORE);
        round(quotient.negative, &quotient.digits, quotient.exponent, remainder != 0, format)
    }
}

/// `digits 2^bits` for `bits >= 0`.
fn shifted_up(digits: &[u64], bits: i64) -> Vec<u64> {
    let (whole, part) = ((bits / 64) as usize, (bits % 64) as u32);
    let mut shifted = vec![0; whole];
    let mut carry = 0;
    for &digit in digits {
        let wide = u128::from(digit) << part | u128::from(carry);
        shifted.push(wide as u64);
        carry = (wide >> 64) as u64;
    }
    shifted.push(carry);
    shifted
}

/// The whole part of `digits / 2^bits`, and what is left: 0, below a half, a half, or above it.
fn split(digits: &[u64], bits: i64) -> (Vec<u64>, Rest) {
    let mut whole = if bits <= 0 { shifted_up(digits, -bits) } else { Vec::new() };
    let mut rest = Rest::Nothing;
    if bits > 0 {
        let bit = |i: i64| digits.get((i / 64) as usize).is_some_and(|digit| digit >> (i % 64) & 1 == 1);
        let below = (0..(bits - 1).min(64 * digits.len() as i64)).any(bit);
        rest = match (bit(bits - 1), below) {
            (false, false) => Rest::Nothing,
            (false, true) => Rest::BelowHalf,
            (true, false) => Rest::Half,
            (true, true) => Rest::AboveHalf,
        };
        let (skip, part) = ((bits / 64) as usize, (bits % 64) as u32);
        let kept = digits.get(skip..).unwrap_or_default();
        for (i, &digit) in kept.iter().enumerate() {
            let above = kept.get(i + 1).copied().unwrap_or(0);
            whole.push(((u128::from(above) << 64 | u128::from(digit)) >> part) as u64);
        }
    }
    while whole.last() == Some(&0) {
        whole.pop();
    }
    (whole, rest)
}

/// What a whole part leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    Nothing,
    BelowHalf,
    Half,
    AboveHalf,
}

/// `digits 2^exponent`, or a little more if `more`, rounded to nearest, ties to even.
fn round(negative: bool, digits: &[u64], exponent: i64, more: bool, format: Format) -> f64 {
    let sign = if negative { -1.0 } else { 1.0 };
    let Some(top) = digits.last() else { return 0.0 };
    let above = exponent + 64 * digits.len() as i64 - i64::from(top.leading_zeros());
    if above > format.most {
        return sign * f64::INFINITY;
    }
    let unit = (above - format.precision).max(format.least);
    let (whole, rest) = split(digits, unit - exponent);
    let significand = whole.first().copied().unwrap_or(0);
    let up = match rest {
        Rest::AboveHalf => true,
        Rest::Half => more || significand % 2 == 1,
        Rest::Nothing | Rest::BelowHalf => false,
    };
    // At most 53 bits, or a power of two: exact, and so is the scaling, since every format's numbers are `f64`.
    let value = libm::ldexp((significand + u64::from(up)) as f64, unit as i32);
    sign * if value >= libm::ldexp(1.0, (format.most - 1) as i32) * 2.0 { f64::INFINITY } else { value }
}

fn compare_digits(a: &[u64], b: &[u64]) -> Ordering {
    let len = a.len().max(b.len());
    let digit = |digits: &[u64], i: usize| digits.get(i).copied().unwrap_or(0);
    (0..len).rev().map(|i| digit(a, i).cmp(&digit(b, i))).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

fn added(mut a: Vec<u64>, b: &[u64]) -> Vec<u64> {
    a.resize(a.len().max(b.len()) + 1, 0);
    let mut carry = false;
    for (i, digit) in a.iter_mut().enumerate() {
        let (sum, over) = digit.overflowing_add(b.get(i).copied().unwrap_or(0));
        let (sum, over_again) = sum.overflowing_add(carry.into());
        (*digit, carry) = (sum, over || over_again);
    }
    a
}

/// `a - b` for `a >= b`.
fn subtracted(mut a: Vec<u64>, b: &[u64]) -> Vec<u64> {
    let mut borrow = false;
    for (i, digit) in a.iter_mut().enumerate() {
        let (rest, under) = digit.overflowing_sub(b.get(i).copied().unwrap_or(0));
        let (rest, under_again) = rest.overflowing_sub(borrow.into());
        (*digit, borrow) = (rest, under || under_again);
    }
    a
}
