//! [`max_pool2d`] and its adjoint.

use super::Pooling;
use crate::kernel::buffer::Buffer;
use crate::kernel::order::Order;
use crate::kernel::planes::{Piece, Planes, on_lanes, pieces};
use crate::kernel::{Kernel, Loop, flat};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};

/// The maximum over each window and where it was: x `[n,c,h,w]` -> y `[n,c,oh,ow]`. A tie goes to the first pixel in
/// row-major order; a NaN is larger than any number, and the last of several wins; padding is never the maximum. A
/// plane must have fewer than 2^32 pixels.
pub fn max_pool2d<S: Scalar>(kernel: Kernel, pooling: Pooling, x: &ArrayViewD<S>) -> (ArrayD<S>, Positions) {
    let shape = x.shape();
    let x = Planes::of(kernel, x);
    let windows = pooling.windows(x.h, x.w);
    let shape = windows.out_shape(shape);
    let mut memory = Buffer::stale(shape.iter().product());
    let y = flat::from_rows_beside(kernel, &x.order, &shape, &mut memory, |start, y, at| {
        for piece in pieces(start, y.len(), windows.count(), x.lanes) {
            let (y, at) = (&mut y[piece.place.clone()], &mut at[piece.place.clone()]);
            let positions = windows.pixels(piece.pixel).positions();
            on_lanes(y.len(), Maxima { x: &x, piece: &piece, positions, y, at });
        }
    });
    (y, Positions { order: x.order, memory })
}

/// The adjoint of [`max_pool2d`]: dy `[n,c,oh,ow]` goes to the pixels that were the maxima, summed in [`Scalar::Wide`],
/// windows in row-major order, and rounded once; -> dx of `x_shape`.
pub fn max_pool2d_gradient<S: Scalar>(
    kernel: Kernel,
    pooling: Pooling,
    positions: &Positions,
    dy: &ArrayViewD<S>,
    x_shape: &[usize],
) -> ArrayD<S> {
    let dy = Planes::in_order(kernel, dy, positions.order.clone());
    let [h, w] = [x_shape[2], x_shape[3]];
    let over_pixels = pooling.windows(h, w).over_pixels();
    dy.made(kernel, x_shape, h * w, |at, sums| {
        sums.fill(S::Wide::ZERO);
        for window in over_pixels.of(at.pixel) {
            let place = dy.place(at, window);
            let (dy, positions) = (&dy.elements()[place.clone()], &positions.memory[place]);
            on_lanes(dy.len(), AddChosen { sums, dy, positions, pixel: at.pixel as u32 });
        }
    })
}

/// The positions in their planes of the outputs' maxima, in the order in which x lay.
#[derive(Debug)]
pub struct Positions {
    order: Order,
    memory: Buffer<u32>,
}

/// For each lane of one window, the largest of the pixels `positions` of x and where it is.
struct Maxima<'a, S: Scalar, I> {
    x: &'a Planes<'a, S>,
    piece: &'a Piece,
    positions: I,
    y: &'a mut [S],
    at: &'a mut [u32],
}

impl<S: Scalar, I: Iterator<Item = usize>> Loop for Maxima<'_, S, I> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { x, piece, mut positions, y, at } = self;
        let first = positions.next().unwrap_or(0); // a window holds a pixel
        y.copy_from_slice(&x.elements()[x.place(piece, first)]);
        at.fill(first as u32);
        for position in positions {
            let row = &x.elements()[x.place(piece, position)];
            for ((y, at), &x) in y.iter_mut().zip(&mut *at).zip(row) {
                let (best, best_at) = (*y, *at);
                let is_larger = (x > best) | x.is_nan();
                *y = if is_larger { x } else { best };
                *at = if is_larger { position as u32 } else { best_at };
            }
        }
    }
}

/// Adds dy where the maximum was `pixel`.
struct AddChosen<'a, S: Scalar> {
    sums: &'a mut [S::Wide],
    dy: &'a [S],
    positions: &'a [u32],
    pixel: u32,
}

impl<S: Scalar> Loop for AddChosen<'_, S> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { sums, dy, positions, pixel } = self;
        for ((sum, &dy), &position) in sums.iter_mut().zip(dy).zip(positions) {
            let chosen = if position == pixel { dy } else { S::ZERO };
            *sum += chosen.widen();
        }
    }
}
