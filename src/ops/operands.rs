//! The operands of the products: array views of a known rank, and the optional bias.

use super::shape;
use crate::error::{Error, Result};
use crate::op::{Argument, ArrayNames, Cost, Op, Shape};
use crate::scalar::Scalar;
use ndarray::{ArrayRef, ArrayView, ArrayView1, Dimension, IxDyn};

/// `array` as a view of rank `D`, which `out_shapes` has checked.
pub(super) fn of_rank<'a, S: Scalar, D: Dimension>(array: &'a ArrayRef<S, IxDyn>) -> ArrayView<'a, S, D> {
    array.view().into_dimensionality().expect("out_shapes checks the rank")
}

/// The third input, if there is one.
pub(super) fn bias<'a, S: Scalar>(inputs: &'a [Argument<S>]) -> Option<ArrayView1<'a, S>> {
    inputs.get(2).map(|b| of_rank(b))
}

/// Of a weighted sum: x, the weight, and what is added to each output.
pub(super) const WITH_OPTIONAL_BIAS: ArrayNames = ArrayNames::LastOptional(&["x", "w", "b"]);

/// The shapes of x and w, with the bias b `[outputs]` checked where there is one; `outputs` is w's first extent.
pub(super) fn with_optional_bias<'a, O: Op>(inputs: &[&'a [usize]]) -> Result<(&'a [usize], &'a [usize])> {
    O::INPUTS.check(O::NAME, inputs.len())?;
    let (x, w, b) = (inputs[0], inputs[1], inputs.get(2));
    match (b, w) {
        (Some(&b), [outputs, ..]) if b != [*outputs] => {
            Err(Error::shape(O::NAME, "b", format!("shape [{outputs}]"), format!("shape {b:?}")))
        }
        _ => Ok((x, w)),
    }
}

/// A shape of exactly `N` extents.
pub(super) fn extents<const N: usize>(
    op: &'static str,
    name: &str,
    expected: &str,
    shape: &[usize],
) -> Result<[usize; N]> {
    shape.try_into().map_err(|_| Error::shape(op, name, format!("shape {expected}"), format!("shape {shape:?}")))
}

/// The extents of images, `[n,c,h,w]`; `[n,c]` counts as `[n,c,1,1]`.
#[cfg(feature = "cuda")]
pub(super) fn four_extents(shape: &[usize]) -> [usize; 4] {
    std::array::from_fn(|axis| shape.get(axis).copied().unwrap_or(1))
}

/// Two extents that must be equal; `expected` and `found` come with the operand named by `place`.
pub(super) fn equal(op: &'static str, place: &str, meaning: &str, expected: usize, found: usize) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    Err(Error::shape(op, place, format!("{meaning} = {expected}"), found.to_string()))
}

/// The cost of summing one product per weight of its filter `w[o, ..]` into every output.
pub(super) fn products_with_filters(inputs: &[&[usize]], outputs: &[Shape]) -> Cost {
    let filter = inputs.get(1).map_or(0, |w| shape::product(&w[1..]));
    let products = shape::product(&outputs[0]).saturating_mul(filter);
    Cost { multiply_accumulates: products, weight_gradient: products, saved_bytes: 0 }
}
