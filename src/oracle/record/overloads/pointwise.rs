//! What works element by element: one rounding an operation, or none.

use super::super::ball::{Ball, Steps};
use super::super::expected::{Answer, Expected};
use super::super::rounding::Rounding;
use super::super::{Arg, Value};
use super::arguments::Arguments;
use super::slips::Slip;
use crate::error::Result;
use crate::kernel::joined_shape;
use crate::scalar::power_of_two;
use ndarray::{ArrayD, ArrayViewD, IxDyn, Zip};

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
        let product = steps.mul(b, number(steps, alpha));
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

/// A number of a program, f64, as an operation takes it: rounded to the operation's type, where that does not hold it.
fn number(steps: Steps, x: f64) -> Ball {
    let operations = &steps.0.operations;
    let is_held = steps.0.is_integer || operations.stored <= power_of_two(-53) || is_single(steps, x);
    if is_held { Ball::exact(x) } else { Ball::exact(x).off_by(operations.stored * x.abs()) }
}

/// Whether formulas in f32 hold it.
fn is_single(steps: Steps, x: f64) -> bool {
    steps.0.operations.stored <= power_of_two(-24) && f64::from(x as f32) == x
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
        of(steps, number(steps, a), number(steps, b))
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

/// Exact choices of an operand's elements.
fn chosen(given: &Arguments, operand: &Value, of: impl Fn(f64) -> f64) -> Answer {
    let result = given.result_type(0);
    Answer::of(Expected::copied(&given.rounding(0), operand.array.mapv(of), operand.dtype, result))
}

/// `relu(self)`: max(x, 0), exactly; what is not a number stays it.
pub(super) fn relu(given: &Arguments) -> Result<Answer> {
    Ok(chosen(given, given.tensor(0, "self")?, |x| if x <= 0.0 { 0.0 } else { x }))
}

/// `hardtanh(self, min_val=-1, max_val=1)`, `clamp(self, min, max)`: exactly.
pub(super) fn clamp(given: &Arguments) -> Result<Answer> {
    let is_hardtanh = given.overload.contains("hardtanh");
    let (names, defaults) = match is_hardtanh {
        true => (["min_val", "max_val"], [-1.0, 1.0]),
        false => (["min", "max"], [f64::NEG_INFINITY, f64::INFINITY]),
    };
    let [low, high] = [given.number(1, names[0], Some(defaults[0]))?, given.number(2, names[1], Some(defaults[1]))?];
    Ok(chosen(given, given.tensor(0, "self")?, |x| {
        if x < low {
            low
        } else if x > high {
            high
        } else {
            x
        }
    }))
}

/// The upstream gradient where `lets` says so of the operand, else 0: exactly.
fn gated(given: &Arguments, lets: impl Fn(f64) -> bool) -> Result<Answer> {
    let (dy, x) = (given.tensor(0, "grad_output")?, given.array(1, "self")?);
    let x: ArrayViewD<f64> = match x.broadcast(dy.array.raw_dim()) {
        Some(x) => x,
        None => return Err(given.refused("self", format!("shape {:?}", dy.array.shape()), format!("{:?}", x.shape()))),
    };
    let dx = Zip::from(&dy.array).and(&x).map_collect(|&dy, &x| if lets(x) { dy } else { 0.0 });
    Ok(Answer::of(Expected::copied(&given.rounding(0), dx, dy.dtype, given.result_type(0))))
}

/// `threshold_backward(grad_output, self, threshold)`: dy where x > threshold, which is relu'(0) = 0.
pub(super) fn threshold_backward(given: &Arguments) -> Result<Answer> {
    let threshold = given.number(2, "threshold", Some(0.0))?;
    let closed = given.has(Slip::GateClosed);
    gated(given, |x| x > threshold || (closed && x == threshold))
}

/// `hardtanh_backward(grad_output, self, min_val, max_val)`: dy strictly between the bounds.
pub(super) fn hardtanh_backward(given: &Arguments) -> Result<Answer> {
    let [low, high] = [given.number(2, "min_val", None)?, given.number(3, "max_val", None)?];
    let closed = given.has(Slip::GateClosed);
    gated(given, |x| (low < x && x < high) || (closed && (x == low || x == high)))
}

/// `neg(self)`: exactly.
pub(super) fn neg(given: &Arguments) -> Result<Answer> {
    Ok(chosen(given, given.tensor(0, "self")?, |x| -x))
}

/// Comparisons with a number: exactly.
pub(super) fn compare(given: &Arguments) -> Result<Answer> {
    let (x, other) = (given.array(0, "self")?, given.number(1, "other", None)?);
    let relation: fn(f64, f64) -> bool = match given.overload {
        "aten.gt.Scalar" => |a, b| a > b,
        "aten.ge.Scalar" => |a, b| a >= b,
        "aten.lt.Scalar" => |a, b| a < b,
        "aten.le.Scalar" => |a, b| a <= b,
        "aten.eq.Scalar" => |a, b| a == b,
        _ => |a, b| a != b,
    };
    Ok(Answer::of(Expected::exactly(x.mapv(|x| f64::from(u8::from(relation(x, other)))))))
}

/// `where(condition, self, other)`: exactly.
pub(super) fn choose(given: &Arguments) -> Result<Answer> {
    let [condition, a, b] = [given.array(0, "condition")?, given.array(1, "self")?, given.array(2, "other")?];
    let shape = joined_shape([a.shape(), b.shape(), condition.shape()]).map(|shape| IxDyn(&shape));
    let wide = |x: &ArrayD<f64>| shape.as_ref().and_then(|shape| x.broadcast(shape.clone()).map(|x| x.to_owned()));
    match (wide(condition), wide(a), wide(b)) {
        (Some(condition), Some(a), Some(b)) => {
            let chosen = Zip::from(&condition).and(&a).and(&b).map_collect(|&c, &a, &b| if c != 0.0 { a } else { b });
            Ok(Answer::of(Expected::exactly(chosen)))
        }
        _ => Err(given.refused("other", "shapes that join", format!("{:?}", b.shape()))),
    }
}
