//! [`plane_means`] and its adjoint.

use crate::kernel::Kernel;
use crate::kernel::buffer::{Buffer, Elements};
use crate::kernel::order::{Extent, Strided};
use crate::kernel::planes::Planes;
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};

/// The mean of every plane of x, as an array of `shape` (n * c elements).
pub fn plane_means<S: Scalar>(kernel: Kernel, x: &ArrayViewD<S>, shape: &[usize]) -> ArrayD<S> {
    let planes = Planes::of(kernel, x);
    let pixels = S::Wide::from_usize(planes.pixels());
    planes.made(kernel, shape, 1, |at, means| planes.mean(at, 0..planes.pixels(), pixels, means))
}

/// The adjoint of [`plane_means`]: dy (n * c elements) -> dx of `x_shape`.
pub fn plane_means_gradient<S: Scalar>(kernel: Kernel, x_shape: &[usize], dy: &ArrayViewD<S>) -> ArrayD<S> {
    let dy = Planes::of(kernel, dy);
    let pixels = x_shape[2] * x_shape[3];
    let share = dy.elements().iter().map(|dy| S::narrow(dy.widen() / S::Wide::from_usize(pixels)));
    let share: Buffer<S> = share.collect();
    // Every pixel of a plane reads the same lanes.
    let groups = Extent { count: share.len() / dy.lanes.max(1), stride: dy.lanes };
    let axes = [groups, Extent { count: pixels, stride: 0 }, Extent { count: dy.lanes, stride: 1 }];
    dy.order.for_rank(4).array(x_shape, Strided::new(Elements::Borrowed(&share), axes).copied(kernel))
}
