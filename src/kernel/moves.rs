//! Moves: copies between arrays, boxes of them, and orders. No number is changed.

use super::order::{Extent, Order, Strided, contiguous};
use super::{Argument, Kernel, List, buffer, flat, share};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD, Axis, Slice, Zip};

/// `to <- from`, arrays of one shape, row by row of memory in this order. All moves but those of [`rearrange`] are made
/// of it.
pub fn assign<S: Scalar>(kernel: Kernel, to: ArrayViewMutD<S>, from: &ArrayViewD<S>, order: &Order) {
    assign_rows(kernel, to.permuted_axes(order.axes()), from.view().permuted_axes(order.axes()));
}

/// `to <- from`, one half of the rows beside the other as long as that is worth it.
fn assign_rows<S: Scalar>(kernel: Kernel, to: ArrayViewMutD<S>, from: ArrayViewD<S>) {
    let operations = flat::operations(kernel, to.len());
    if !share::is_worth(operations) || to.ndim() < 2 || to.len_of(Axis(0)) < 2 {
        return assign_in_turn(to, from);
    }
    let half = to.len_of(Axis(0)) / 2;
    let ((above, below), (from_above, from_below)) = (to.split_at(Axis(0), half), from.split_at(Axis(0), half));
    share::both(operations, || assign_rows(kernel, above, from_above), || assign_rows(kernel, below, from_below));
}

/// `to <- from`, all at once where neither has gaps, else as many elements at once as lie side by side in both.
fn assign_in_turn<S: Scalar>(mut to: ArrayViewMutD<S>, from: ArrayViewD<S>) {
    if let (Some(to), Some(from)) = (to.as_slice_mut(), from.to_slice()) {
        return to.copy_from_slice(from);
    }
    Zip::from(to.rows_mut()).and(from.rows()).for_each(|mut to, from| match (to.as_slice_mut(), from.to_slice()) {
        (Some(to), Some(from)) => to.copy_from_slice(from),
        _ => to.assign(&from),
    });
}

/// A copy of `x` in the order in which it lies.
pub fn copy<S: Scalar>(kernel: Kernel, x: &ArrayViewD<S>) -> ArrayD<S> {
    let order = Order::of(x);
    let mut to = order.array(x.shape(), buffer::stale(x.len()));
    assign(kernel, to.view_mut(), x, &order);
    to
}

/// The array of `shape` whose memory, in this order, holds x read along other axes than its own: `axes` gives them, the
/// slowest first, from those that x has.
pub fn rearrange<S: Scalar>(
    kernel: Kernel,
    x: &ArrayViewD<S>,
    (order, shape): (&Order, &[usize]),
    axes: impl FnOnce(&[Extent]) -> List<Extent>,
) -> ArrayD<S> {
    let (memory, extents) = contiguous(x);
    order.array(shape, Strided::new(memory, axes(&extents)).copied(kernel))
}

/// `x` cut along `axis` into consecutive pieces of these sizes, which sum to its extent; each in the order of x.
pub fn split<S: Scalar>(kernel: Kernel, x: &ArrayViewD<S>, axis: usize, sizes: &[usize]) -> List<ArrayD<S>> {
    let mut start = 0;
    let piece = |&size: &usize| {
        let piece = x.slice_axis(Axis(axis), Slice::from(start..start + size));
        start += size;
        copy(kernel, &piece)
    };
    sizes.iter().map(piece).collect()
}

/// The inverse of [`split`]: the arrays one after another along `axis`, into an array of `shape` in the order of the
/// first.
pub fn concat<S: Scalar>(kernel: Kernel, pieces: &[Argument<S>], axis: usize, shape: &[usize]) -> ArrayD<S> {
    let order = pieces.first().map_or(Order::row_major(shape.len()), |first| Order::of(&first.view()));
    let mut y = order.array(shape, buffer::stale(shape.iter().product()));
    let mut start = 0;
    for piece in pieces {
        let size = piece.len_of(Axis(axis));
        assign(kernel, y.slice_axis_mut(Axis(axis), Slice::from(start..start + size)), &piece.view(), &order);
        start += size;
    }
    y
}

/// An array of `shape` in this order, that holds x at the places `within(axis, extent)` and `value` elsewhere.
pub fn spread<S: Scalar>(
    kernel: Kernel,
    x: &ArrayViewD<S>,
    order: &Order,
    shape: &[usize],
    value: S,
    within: impl Fn(usize, usize) -> Slice,
) -> ArrayD<S> {
    let mut elements = buffer::stale(shape.iter().product());
    elements.fill(value);
    let mut y = order.array(shape, elements);
    assign(kernel, y.slice_each_axis_mut(|axis| within(axis.axis.index(), axis.len)), x, order);
    y
}

/// The adjoint of [`spread`]: what x holds at the places `within(axis, extent)`, in the order of x.
pub fn taken<S: Scalar>(kernel: Kernel, x: &ArrayViewD<S>, within: impl Fn(usize, usize) -> Slice) -> ArrayD<S> {
    copy(kernel, &x.slice_each_axis(|axis| within(axis.axis.index(), axis.len)))
}
