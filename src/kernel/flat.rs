//! Loops over arrays in memory order, which rayon may share out.
//!
//! Work is split over outputs only, in units whose size depends on shapes alone: every output element, and every
//! reduction, is computed by one thread in the same order, so the bits do not depend on the number of threads.
//! Within a unit loops are vectorised; [`Kernel::Literal`] runs the units one after another.

use super::order::{Order, Strided};
use crate::kernel::buffer::{self, Buffer, Element};
use crate::kernel::{Kernel, Loop, vectorised_loop};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};
use rayon::prelude::*;

/// Elements of a unit.
pub(crate) const GRAIN: usize = 1 << 13;

/// Elements below which handing units to another thread costs more than it gains: a few microseconds of a cheap operation.
pub(crate) const SHARED: usize = 1 << 16;

/// The array of this shape with these elements in row-major order, as many as the shape holds.
pub(crate) fn array<S>(shape: &[usize], elements: Vec<S>) -> ArrayD<S> {
    Order::row_major(shape.len()).array(shape, elements)
}

/// `f(x)` for every element, in the order of x.
pub(crate) fn map<S: Scalar>(kernel: Kernel, x: &ArrayViewD<S>, f: impl Fn(S) -> S + Sync) -> ArrayD<S> {
    let order = Order::of(x);
    let xs = Strided::of(x, &order);
    from_rows(kernel, &order, x.shape(), GRAIN, |i, chunk| {
        let mut scratch = Buffer::default();
        let xs = xs.read(i * GRAIN, chunk.len(), &mut scratch);
        vectorised_loop(Map { ys: chunk, xs, f: &f });
    })
}

/// y <- f(x).
struct Map<'a, S, F> {
    ys: &'a mut [S],
    xs: &'a [S],
    f: &'a F,
}

impl<S: Copy, F: Fn(S) -> S> Loop for Map<'_, S, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.ys.iter_mut().zip(self.xs).for_each(|(y, &x)| *y = (self.f)(x));
    }
}

/// z <- f(x, y).
struct Zip<'a, S, T, F> {
    zs: &'a mut [S],
    xs: &'a [S],
    ys: &'a [T],
    f: &'a F,
}

impl<S: Copy, T: Copy, F: Fn(S, T) -> S> Loop for Zip<'_, S, T, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.zs.iter_mut().zip(self.xs).zip(self.ys).for_each(|((z, &x), &y)| *z = (self.f)(x, y));
    }
}

/// `f(x, y)` for every pair of elements of two arrays of one shape, in the order of x, or where x repeats, of y.
pub(crate) fn zip<S: Scalar, T: Element + Sync>(
    kernel: Kernel,
    x: &ArrayViewD<S>,
    y: &ArrayViewD<T>,
    f: impl Fn(S, T) -> S + Sync,
) -> ArrayD<S> {
    let order = match (repeats(x), repeats(y)) {
        (false, _) => Order::of(x),
        (true, false) => Order::of(y),
        (true, true) => Order::row_major(x.ndim()),
    };
    let (xs, ys) = (Strided::of(x, &order), Strided::of(y, &order));
    from_rows(kernel, &order, x.shape(), GRAIN, |i, chunk| {
        let (mut x_scratch, mut y_scratch) = (Buffer::default(), Buffer::default());
        let xs = xs.read(i * GRAIN, chunk.len(), &mut x_scratch);
        let ys = ys.read(i * GRAIN, chunk.len(), &mut y_scratch);
        vectorised_loop(Zip { zs: chunk, xs, ys, f: &f });
    })
}

/// `x <- f(x)` for every element; `Err` gives x back where its elements do not lie side by side.
pub(crate) fn map_over<S: Scalar>(
    kernel: Kernel,
    mut x: ArrayD<S>,
    f: impl Fn(S) -> S + Sync,
) -> std::result::Result<ArrayD<S>, ArrayD<S>> {
    let Some(xs) = x.as_slice_memory_order_mut() else { return Err(x) };
    fill_rows(kernel, xs, GRAIN, &|_, chunk| vectorised_loop(MapOver { xs: chunk, f: &f }));
    Ok(x)
}

/// [`map_over`] of a chunk.
struct MapOver<'a, S, F> {
    xs: &'a mut [S],
    f: &'a F,
}

impl<S: Scalar, F: Fn(S) -> S> Loop for MapOver<'_, S, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.xs.iter_mut().for_each(|x| *x = (self.f)(*x));
    }
}

