//! Arrays as flat slices in row-major order, and loops over them that rayon may share out.
//!
//! Work is split over outputs only: every output element, and every reduction, is computed by one thread in the
//! same order, so the bits depend neither on the number of threads nor on the kernel.

use crate::kernel::Kernel;
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};
use rayon::prelude::*;
use std::borrow::Cow;

/// Fewer elements than this are not worth handing to another thread.
const GRAIN: usize = 1 << 13;

/// The elements in row-major order: borrowed if they lie so in memory, else gathered.
pub(super) fn flat<'a, S: Scalar>(x: &ArrayViewD<'a, S>) -> Cow<'a, [S]> {
    match x.to_slice() {
        Some(slice) => Cow::Borrowed(slice),
        None => Cow::Owned(x.iter().copied().collect()),
    }
}

/// The array of this shape with these elements in row-major order, as many as the shape holds.
pub(super) fn array<S>(shape: &[usize], elements: Vec<S>) -> ArrayD<S> {
    ArrayD::from_shape_vec(shape, elements).expect("as many elements as the shape holds")
}

/// `f(x)` for every element.
pub(super) fn map<S: Scalar>(kernel: Kernel, x: &ArrayViewD<S>, f: impl Fn(S) -> S + Sync + Send) -> ArrayD<S> {
    let elements = flat(x);
    array(
        x.shape(),
        match kernel {
            Kernel::Literal => elements.iter().map(|&x| f(x)).collect(),
            Kernel::Fast => elements.par_iter().with_min_len(GRAIN).map(|&x| f(x)).collect(),
        },
    )
}

/// `f(x, y)` for every pair of elements of two arrays of one shape.
pub(super) fn zip<S: Scalar>(
    kernel: Kernel,
    x: &ArrayViewD<S>,
    y: &ArrayViewD<S>,
    f: impl Fn(S, S) -> S + Sync + Send,
) -> ArrayD<S> {
    let (xs, ys) = (flat(x), flat(y));
    array(
        x.shape(),
        match kernel {
            Kernel::Literal => xs.iter().zip(ys.iter()).map(|(&x, &y)| f(x, y)).collect(),
            Kernel::Fast => xs.par_iter().zip(ys.par_iter()).with_min_len(GRAIN).map(|(&x, &y)| f(x, y)).collect(),
        },
    )
}

/// An array of `shape` whose consecutive rows of `row` elements are filled by `fill(index of the row, row)`;
/// rows start as zeros.
pub(super) fn from_rows<S: Scalar>(
    kernel: Kernel,
    shape: &[usize],
    row: usize,
    fill: impl Fn(usize, &mut [S]) + Sync + Send,
) -> ArrayD<S> {
    let mut elements = vec![S::ZERO; shape.iter().product()];
    if elements.is_empty() {
        return array(shape, elements);
    }
    match kernel {
        Kernel::Literal => elements.chunks_exact_mut(row).enumerate().for_each(|(i, row)| fill(i, row)),
        Kernel::Fast => elements
            .par_chunks_exact_mut(row)
            .with_min_len(GRAIN.div_ceil(row))
            .enumerate()
            .for_each(|(i, row)| fill(i, row)),
    }
    array(shape, elements)
}

/// `[f(0), f(1), .., f(n - 1)]`, where each `f(i)` is long enough to be worth a thread.
pub(super) fn collect<T: Send>(kernel: Kernel, n: usize, f: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    match kernel {
        Kernel::Literal => (0..n).map(f).collect(),
        Kernel::Fast => (0..n).into_par_iter().map(f).collect(),
    }
}
