//! A batch of images as pixels that each hold several numbers side by side.

use super::flat;
use super::order::{Order, Strided};
use crate::kernel::buffer::Elements;
use crate::kernel::{Kernel, Loop, vectorised_loop};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};
use std::ops::Range;

/// The most lanes that are worked on at a time: their sums stay in the first-level cache.
const LANES: usize = 256;

/// x `[n,c,h,w]` in one of its two orders as `[groups][h][w][lanes]`: row-major, a group is a plane of one image and
/// channel, and a pixel has one lane; batch-innermost, there is one group, and a pixel has a lane for every channel
/// and image. Whatever is done over pixels is done lane by lane, in the same order. `[n,c]` counts as `[n,c,1,1]`.
pub(crate) struct Planes<'a, S: Scalar> {
    elements: Elements<'a, S>,
    pub order: Order,
    pub h: usize,
    pub w: usize,
    pub lanes: usize,
}

/// A piece of a pixel.
pub(crate) struct Piece {
    /// Which group, and which pixel of it in row-major order.
    pub group: usize,
    pub pixel: usize,
    /// Where its lanes begin.
    pub lane: usize,
    /// Where they lie in the chunk of memory that was cut into pieces.
    pub place: Range<usize>,
}

/// Cuts the `length` elements from `start` on of a memory `[group][pixel][lane]` into pieces of pixels.
#[inline(always)]
pub(crate) fn pieces(start: usize, length: usize, pixels: usize, lanes: usize) -> impl Iterator<Item = Piece> {
    let whole = start.checked_div(lanes).unwrap_or(0);
    let (mut group, mut pixel) = (whole.checked_div(pixels).unwrap_or(0), whole.checked_rem(pixels).unwrap_or(0));
    let (mut lane, mut place) = (start.checked_rem(lanes).unwrap_or(0), 0);
    std::iter::from_fn(move || {
        if lane == lanes {
            (lane, pixel) = (0, pixel + 1);
            if pixel == pixels {
                (pixel, group) = (0, group + 1);
            }
        }
        let piece = (lanes - lane).min(LANES).min(length - place);
        let found = (piece > 0).then(|| Piece { group, pixel, lane, place: place..place + piece });
        (lane, place) = (lane + piece, place + piece);
        found
    })
}

/// [`vectorised_loop`], where there are several lanes.
#[inline(always)]
pub(crate) fn on_lanes<L: Loop>(lanes: usize, work: L) -> L::Output {
    if lanes == 1 { work.run() } else { vectorised_loop(work) }
}

impl<'a, S: Scalar> Planes<'a, S> {
    /// `x`, of rank 2 or 4, in its own order.
    pub fn of(kernel: Kernel, x: &ArrayViewD<'a, S>) -> Self {
        Self::in_order(kernel, x, Order::of_batch(kernel, x))
    }

    /// `x`, of rank 2 or 4, in one of the two orders of a batch.
    pub fn in_order(kernel: Kernel, x: &ArrayViewD<'a, S>, order: Order) -> Self {
        let extent = |axis: usize| x.shape().get(axis).copied().unwrap_or(1);
        let lanes = if order.is_row_major() { 1 } else { extent(0) * extent(1) };
        let elements = Strided::of(x, &order).all(kernel);
        Self { elements, order, h: extent(2), w: extent(3), lanes }
    }

    /// How many pixels a plane has.
    pub fn pixels(&self) -> usize {
        self.h * self.w
    }

    /// Where the lanes of `piece` lie among the elements, at another pixel of its group.
    #[inline(always)]
    pub fn place(&self, piece: &Piece, pixel: usize) -> Range<usize> {
        let start = (piece.group * self.pixels() + pixel) * self.lanes + piece.lane;
        start..start + piece.place.len()
    }

    /// All elements, in memory order.
    pub fn elements(&self) -> &[S] {
        &self.elements
    }

    /// For each of these lanes the mean over `pixels`: their sum, in their order, divided by `divisor`.
    pub fn mean(&self, at: &Piece, pixels: impl Iterator<Item = usize>, divisor: S::Wide, means: &mut [S::Wide]) {
        on_lanes(means.len(), Mean { x: self, at, pixels, divisor, means });
    }

    /// An array in the order of this one, `[n,c,oh,ow]` or `[n,c]`, with `pixels` pixels in each plane: `make(piece,
    /// values)` makes its values in [`Scalar::Wide`], and each is rounded once.
    pub fn made(
        &self,
        kernel: Kernel,
        shape: &[usize],
        pixels: usize,
        make: impl Fn(&Piece, &mut [S::Wide]) + Sync,
    ) -> ArrayD<S> {
        let order = self.order.for_rank(shape.len());
        flat::from_rows(kernel, &order, shape, flat::GRAIN, |i, chunk| {
            let mut values = [S::Wide::ZERO; LANES];
            for piece in pieces(i * flat::GRAIN, chunk.len(), pixels, self.lanes) {
                let chunk = &mut chunk[piece.place.clone()];
                let values = &mut values[..chunk.len()];
                make(&piece, values);
                on_lanes(chunk.len(), Narrow { to: chunk, wide: values });
            }
        })
    }
}

/// [`Planes::mean`].
struct Mean<'a, S: Scalar, I> {
    x: &'a Planes<'a, S>,
    at: &'a Piece,
    pixels: I,
    divisor: S::Wide,
    means: &'a mut [S::Wide],
}

impl<S: Scalar, I: Iterator<Item = usize>> Loop for Mean<'_, S, I> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { x, at, pixels, divisor, means } = self;
        means.fill(S::Wide::ZERO);
        for pixel in pixels {
            let row = &x.elements[x.place(at, pixel)];
            means.iter_mut().zip(row).for_each(|(sum, x)| *sum += x.widen());
        }
        means.iter_mut().for_each(|sum| *sum = *sum / divisor);
    }
}

/// Each number rounded.
struct Narrow<'a, S: Scalar> {
    to: &'a mut [S],
    wide: &'a [S::Wide],
}

impl<S: Scalar> Loop for Narrow<'_, S> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.to.iter_mut().zip(self.wide).for_each(|(to, &wide)| *to = S::narrow(wide));
    }
}
