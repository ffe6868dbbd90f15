//! Checks of operand shapes that several ops share. Each failure names the op and the operand.

use crate::error::{Error, Result};
use crate::op::{Op, Shape};

/// The most elements an op may produce when an attribute or a broadcast, rather than its inputs, sets the size
/// (8 GiB of `f64`): a corrupt attribute is an error message, never an allocation.
pub const MAX_ELEMENTS: usize = 1 << 30;

/// The shapes of the inputs of an op that has `N`.
pub(super) fn exactly<'a, O: Op, const N: usize>(inputs: &[&'a [usize]]) -> Result<[&'a [usize]; N]> {
    O::INPUTS.check(O::NAME, inputs.len())?;
    inputs.try_into().map_err(|_| Error::shape(O::NAME, "inputs", N.to_string(), format!("{} inputs", inputs.len())))
}

/// The only input's shape as `[n, c, h, w]`.
pub(super) fn image<O: Op>(inputs: &[&[usize]]) -> Result<[usize; 4]> {
    let [x] = exactly::<O, _>(inputs)?;
    x.try_into().map_err(|_| Error::shape(O::NAME, "x", "shape [n, c, h, w]", format!("shape {x:?}")))
}

/// As [`image`], with at least one pixel per plane (something to take a mean or a maximum of).
pub(super) fn image_with_pixels<O: Op>(inputs: &[&[usize]]) -> Result<[usize; 4]> {
    let [n, c, h, w] = image::<O>(inputs)?;
    if h == 0 || w == 0 {
        return Err(Error::shape(O::NAME, "x", "at least one pixel", format!("shape {:?}", [n, c, h, w])));
    }
    Ok([n, c, h, w])
}

/// An axis of an array of this rank.
pub(super) fn axis(op: &'static str, name: &str, axis: usize, rank: usize) -> Result<()> {
    if axis < rank {
        return Ok(());
    }
    Err(Error::shape(op, format!("attribute `{name}`"), format!("an axis below the rank {rank}"), axis.to_string()))
}

/// An attribute that counts something there must be at least one of.
pub(super) fn positive(op: &'static str, name: &str, value: usize) -> Result<()> {
    if value > 0 {
        return Ok(());
    }
    Err(Error::shape(op, format!("attribute `{name}`"), "at least 1", value.to_string()))
}

/// `shape` itself if an array of it stays within [`MAX_ELEMENTS`]; an extent of 0 does not excuse the others.
pub(super) fn bounded(op: &'static str, shape: Shape) -> Result<Shape> {
    match product(&shape.iter().map(|&extent| extent.max(1)).collect::<Shape>()) {
        elements if elements <= MAX_ELEMENTS => Ok(shape),
        _ => Err(Error::shape(op, "y", format!("at most {MAX_ELEMENTS} elements"), format!("shape {shape:?}"))),
    }
}

/// The product of extents, or the largest number where it is larger.
pub(super) fn product(extents: &[usize]) -> usize {
    extents.iter().fold(1, |product, &extent| product.saturating_mul(extent))
}
