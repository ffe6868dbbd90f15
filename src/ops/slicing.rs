//! Copies between arrays and boxes of them: what concat, split, pad and strided_slice are made of.

use crate::kernel::order::{Order, owned};
use crate::kernel::{Argument, Kernel, buffer};
use crate::op::List;
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD, Axis, Slice};

/// `x` cut along `axis` into consecutive pieces of these sizes, which sum to its extent; each in the order of x.
pub(super) fn split<S: Scalar>(kernel: Kernel, x: &ArrayViewD<S>, axis: usize, sizes: &[usize]) -> List<ArrayD<S>> {
    let mut start = 0;
    let piece = |&size: &usize| {
        let piece = x.slice_axis(Axis(axis), Slice::from(start..start + size));
        start += size;
        owned(kernel, &piece)
    };
    sizes.iter().map(piece).collect()
}

/// The inverse of [`split`]: the arrays one after another along `axis`, into an array of `shape` in the order of the
/// first.
pub(super) fn concat<S: Scalar>(pieces: &[Argument<S>], axis: usize, shape: &[usize]) -> ArrayD<S> {
    let order = pieces.first().map_or(Order::row_major(shape.len()), |first| Order::of(&first.view()));
    let mut y = order.array(shape, buffer::stale(shape.iter().product()));
    let mut start = 0;
    for piece in pieces {
        let size = piece.len_of(Axis(axis));
        assign(y.slice_axis_mut(Axis(axis), Slice::from(start..start + size)), &piece.view(), &order);
        start += size;
    }
    y
}

/// An array of `shape` in this order, that holds x at the places `within(axis, extent)` and `value` elsewhere.
pub(super) fn spread<S: Scalar>(
    x: &ArrayViewD<S>,
    order: &Order,
    shape: &[usize],
    value: S,
    within: impl Fn(usize, usize) -> Slice,
) -> ArrayD<S> {
    let mut elements = buffer::stale(shape.iter().product());
    elements.fill(value);
    let mut y = order.array(shape, elements);
    assign(y.slice_each_axis_mut(|axis| within(axis.axis.index(), axis.len)), x, order);
    y
}

/// The adjoint of [`spread`]: what x holds at the places `within(axis, extent)`, in the order of x.
pub(super) fn taken<S: Scalar>(kernel: Kernel, x: &ArrayViewD<S>, within: impl Fn(usize, usize) -> Slice) -> ArrayD<S> {
    owned(kernel, &x.slice_each_axis(|axis| within(axis.axis.index(), axis.len)))
}

/// `to <- from`, row by row of memory in this order.
fn assign<S: Scalar>(to: ArrayViewMutD<S>, from: &ArrayViewD<S>, order: &Order) {
    to.permuted_axes(order.axes()).assign(&from.view().permuted_axes(order.axes()));
}
