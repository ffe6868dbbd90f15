//! Decimal digits of [`DoubleDouble`].

use super::DoubleDouble;
use std::fmt::{Debug, Display, Formatter, Result};

/// Significant digits printed: 2^-106 is 1.2e-32.
const DIGITS: usize = 32;
/// Places before the point, with room for a carry: f64::MAX has 309.
const INTEGER_PLACES: usize = 310;
/// Places after the point: the smallest subnormal needs 1074.
const FRACTION_PLACES: usize = 1074;

/// The exact decimal expansion of |x|, most significant digit first.
fn expansion(x: f64) -> Vec<i8> {
    let width = INTEGER_PLACES + 1 + FRACTION_PLACES;
    let text = format!("{:0>width$.FRACTION_PLACES$}", x.abs());
    text.bytes().filter(u8::is_ascii_digit).map(|digit| (digit - b'0') as i8).collect()
}

/// Brings every digit into 0 ..= 9 by carrying towards the front.
fn carry(digits: &mut [i8]) {
    let mut carried = 0;
    for digit in digits.iter_mut().rev() {
        let value = *digit + carried;
        carried = value.div_euclid(10);
        *digit = value.rem_euclid(10);
    }
}

/// 32 significant digits, correctly rounded (ties up): the decimal expansions of `hi` and `lo` are exact, and are
/// added digit by digit. Trailing zeros are dropped: `1.5e0`.
impl Display for DoubleDouble {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if !self.hi.is_finite() || self.hi == 0.0 {
            return Display::fmt(&self.hi, f);
        }
        let subtract = self.lo != 0.0 && (self.lo < 0.0) != (self.hi < 0.0);
        let mut digits = expansion(self.hi);
        for (digit, low) in digits.iter_mut().zip(expansion(self.lo)) {
            *digit += if subtract { -low } else { low };
        }
        carry(&mut digits);
        let mut first = digits.iter().position(|&digit| digit != 0).unwrap_or(0);
        if let Some(&next) = digits.get(first + DIGITS) {
            digits.truncate(first + DIGITS);
            if next >= 5
                && let Some(last) = digits.last_mut()
            {
                *last += 1;
                carry(&mut digits);
                first = digits.iter().position(|&digit| digit != 0).unwrap_or(0);
            }
        }
        let exponent = INTEGER_PLACES as i32 - 1 - first as i32;
        let text: String = digits.iter().skip(first).map(|&digit| char::from(b'0' + digit as u8)).collect();
        let text = text.trim_end_matches('0');
        let (head, rest) = text.split_at(1);
        let sign = if self.hi < 0.0 { "-" } else { "" };
        let point = if rest.is_empty() { "" } else { "." };
        write!(f, "{sign}{head}{point}{rest}e{exponent}")
    }
}

/// As [`Display`]: a failed comparison shows the digits.
impl Debug for DoubleDouble {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        Display::fmt(self, f)
    }
}
