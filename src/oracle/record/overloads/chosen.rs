//! What chooses among numbers, compares them or turns their signs: exactly.

use super::super::expected::{Answer, Expected};
use super::super::{Arg, Value};
use super::arguments::Arguments;
use super::slips::Slip;
use crate::error::Result;
use crate::kernel::joined_shape;
use ndarray::{ArrayD, ArrayViewD, IxDyn, Zip};
use safetensors::Dtype;

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

/// `abs(self)`.
pub(super) fn abs(given: &Arguments) -> Result<Answer> {
    Ok(chosen(given, given.tensor(0, "self")?, f64::abs))
}

/// `sgn(self)`, `sign(self)`: -1, 0 or 1; what is not a number stays it.
pub(super) fn sign(given: &Arguments) -> Result<Answer> {
    Ok(chosen(given, given.tensor(0, "self")?, |x| if x == 0.0 || x.is_nan() { x } else { x.signum() }))
}

/// `bitwise_not(self)`: of truth values the other one, of integers -x - 1, of those without a sign what is left of the
/// largest.
pub(super) fn bitwise_not(given: &Arguments) -> Result<Answer> {
    let x = given.tensor(0, "self")?;
    let largest = match x.dtype {
        Dtype::BOOL => 1.0,
        Dtype::U8 => f64::from(u8::MAX),
        Dtype::U16 => f64::from(u16::MAX),
        Dtype::U32 => f64::from(u32::MAX),
        Dtype::I8 | Dtype::I16 | Dtype::I32 | Dtype::I64 => -1.0,
        _ => return Err(given.refused("self", "truth values or integers", format!("{:?}", x.dtype))),
    };
    Ok(Answer::of(Expected::exactly(x.array.mapv(|x| largest - x))))
}

/// `masked_fill(self, mask, value)`: the value, rounded to the result's type, where the mask is, else self.
pub(super) fn masked_fill(given: &Arguments) -> Result<Answer> {
    let (x, mask) = (given.tensor(0, "self")?, given.array(1, "mask")?);
    let value = match given.call.argument(2, "value") {
        Some(Arg::Tensor(value)) if value.array.len() == 1 => value.array.iter().copied().next().unwrap_or(0.0),
        _ => given.number(2, "value", None)?,
    };
    let shape = joined_shape([x.array.shape(), mask.shape()]).map(|shape| IxDyn(&shape));
    let wide = |x: &ArrayD<f64>| shape.as_ref().and_then(|shape| x.broadcast(shape.clone()).map(|x| x.to_owned()));
    let (Some(kept), Some(mask)) = (wide(&x.array), wide(mask)) else {
        let found = format!("shape {:?}", mask.shape());
        return Err(given.refused("mask", format!("a shape that joins with {:?}", x.array.shape()), found));
    };
    let filled = Zip::from(&kept).and(&mask).map_collect(|&x, &mask| if mask != 0.0 { value } else { x });
    // The numbers that stay are of the result's type: what rounds is the value alone.
    Ok(Answer::of(Expected::copied(&given.rounding(0), filled, Dtype::F64, given.result_type(0))))
}
