//! Loops over arrays in memory order, which may be shared out.
//!
//! Work is split over outputs only, in units whose size depends on shapes alone: every output element, and every
//! reduction, is computed by one thread in the same order, so the bits do not depend on the number of threads.
//! Within a unit loops are vectorised; [`Kernel::Literal`] runs the units one after another.

use super::abreast::{self, Abreast, Scratch};
use super::order::{Order, Strided};
use crate::kernel::buffer::{self, Buffer};
use crate::kernel::{Argument, Kernel, Loop, OnHost, share, vectorised_loop};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};

/// Elements of a unit.
pub(crate) const GRAIN: usize = 1 << 13;

/// The array of this shape with these elements in row-major order, as many as the shape holds.
pub(crate) fn array<S>(shape: &[usize], elements: Vec<S>) -> ArrayD<S> {
    Order::row_major(shape.len()).array(shape, elements)
}

/// `f` of what `N + 1` arrays of one shape hold at each place: written over the first, where it was given for good and
/// the others lie as it does; else in the order of the first one that does not repeat.
pub(crate) fn zip<S: Scalar, const N: usize>(
    kernel: Kernel,
    first: Argument<S>,
    others: [ArrayViewD<S>; N],
    f: impl Fn(S, [S; N]) -> S + Sync,
) -> ArrayD<S> {
    if !first.is_owned() {
        return zip_views(kernel, &first.view(), others, f);
    }
    let mut first = first.into_owned();
    if let Some(ys) = in_memory_like(&first, &others)
        && let Some(xs) = first.as_slice_memory_order_mut()
    {
        fill_rows(kernel, xs, GRAIN, &|i, xs| {
            let ys = abreast::parts(ys, i * GRAIN, xs.len());
            vectorised_loop(ZipOver { xs, ys, f: &f });
        });
        return first;
    }
    let made = zip_views(kernel, &first.view(), others, f);
    buffer::recycle(first);
    made
}

/// The memory of arrays that all lie in it as x does.
fn in_memory_like<'a, S, const N: usize>(x: &ArrayD<S>, others: &'a [ArrayViewD<S>; N]) -> Option<[&'a [S]; N]> {
    let lies_alike = |y: &ArrayViewD<S>| y.shape() == x.shape() && y.strides() == x.strides();
    let alike = others.iter().all(lies_alike);
    alike.then(|| others.each_ref().map(|y| y.to_slice_memory_order().unwrap_or_default()))
}

/// [`zip`] into an array of its own.
fn zip_views<S: Scalar, const N: usize>(
    kernel: Kernel,
    first: &ArrayViewD<S>,
    others: [ArrayViewD<S>; N],
    f: impl Fn(S, [S; N]) -> S + Sync,
) -> ArrayD<S> {
    let order = order_of(first, &others);
    let (xs, ys) = (Strided::of(first, &order), Abreast::along(&others, order.axes()));
    from_rows(kernel, &order, first.shape(), GRAIN, |i, zs| {
        let (mut x_scratch, mut scratch) = (Buffer::default(), Scratch::default());
        let xs = xs.read(i * GRAIN, zs.len(), &mut x_scratch);
        let ys = ys.read(i * GRAIN, zs.len(), &mut scratch);
        vectorised_loop(Zip { zs, xs, ys, f: &f });
    })
}

/// The order of the first of these that does not repeat.
fn order_of<S>(first: &ArrayViewD<S>, others: &[ArrayViewD<S>]) -> Order {
    let in_place = std::iter::once(first).chain(others).find(|x| !repeats(x));
    in_place.map_or_else(|| Order::row_major(first.ndim()), Order::of)
}

/// z <- f(x, y..), over slices of one length.
struct Zip<'a, S, F, const N: usize> {
    zs: &'a mut [S],
    xs: &'a [S],
    ys: [&'a [S]; N],
    f: &'a F,
}

impl<S: Scalar, F: Fn(S, [S; N]) -> S, const N: usize> Loop for Zip<'_, S, F, N> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { zs, xs, ys, f } = self;
        let (xs, ys) = (&xs[..zs.len()], abreast::parts(ys, 0, zs.len()));
        for i in 0..zs.len() {
            zs[i] = f(xs[i], abreast::at(&ys, i));
        }
    }
}

/// x <- f(x, y..), over slices of one length.
struct ZipOver<'a, S, F, const N: usize> {
    xs: &'a mut [S],
    ys: [&'a [S]; N],
    f: &'a F,
}

impl<S: Scalar, F: Fn(S, [S; N]) -> S, const N: usize> Loop for ZipOver<'_, S, F, N> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { xs, ys, f } = self;
        let ys = abreast::parts(ys, 0, xs.len());
        for (i, x) in xs.iter_mut().enumerate() {
            *x = f(*x, abreast::at(&ys, i));
        }
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

/// `fill(i, row i)` for consecutive rows of `row` elements (the last one may be shorter). Behind `dyn` so
/// that rayon is compiled once per number system, not once per op.
pub(crate) fn fill_rows<T: Send>(
    kernel: Kernel,
    elements: &mut [T],
    row: usize,
    fill: &(dyn Fn(usize, &mut [T]) + Sync),
) {
    share::chunks(elements, row, operations(kernel, elements.len()), fill);
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
    let operations = operations(kernel, elements.len());
    share::pairs_of_chunks((&mut elements, beside), [GRAIN; 2], operations, |i, row, beside| {
        fill(i * GRAIN, row, beside)
    });
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
    share::chunks(sums, row, operations(kernel, looked_at), fill);
}

/// What a pass over so many elements costs; Literal shares nothing out.
pub(super) fn operations(kernel: Kernel, elements: usize) -> usize {
    match kernel.on_host() {
        OnHost::Literal => 0,
        OnHost::Fast => 2 * elements,
    }
}
