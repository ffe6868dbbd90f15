//! Copies between arrays and boxes of them: what concat, split, pad and strided_slice are made of.

use super::flat;
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD, Axis, Slice};

/// A copy in row-major order.
pub(super) fn owned<S: Scalar>(x: &ArrayViewD<S>) -> ArrayD<S> {
    flat::array(x.shape(), flat::flat(x).into_owned())
}

/// `x` cut along `axis` into consecutive pieces of these sizes, which sum to its extent.
pub(super) fn split<S: Scalar>(x: &ArrayViewD<S>, axis: usize, sizes: &[usize]) -> Vec<ArrayD<S>> {
    let mut start = 0;
    let piece = |&size: &usize| {
        let piece = x.slice_axis(Axis(axis), Slice::from(start..start + size));
        start += size;
        owned(&piece)
    };
    sizes.iter().map(piece).collect()
}

/// The inverse of [`split`]: the arrays one after another along `axis`, into an array of `shape`.
pub(super) fn concat<S: Scalar>(pieces: &[ArrayViewD<S>], axis: usize, shape: &[usize]) -> ArrayD<S> {
    let mut y = ArrayD::from_elem(shape, S::ZERO);
    let mut start = 0;
    for piece in pieces {
        let size = piece.len_of(Axis(axis));
        y.slice_axis_mut(Axis(axis), Slice::from(start..start + size)).assign(piece);
        start += size;
    }
    y
}
