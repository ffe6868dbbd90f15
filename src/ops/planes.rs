//! A batch of images as pixels that each hold several numbers side by side.

use super::flat;
use super::order::{Order, Strided};
use crate::kernel::Kernel;
use crate::scalar::Scalar;
use ndarray::ArrayViewD;
use std::borrow::Cow;
use std::ops::Range;

/// The most lanes that are worked on at a time: their sums stay in the first-level cache.
const LANES: usize = 256;

/// x `[n,c,h,w]` in one of its two orders as `[groups][h][w][lanes]`: row-major, a group is a plane of one image and
/// channel, and a pixel has one lane; batch-innermost, there is one group, and a pixel has a lane for every channel
/// and image. Whatever is done over pixels is done lane by lane, in the same order. `[n,c]` counts as `[n,c,1,1]`.
pub(super) struct Planes<'a, S: Scalar> {
    elements: Cow<'a, [S]>,
    pub order: Order,
    pub h: usize,
    pub w: usize,
    pub lanes: usize,
}

/// A piece of a pixel.
pub(super) struct Piece {
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
pub(super) fn pieces(start: usize, length: usize, pixels: usize, lanes: usize) -> impl Iterator<Item = Piece> {
    let mut place = 0;
    std::iter::from_fn(move || {
        let (whole, lane) = ((start + place) / lanes.max(1), (start + place) % lanes.max(1));
        let piece = (lanes - lane).min(LANES).min(length - place);
        let range = place..place + piece;
        place += piece;
        (piece > 0).then(|| Piece { group: whole / pixels, pixel: whole % pixels, lane, place: range })
    })
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

    /// Where `length` lanes of one pixel lie among the elements.
    #[inline(always)]
    pub fn place(&self, group: usize, pixel: usize, lane: usize, length: usize) -> Range<usize> {
        let start = (group * self.pixels() + pixel) * self.lanes + lane;
        start..start + length
    }

    /// `length` lanes of one pixel.
    #[inline(always)]
    pub fn row(&self, group: usize, pixel: usize, lane: usize, length: usize) -> &[S] {
        &self.elements[self.place(group, pixel, lane, length)]
    }

    /// All elements, in memory order.
    pub fn elements(&self) -> &[S] {
        &self.elements
    }

    /// For each of these lanes the sum over `pixels`, in their order.
    #[inline(always)]
    pub fn sum(&self, group: usize, pixels: impl Iterator<Item = usize>, lane: usize, sums: &mut [S::Wide]) {
        sums.fill(S::Wide::ZERO);
        for pixel in pixels {
            let row = self.row(group, pixel, lane, sums.len());
            sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x.widen());
        }
    }

    /// An array in the order of this one, `[n,c,oh,ow]` or `[n,c]`, with `pixels` pixels in each plane: `sum(piece,
    /// sums)` makes its values in [`Scalar::Wide`], and each is rounded once.
    pub fn summed(
        &self,
        kernel: Kernel,
        shape: &[usize],
        pixels: usize,
        sum: impl Fn(&Piece, &mut [S::Wide]) + Sync,
    ) -> ndarray::ArrayD<S> {
        let order = self.order.for_rank(shape.len());
        flat::from_rows(kernel, &order, shape, flat::GRAIN, |i, chunk| {
            crate::kernel::vectorised(|| {
                let mut sums = [S::Wide::ZERO; LANES];
                for piece in pieces(i * flat::GRAIN, chunk.len(), pixels, self.lanes) {
                    let chunk = &mut chunk[piece.place.clone()];
                    let sums = &mut sums[..chunk.len()];
                    sum(&piece, sums);
                    chunk.iter_mut().zip(sums).for_each(|(y, &mut sum)| *y = S::narrow(sum));
                }
            });
        })
    }
}
