//! Sums, products and quotients element by element: one rounding an operation.

use super::super::Arg;
use super::super::ball::{Ball, Steps};
use super::super::expected::{Answer, Expected};
use super::super::rounding::Rounding;
use super::arguments::Arguments;
use crate::error::Result;
use crate::kernel::joined_shape;
use ndarray::{ArrayD, IxDyn};

/// One element's ball and magnitude from those of two operands.
type Two = fn(Steps, Ball, Ball) -> (Ball, f64);

/// `add(self, other, *, alpha=1)`, `other` a tensor or a number.
pub(super) fn add(given: &Arguments) -> Result<Answer> {
    scaled_sum(given, given.number(2, "alpha", Some(1.0))?)
}

/// `sub(self, other, *, alpha=1)`.
pub(super) fn sub(given: &Arguments) -> Result<Answer> {
    scaled_sum(given, -given.number(2, "alpha", Some(1.0))?)
}

/// `self + alpha other`: terms that are 0 and factors of 1 round nothing; a fused product leaves a rounding out.
fn scaled_sum(given: &Arguments, alpha: f64) -> Result<Answer> {
    elementwise(given, |steps, a, b| {
        let product = steps.mul(b, steps.number(alpha));
        (steps.add(a, product), a.size() + product.size())
    })
}

/// `mul(self, other)`.
pub(super) fn mul(given: &Arguments) -> Result<Answer> {
    let product: Two = |steps, a, b| (steps.mul(a, b), a.size() * b.size());
    elementwise(given, product)
}

/// `div(self, other)`; by a number a port may as well multiply with the reciprocal, which rounds once more.
pub(super) fn div(given: &Arguments) -> Result<Answer> {
    let by_number = !matches!(given.call.argument(1, "other"), Some(Arg::Tensor(_)));
    elementwise(given, |steps, a, b| {
        let quotient = steps.div(a, b);
        let is_power_of_two = b.centre.hi().to_bits().trailing_zeros() >= 52;
        let quotient = match by_number && !is_power_of_two {
            true => quotient.or(steps.mul(a, steps.div(Ball::exact(1.0), b))),
            false => quotient,
        };
        (quotient, quotient.size())
    })
}

/// Two operands spread to their joint shape, or one beside a number; what is finer than the operation is rounded to its
/// type first.
fn elementwise(given: &Arguments, of: impl Fn(Steps, Ball, Ball) -> (Ball, f64)) -> Result<Answer> {
    let a = given.array(0, "self")?;
    let single = match given.call.argument(1, "other") {
        Some(Arg::Tensor(_)) => None,
        _ => Some(ArrayD::from_elem(IxDyn(&[]), given.number(1, "other", None)?)),
    };
    let b = match &single {
        Some(number) => number,
        None => given.array(1, "other")?,
    };
    Ok(Answer::of(joined(given, &given.rounding(0), [a, b], |steps, a, b| {
        of(steps, steps.number(a), steps.number(b))
    })?))
}

/// `of` of two arrays' elements, spread to their joint shape.
pub(super) fn joined(
    given: &Arguments,
    rounding: &Rounding,
    [a, b]: [&ArrayD<f64>; 2],
    of: impl Fn(Steps, f64, f64) -> (Ball, f64),
) -> Result<Expected> {
    let Some(shape) = joined_shape([a.shape(), b.shape()]) else {
        let found = format!("shape {:?}", b.shape());
        return Err(given.refused("other", format!("a shape that joins with {:?}", a.shape()), found));
    };
    let shape = shape.to_vec();
    let (Some(a), Some(b)) = (a.broadcast(IxDyn(&shape)), b.broadcast(IxDyn(&shape))) else {
        return Err(given.refused("other", "shapes that join", format!("{shape:?}")));
    };
    let steps = Steps(rounding);
    let balls = a.iter().zip(b.iter()).map(|(&a, &b)| of(steps, a, b));
    if rounding.is_integer {
        let truth: Vec<f64> = balls.map(|(ball, _)| ball.centre.hi()).collect();
        let truth = ArrayD::from_shape_vec(IxDyn(&shape), truth);
        return truth.map(Expected::exactly).map_err(|e| given.refused("self", "an array", e.to_string()));
    }
    Ok(Expected::settled(rounding, &shape, balls))
}
