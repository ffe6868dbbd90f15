//! [`avg_pool2d`] and its adjoint.

use super::{Pixels, Pooling};
use crate::kernel::planes::{Planes, on_lanes};
use crate::kernel::{Kernel, Loop};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};

/// The sum over each window, pixels in row-major order in [`Scalar::Wide`], divided by d and rounded once: x
/// `[n,c,h,w]` -> y `[n,c,oh,ow]`. d counts the whole kernel, or, unless `count_padding`, the pixels under it.
pub fn avg_pool2d<S: Scalar>(kernel: Kernel, pooling: Pooling, count_padding: bool, x: &ArrayViewD<S>) -> ArrayD<S> {
    let shape = x.shape();
    let x = Planes::of(kernel, x);
    let windows = pooling.windows(x.h, x.w);
    x.made(kernel, &windows.out_shape(shape), windows.count(), |at, means| {
        let pixels = windows.pixels(at.pixel);
        x.mean(at, pixels.positions(), divisor(pooling, count_padding, &pixels), means);
    })
}

/// The adjoint of [`avg_pool2d`]: every pixel under a window gets its dy / d, summed in [`Scalar::Wide`], windows in
/// row-major order, and rounded once; dy `[n,c,oh,ow]` -> dx of `x_shape`.
pub fn avg_pool2d_gradient<S: Scalar>(
    kernel: Kernel,
    pooling: Pooling,
    count_padding: bool,
    dy: &ArrayViewD<S>,
    x_shape: &[usize],
) -> ArrayD<S> {
    let dy = Planes::of(kernel, dy);
    let [h, w] = [x_shape[2], x_shape[3]];
    let windows = pooling.windows(h, w);
    let over_pixels = windows.over_pixels();
    dy.made(kernel, x_shape, h * w, |at, sums| {
        sums.fill(S::Wide::ZERO);
        for window in over_pixels.of(at.pixel) {
            let divisor: S::Wide = divisor(pooling, count_padding, &windows.pixels(window));
            let dy = &dy.elements()[dy.place(at, window)];
            on_lanes(dy.len(), AddShares { sums, dy, divisor });
        }
    })
}

/// d. The kernel's area is a product of numbers because a kernel, unlike the pixels under it, may be any size.
fn divisor<W: Scalar>(pooling: Pooling, count_padding: bool, pixels: &Pixels) -> W {
    match count_padding {
        true => W::from_usize(pooling.kernel[0]) * W::from_usize(pooling.kernel[1]),
        false => W::from_usize(pixels.count()),
    }
}

/// sum <- sum + dy / d.
struct AddShares<'a, S: Scalar> {
    sums: &'a mut [S::Wide],
    dy: &'a [S],
    divisor: S::Wide,
}

impl<S: Scalar> Loop for AddShares<'_, S> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.sums.iter_mut().zip(self.dy).for_each(|(sum, dy)| *sum += dy.widen() / self.divisor);
    }
}
