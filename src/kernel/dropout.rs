//! [`dropout`]: a mask applied.

use super::buffer::Buffer;
use super::order::{Order, Strided};
use super::{Argument, Kernel, Loop, flat, recycle_argument, vectorised_loop};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};

/// x divided by `keep_probability` in [`Scalar::Wide`] and rounded once, where the mask, of x's shape, keeps; 0
/// elsewhere.
pub fn dropout<S: Scalar>(
    kernel: Kernel,
    x: Argument<S>,
    mask: &ArrayViewD<bool>,
    keep_probability: S::Wide,
) -> ArrayD<S> {
    let view = x.view();
    let order = Order::of(&view);
    let (xs, mask) = (Strided::of(&view, &order), Strided::of(mask, &order));
    let y = flat::from_rows(kernel, &order, x.shape(), flat::GRAIN, |i, y| {
        let (mut x_scratch, mut mask_scratch) = (Buffer::default(), Buffer::default());
        let x = xs.read(i * flat::GRAIN, y.len(), &mut x_scratch);
        let mask = mask.read(i * flat::GRAIN, y.len(), &mut mask_scratch);
        vectorised_loop(Keep { y, x, mask, keep_probability });
    });
    drop((xs, view));
    recycle_argument(x);
    y
}

/// [`dropout`] of slices of one length.
struct Keep<'a, S: Scalar> {
    y: &'a mut [S],
    x: &'a [S],
    mask: &'a [bool],
    keep_probability: S::Wide,
}

impl<S: Scalar> Loop for Keep<'_, S> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for ((y, x), &keep) in self.y.iter_mut().zip(self.x).zip(self.mask) {
            let scaled = S::narrow(x.widen() / self.keep_probability);
            *y = if keep { scaled } else { S::ZERO };
        }
    }
}
