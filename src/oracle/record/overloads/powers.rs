//! Powers, roots, logarithms and exponentials element by element.

use super::super::ball::{Ball, Steps};
use super::super::expected::Answer;
use super::arguments::Arguments;
use super::piecewise::each;
use super::pointwise::joined;
use crate::error::Result;
use crate::scalar::{DoubleDouble, Scalar};

/// What has to be declared for powers whose logarithm is rounded before it is multiplied.
const BY_LOGARITHM: &str = "a power by way of exp and log";

/// `exp(self)`.
pub(super) fn exp(given: &Arguments) -> Result<Answer> {
    each(given, |steps, x| steps.exp(Ball::exact(x)))
}

/// `log(self)`.
pub(super) fn log(given: &Arguments) -> Result<Answer> {
    each(given, |steps, x| steps.ln(Ball::exact(x)))
}

/// `sqrt(self)`.
pub(super) fn root(given: &Arguments) -> Result<Answer> {
    each(given, |steps, x| steps.sqrt(Ball::exact(x)))
}

/// `rsqrt(self)`.
pub(super) fn reciprocal_root(given: &Arguments) -> Result<Answer> {
    each(given, |steps, x| steps.reciprocal_root(Ball::exact(x)))
}

/// `reciprocal(self)`.
pub(super) fn reciprocal(given: &Arguments) -> Result<Answer> {
    each(given, |steps, x| steps.div(Ball::exact(1.0), Ball::exact(x)))
}

/// `pow(self, exponent)`: products, roots and quotients for the exponents that have them; for all others a function that
/// is within `exp_ulps`, as those are allowed to be too, or exp(p ln x).
pub(super) fn power(given: &Arguments) -> Result<Answer> {
    let exponent = given.number(1, "exponent", None)?;
    let narrow = each(given, |steps, x| of_function(steps, x, exponent))?;
    let wide = each(given, |steps, x| {
        let by_function = of_function(steps, x, exponent);
        let by_logarithm = steps.exp(steps.mul(steps.number(exponent), steps.ln(Ball::exact(x))));
        let is_short = exponent == exponent.round() && exponent.abs() <= 3.0;
        if is_short || x <= 0.0 || !x.is_finite() { by_function } else { by_function.or(by_logarithm) }
    })?;
    Ok(narrow.unless_declared(wide, BY_LOGARITHM))
}

fn of_function(steps: Steps, x: f64, exponent: f64) -> Ball {
    let base = Ball::exact(x);
    let whole = exponent == exponent.round() && exponent.abs() <= f64::from(1 << 10);
    if exponent == 0.0 {
        return Ball::exact(1.0);
    }
    if exponent == 1.0 {
        return base;
    }
    if exponent == 0.5 {
        return steps.sqrt(base);
    }
    if x == 0.0 || !x.is_finite() || (x < 0.0 && !whole) {
        return Ball::exact(libm::pow(x, exponent));
    }
    let centre = if whole {
        let product = (0..exponent.abs() as u32).fold(DoubleDouble::ONE, |product, _| product * base.centre);
        if exponent < 0.0 { DoubleDouble::ONE / product } else { product }
    } else {
        (DoubleDouble::from(exponent) * base.centre.ln()).exp()
    };
    if exponent == 2.0 {
        return steps.mul(base, base);
    }
    // As many roundings as products, or an elementary function.
    let operations = &steps.0.operations;
    let relative = operations.elementary().max((exponent.abs().min(4.0) + 1.0) * operations.stored);
    let size = centre.abs().to_f64();
    Ball { centre, any: 0.0, likely: 0.0 }.off_by(relative * size + operations.underflow)
}

/// `xlogy(self, other)`: x ln y, and 0 for an x of 0.
pub(super) fn times_logarithm(given: &Arguments) -> Result<Answer> {
    let (x, y) = (given.array(0, "self")?, given.array(1, "other")?);
    let rounding = given.rounding(0);
    let product = joined(given, &rounding, [x, y], |steps, x, y| {
        let product = if x == 0.0 { Ball::exact(0.0) } else { steps.mul(Ball::exact(x), steps.ln(Ball::exact(y))) };
        (product, product.size())
    });
    Ok(Answer::of(product?))
}
