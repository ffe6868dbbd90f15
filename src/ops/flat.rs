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
        None => {
            // Row by row: an iterator over all axes at once is several times slower.
            let mut elements = Vec::with_capacity(x.len());
            x.rows().into_iter().for_each(|row| elements.extend(row));
            Cow::Owned(elements)
        }
    }
}

/// The array of this shape with these elements in row-major order, as many as the shape holds.
pub(super) fn array<S>(shape: &[usize], elements: Vec<S>) -> ArrayD<S> {
    ArrayD::from_shape_vec(shape, elements).expect("as many elements as the shape holds")
}

/// `f(x)` for every element.
pub(super) fn map<S: Scalar>(kernel: Kernel, x: &ArrayViewD<S>, f: impl Fn(S) -> S + Sync) -> ArrayD<S> {
    let elements = flat(x);
    let mut result = vec![S::ZERO; elements.len()];
    fill_rows(kernel, &mut result, GRAIN, &|i, chunk| {
        for (y, &x) in chunk.iter_mut().zip(&elements[i * GRAIN..]) {
            *y = f(x);
        }
    });
    array(x.shape(), result)
}

/// `f(x, y)` for every pair of elements of two arrays of one shape.
pub(super) fn zip<S: Scalar>(
    kernel: Kernel,
    x: &ArrayViewD<S>,
    y: &ArrayViewD<S>,
    f: impl Fn(S, S) -> S + Sync,
) -> ArrayD<S> {
    let (xs, ys) = (flat(x), flat(y));
    let mut result = vec![S::ZERO; xs.len()];
    fill_rows(kernel, &mut result, GRAIN, &|i, chunk| {
        for ((z, &x), &y) in chunk.iter_mut().zip(&xs[i * GRAIN..]).zip(&ys[i * GRAIN..]) {
            *z = f(x, y);
        }
    });
    array(x.shape(), result)
}

/// An array of `shape` whose consecutive rows of `row` elements are filled by `fill(index of the row, row)`;
/// rows start as zeros.
pub(super) fn from_rows<S: Scalar>(
    kernel: Kernel,
    shape: &[usize],
    row: usize,
    fill: impl Fn(usize, &mut [S]) + Sync,
) -> ArrayD<S> {
    let mut elements = vec![S::ZERO; shape.iter().product()];
    fill_rows(kernel, &mut elements, row, &fill);
    array(shape, elements)
}

/// `fill(i, row i)` for consecutive rows of `row` elements (the last one may be shorter). The one place where rows are
/// shared out; behind `dyn` so that rayon is compiled once per number system, not once per op.
fn fill_rows<S: Scalar>(kernel: Kernel, elements: &mut [S], row: usize, fill: &(dyn Fn(usize, &mut [S]) + Sync)) {
    if elements.len() <= GRAIN || kernel == Kernel::Literal {
        return elements.chunks_mut(row.max(1)).enumerate().for_each(|(i, row)| fill(i, row));
    }
    let rows = elements.par_chunks_mut(row).with_min_len(GRAIN.div_ceil(row));
    rows.enumerate().for_each(|(i, row)| fill(i, row));
}

/// `[f(0), f(1), .., f(n - 1)]`, where each `f(i)` is long enough to be worth a thread.
pub(super) fn collect<T: Send>(kernel: Kernel, n: usize, f: impl Fn(usize) -> T + Sync) -> Vec<T> {
    match kernel {
        Kernel::Literal => (0..n).map(f).collect(),
        Kernel::Fast => {
            let f: &(dyn Fn(usize) -> T + Sync) = &f;
            (0..n).into_par_iter().map(f).collect()
        }
    }
}
