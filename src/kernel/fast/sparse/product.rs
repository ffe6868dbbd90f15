//! Forward and the input gradient.

use super::{Found, Places};
use crate::kernel::fast::layout::Rows;
use crate::kernel::fast::product::{UNITS, part, rows_per_unit};
use crate::kernel::fast::sources::Sources;
use crate::kernel::share;
use crate::kernel::vector::{Hardware, Vector, Work, run};

/// Vectors of one row that are summed side by side: reading a weight and finding its row costs as much as a few products.
const WIDE: usize = 8;

/// Pixels of a unit at the most: looking up sources costs as much as some products, and is not done for every pixel.
const PIXELS: usize = 16;

/// The living weights as a product goes through them.
pub(super) struct Living<'a, H> {
    /// Where each destination channel's start, and their number at the end.
    pub starts: &'a [usize],
    pub keys: &'a [u32],
    pub values: &'a [H],
    /// Destinations of a group, and how many keys the sources of a group have (0 if keys count through all groups).
    pub of_group: (usize, usize),
}

/// Fills `y` `[pixels, channels, n]` with the products, plus `bias` per channel.
pub(super) fn product<H: Hardware>(
    sources: &Sources,
    x: &Rows<H>,
    weights: &Living<H>,
    bias: Option<&[H]>,
    y: &mut [H],
) {
    let (pixels, channels) = (sources.pixels(), y.len() / (sources.pixels() * x.n));
    let rows = rows_per_unit(pixels, channels, 1);
    // Whole pixels, or equal parts of one.
    let per_unit = if rows == channels { (pixels / UNITS).clamp(1, PIXELS) } else { 1 };
    let units_per_pixel = channels.div_ceil(rows);
    let places = || Places::new(sources, x);
    let unit = |places: &mut Places<H>, index: usize, y: &mut [H]| {
        let (pixel, first) = (index / units_per_pixel * per_unit, index % units_per_pixel * rows);
        run(Unit { places, pixel, weights, first, rows: rows.min(channels - first), bias, y });
    };
    share::chunks_with(y, per_unit * rows * x.n, pixels * weights.keys.len() * x.n, places, unit);
}

/// The rows `first ..` of the destination pixels `pixel ..`.
struct Unit<'a, 'x, H: Hardware> {
    /// Of the pixel that the thread made last.
    places: &'a mut Places<'x, H>,
    pixel: usize,
    weights: &'a Living<'a, H>,
    first: usize,
    rows: usize,
    bias: Option<&'a [H]>,
    /// `[pixels, rows, n]`.
    y: &'a mut [H],
}

impl<H: Hardware> Work for Unit<'_, '_, H> {
    type Element = H;

    #[inline(always)]
    unsafe fn run<V: Vector<Element = H>, const _WIDE: usize>(self) {
        let places = self.places;
        let n = places.x.n;
        let Living { starts, keys, values, of_group: (of_group, keys_of_group) } = *self.weights;
        for (i, y) in self.y.chunks_exact_mut(self.rows * n).enumerate() {
            places.find(self.pixel + i);
            for (i, y) in y.chunks_exact_mut(n).enumerate() {
                let destination = self.first + i;
                let start = self.bias.map_or(H::ZERO, |bias| bias[destination]);
                let entries = starts[destination]..starts[destination + 1];
                let terms = Terms {
                    keys: &keys[entries.clone()],
                    values: &values[entries],
                    rows: places.from(destination / of_group * keys_of_group),
                };
                let mut lane = 0;
                while lane < n {
                    let left = n - lane;
                    // SAFETY: V by the caller; the lanes of each stretch lie within a row.
                    unsafe {
                        if left >= WIDE * V::LANES {
                            terms.sum::<V, WIDE, false>(lane, V::LANES, start, y);
                            lane += WIDE * V::LANES;
                        } else if left >= V::LANES {
                            terms.sum::<V, 1, false>(lane, V::LANES, start, y);
                            lane += V::LANES;
                        } else {
                            terms.sum::<V, 1, true>(lane, left, start, y);
                            lane = n;
                        }
                    }
                }
            }
        }
    }
}

/// The terms of the sum that one row is.
struct Terms<'a, H: Hardware> {
    keys: &'a [u32],
    values: &'a [H],
    rows: Found<'a, H>,
}

impl<H: Hardware> Terms<'_, H> {
    /// `SIDE` vectors of the row y from `lane` on: `start` plus the terms, in parts as those of a dense product. `count`: the lanes of a vector that lie in the
    /// row (all but in a `PARTIAL` stretch).
    ///
    /// # Safety
    /// As [`Vector`]; `lane + (SIDE - 1) * V::LANES + count` is at most y's length.
    #[inline(always)]
    #[expect(clippy::needless_range_loop)]
    unsafe fn sum<V: Vector<Element = H>, const SIDE: usize, const PARTIAL: bool>(
        &self,
        lane: usize,
        count: usize,
        start: H,
        y: &mut [H],
    ) {
        let Self { keys, values, rows } = *self;
        let values = &values[..keys.len()];
        // SAFETY: x is a row as long as y, in which the lanes lie by the caller.
        unsafe {
            let to = y.as_mut_ptr().add(lane);
            let mut parts = [V::splat(H::ZERO); SIDE];
            let part = part::<H>(keys.len());
            for (keys, values) in keys.chunks(part).zip(values.chunks(part)) {
                // By index: the sums stay in registers only if the compiler sees at once that it can unroll.
                let mut sums = [V::splat(H::ZERO); SIDE];
                for i in 0..keys.len() {
                    let Some(x) = rows.row(keys[i]) else { continue };
                    let x = x.as_ptr().add(lane);
                    let value = V::splat(values[i]);
                    for j in 0..SIDE {
                        let x = if PARTIAL { V::load_first(x, count) } else { V::load(x.add(j * V::LANES)) };
                        sums[j] = value.mul_add(x, sums[j]);
                    }
                }
                for j in 0..SIDE {
                    parts[j] = parts[j].add(sums[j]);
                }
            }
            for j in 0..SIDE {
                let sum = V::splat(start).add(parts[j]);
                if PARTIAL { sum.store_first(to, count) } else { sum.store(to.add(j * V::LANES)) }
            }
        }
    }
}
