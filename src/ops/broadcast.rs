//! Broadcasting of two operands, as in numpy and PyTorch: shapes are aligned at the last axis, and an axis of
//! extent 1, or one that is not there, repeats.

use super::{flat, sample, shape};
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD, Axis};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// The shape of `a` and `b` broadcast against each other.
///
/// # Errors
/// [`Error::Shape`] if two extents differ and neither is 1, or the result would be too large.
pub(super) fn out_shape(op: &'static str, inputs: &[&[usize]]) -> Result<Vec<usize>> {
    let [a, b] = shape::exactly(op, ["a", "b"], inputs)?;
    let joined = joined_shape(a, b)
        .ok_or_else(|| Error::shape(op, "b", format!("a shape that broadcasts with {a:?}"), format!("shape {b:?}")))?;
    shape::bounded(op, joined)
}

fn joined_shape(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let extent = |x: &[usize], axis: usize| (axis + x.len()).checked_sub(rank).map_or(1, |axis| x[axis]);
    let joined = |axis| match (extent(a, axis), extent(b, axis)) {
        (a, b) if a == b || b == 1 => Some(a),
        (1, b) => Some(b),
        _ => None,
    };
    (0..rank).map(joined).collect()
}

/// `f(a, b)` for every pair of elements; the shapes must broadcast.
pub(super) fn zip<S: Scalar>(
    kernel: Kernel,
    a: &ArrayViewD<S>,
    b: &ArrayViewD<S>,
    f: impl Fn(S, S) -> S + Sync + Send,
) -> ArrayD<S> {
    let joined = joined_shape(a.shape(), b.shape()).unwrap_or_default();
    let [a, b] = [a, b].map(|x| x.broadcast(joined.as_slice()).expect("shapes that broadcast"));
    flat::zip(kernel, &a, &b, f)
}

/// The adjoint of broadcasting `shape` to the shape of dy: the sum of `term(dy, other)` over the axes that repeat.
///
/// Axes are summed one after another, the first first, each in increasing index, in [`Scalar::Wide`]; `other` must
/// broadcast to dy's shape.
pub(super) fn gradient<S: Scalar>(
    shape: &[usize],
    dy: &ArrayViewD<S>,
    other: &ArrayViewD<S>,
    term: impl Fn(S::Wide, S::Wide) -> S::Wide,
) -> ArrayD<S> {
    let other = other.broadcast(dy.raw_dim()).expect("shapes that broadcast");
    let terms = dy.iter().zip(other.iter()).map(|(dy, other)| term(dy.widen(), other.widen())).collect();
    let mut sums = flat::array(dy.shape(), terms);
    let leading = dy.ndim() - shape.len();
    for axis in 0..dy.ndim() {
        if axis < leading || (shape[axis - leading] == 1 && dy.shape()[axis] != 1) {
            sums = sums.fold_axis(Axis(axis), S::Wide::ZERO, |&sum, &term| sum + term).insert_axis(Axis(axis));
        }
    }
    flat::array(shape, sums.iter().map(|&sum| S::narrow(sum)).collect())
}

/// Two operands that broadcast, the first with the larger rank half of the time.
pub(super) fn sample(rng: &mut ChaCha8Rng, size: usize) -> Vec<ArrayD<f64>> {
    let rank = sample::extent(rng, size) - 1;
    let full = sample::shape(rng, rank, size);
    let mut operand = |cut: usize| {
        let shape: Vec<usize> =
            full[cut..].iter().map(|&extent| if rng.random_bool(0.3) { 1 } else { extent }).collect();
        sample::array(rng, &shape)
    };
    let (a, b) = (operand(0), operand(rank / 2));
    if rng.random() { vec![a, b] } else { vec![b, a] }
}