/// `x <- f(x, y)` for every pair of elements of two arrays that lie alike; `Err` gives x back where they do not.
pub(crate) fn zip_over<S: Scalar>(
    kernel: Kernel,
    mut x: ArrayD<S>,
    y: &ArrayViewD<S>,
    f: impl Fn(S, S) -> S + Sync,
) -> std::result::Result<ArrayD<S>, ArrayD<S>> {
    let lie_alike = x.shape() == y.shape() && x.strides() == y.strides();
    match (x.as_slice_memory_order_mut(), y.to_slice_memory_order()) {
        (Some(xs), Some(ys)) if lie_alike => fill_rows(kernel, xs, GRAIN, &|i, chunk| {
            vectorised_loop(ZipOver { xs: chunk, ys: &ys[i * GRAIN..], f: &f });
        }),
        _ => return Err(x),
    }
    Ok(x)
}

/// [`zip_over`] of a chunk.
struct ZipOver<'a, S, F> {
    xs: &'a mut [S],
    ys: &'a [S],
    f: &'a F,
}

impl<S: Scalar, F: Fn(S, S) -> S> Loop for ZipOver<'_, S, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.xs.iter_mut().zip(self.ys).for_each(|(x, &y)| *x = (self.f)(*x, y));
    }
}

/// Whether an axis of this view stands for several places in memory.
fn repeats<T>(x: &ArrayViewD<T>) -> bool {
    x.shape().iter().zip(x.strides()).any(|(&extent, &stride)| extent > 1 && stride == 0)
}

/// An array of `shape` in this order, whose memory is filled in consecutive rows of `row` elements by
/// `fill(index of the row, row)`; rows hold anything at first, and the last may be shorter.
pub(crate) fn from_rows<S: Scalar>(
    kernel: Kernel,
    order: &Order,
    shape: &[usize],
    row: usize,
    fill: impl Fn(usize, &mut [S]) + Sync,
) -> ArrayD<S> {
    let mut elements: Vec<S> = buffer::stale(shape.iter().product());
    fill_rows(kernel, &mut elements, row, &fill);
    order.array(shape, elements)
}

/// `fill(i, row i)` for consecutive rows of `row` elements (the last one may be shorter). The one place where rows are
/// shared out; behind `dyn` so that rayon is compiled once per number system, not once per op.
pub(crate) fn fill_rows<T: Send>(
    kernel: Kernel,
    elements: &mut [T],
    row: usize,
    fill: &(dyn Fn(usize, &mut [T]) + Sync),
) {
    if elements.len() < SHARED || kernel == Kernel::Literal {
        return elements.chunks_mut(row.max(1)).enumerate().for_each(|(i, row)| fill(i, row));
    }
    let rows = elements.par_chunks_mut(row).with_min_len(GRAIN.div_ceil(row));
    rows.enumerate().for_each(|(i, row)| fill(i, row));
}

/// [`from_rows`] in rows of [`GRAIN`], with a second result beside the array's memory:
/// `fill(first element, row, the same part of beside)`.
pub(crate) fn from_rows_beside<S: Scalar, T: Send>(
    kernel: Kernel,
    order: &Order,
    shape: &[usize],
    beside: &mut [T],
    fill: impl Fn(usize, &mut [S], &mut [T]) + Sync,
) -> ArrayD<S> {
    let mut elements: Vec<S> = buffer::stale(shape.iter().product());
    let fill = |(i, (row, beside)): (usize, (&mut [S], &mut [T]))| fill(i * GRAIN, row, beside);
    if elements.len() < SHARED || kernel == Kernel::Literal {
        elements.chunks_mut(GRAIN).zip(beside.chunks_mut(GRAIN)).enumerate().for_each(fill);
    } else {
        elements.par_chunks_mut(GRAIN).zip(beside.par_chunks_mut(GRAIN)).enumerate().for_each(fill);
    }
    order.array(shape, elements)
}

/// [`fill_rows`] for rows that look at many elements each, at `looked_at` together.
pub(crate) fn fill_sums<T: Send>(
    kernel: Kernel,
    looked_at: usize,
    sums: &mut [T],
    row: usize,
    fill: &(dyn Fn(usize, &mut [T]) + Sync),
) {
    if looked_at < SHARED || kernel == Kernel::Literal {
        return sums.chunks_mut(row.max(1)).enumerate().for_each(|(i, row)| fill(i, row));
    }
    sums.par_chunks_mut(row).enumerate().for_each(|(i, row)| fill(i, row));
}
