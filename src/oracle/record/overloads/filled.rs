//! Arrays of one number, and memory that holds none yet.

use super::super::expected::{Answer, Claim, Expected};
use super::super::{Arg, unit_roundoff};
use super::arguments::Arguments;
use crate::error::Result;
use ndarray::{ArrayD, IxDyn};
use safetensors::Dtype;

/// `empty` and what it is called besides: memory that may hold anything.
pub(super) fn empty(_: &Arguments) -> Result<Answer> {
    Ok(Answer { results: vec![Claim::Anything], writes: Vec::new() })
}

/// `zeros`, `zeros_like`, `new_zeros`, `zero_`.
pub(super) fn zeros(given: &Arguments) -> Result<Answer> {
    filled(given, 0.0)
}

/// `ones`, `ones_like`.
pub(super) fn ones(given: &Arguments) -> Result<Answer> {
    filled(given, 1.0)
}

/// `full(size, fill_value)`, `full_like(self, fill_value)`, `fill_(self, value)`, `scalar_tensor(s)`.
pub(super) fn full(given: &Arguments) -> Result<Answer> {
    let (position, name) = match given.overload {
        "aten.fill_.Scalar" | "aten.fill_.Tensor" => (1, "value"),
        "aten.scalar_tensor.default" => (0, "s"),
        _ => (1, "fill_value"),
    };
    let value = match given.call.argument(position, name) {
        Some(Arg::Tensor(value)) if value.array.len() == 1 => value.array.iter().copied().next().unwrap_or(0.0),
        _ => given.number(position, name, None)?,
    };
    filled(given, value)
}

/// The value in the shape that the arguments say: a tensor's, or a list of extents.
fn filled(given: &Arguments, value: f64) -> Result<Answer> {
    let shape = match given.call.argument(0, "size") {
        _ if given.overload == "aten.scalar_tensor.default" => Vec::new(),
        Some(Arg::Tensor(_)) if given.overload.starts_with("aten.new_") => given.extents(1, "size")?,
        Some(Arg::Tensor(like)) => like.array.shape().to_vec(),
        _ => given.extents(0, "size")?,
    };
    let elements = shape.iter().fold(1_usize, |product, &extent| product.saturating_mul(extent));
    if elements > crate::ops::MAX_ELEMENTS {
        let expected = format!("{} elements at most", crate::ops::MAX_ELEMENTS);
        return Err(given.refused("size", expected, format!("{shape:?}")));
    }
    let to = given.result_type(0);
    let value = if unit_roundoff(to).is_none() { value.trunc() } else { value };
    let array = ArrayD::from_elem(IxDyn(&shape), value);
    // A number of a program is one of f64.
    Ok(Answer::of(Expected::copied(&given.rounding(0), array, Dtype::F64, to)))
}
