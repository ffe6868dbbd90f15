//! Numbers of a header: JSON numbers, or hex-float strings where every bit matters.

use serde_json::Value;

/// The number that a JSON value stands for: a number, or a string such as `"0x1.8p-1"`.
pub(crate) fn parse(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => hex_float(text),
        _ => None,
    }
}

/// A hexadecimal floating-point number of C99: `[-]0x` hex digits with at most one point, `p`, a decimal exponent. The
/// significand must fit 64 bits, and the number must be an `f64` exactly.
pub fn hex_float(text: &str) -> Option<f64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"))?;
    let (significand, exponent) = digits.split_once(['p', 'P']).unwrap_or((digits, "0"));
    let (whole, fraction) = significand.split_once('.').unwrap_or((significand, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let mut bits: u64 = 0;
    for digit in whole.chars().chain(fraction.chars()) {
        bits = bits.checked_mul(16)?.checked_add(digit.to_digit(16)?.into())?;
    }
    if bits == 0 {
        return exponent.parse::<i32>().ok().map(|_| if negative { -0.0 } else { 0.0 });
    }
    let shift = bits.trailing_zeros();
    let bits = bits >> shift;
    if bits >= 1 << 53 {
        return None;
    }
    let places = i32::try_from(fraction.len()).ok()?.checked_mul(4)?;
    let exponent = exponent.parse::<i32>().ok()?.checked_sub(places)?.checked_add(shift as i32)?;
    let size = libm::ldexp(bits as f64, exponent.clamp(-3000, 3000));
    let exact = size.is_finite() && libm::ldexp(size, -exponent.clamp(-3000, 3000)) == bits as f64;
    exact.then_some(if negative { -size } else { size })
}
