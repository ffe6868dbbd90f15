//! The dense product at the heart of convolution and of linear layers, forward and to the input gradient.
//!
//! Every destination pixel is a matrix `[channels, n]`: the sum over its sources of (the tap's weights
//! `[destination channels, source channels]`) x (the source pixel `[source channels, n]`).

use super::layout::Rows;
use super::sources::Sources;
use crate::kernel::buffer::Buffer;
use crate::kernel::vector::{Hardware, Vector, Work, run};
use crate::scalar::Scalar;
use rayon::prelude::*;

/// Destination channels that are summed side by side in registers.
pub(super) const ROWS: usize = 8;

/// Products that go into one sum before it is added to the destination: a block's weights stay in a first-level cache,
/// its source rows in a second-level one, and no sum of rounded terms grows longer.
const BLOCK: usize = 512;

/// Units of work wanted of one product, so that a few threads come out even.
const UNITS: usize = 16;

/// The weights of a product, in the order in which it reads them: for each block of [`ROWS`] destination channels, for
/// each tap, for each source channel, one weight for each row of the block (0 beyond the last channel of the group).
pub(super) struct Panels<H: Hardware> {
    weights: Buffer<H>,
    pub groups: usize,
    pub taps: usize,
    /// Per group.
    pub destinations: usize,
    /// Per group.
    pub sources: usize,
}

impl<H: Hardware> Panels<H> {
    /// Panels of `weight(group, destination, source, tap)`.
    pub fn new(
        [groups, destinations, sources, taps]: [usize; 4],
        weight: impl Fn(usize, usize, usize, usize) -> H + Sync,
    ) -> Self {
        let panel = taps * sources * ROWS;
        let per_group = destinations.div_ceil(ROWS);
        let mut weights = Buffer::zeros(groups * per_group * panel);
        let fill = |(block, panel): (usize, &mut [H])| {
            let (group, first) = (block / per_group, block % per_group * ROWS);
            let rows = first..destinations.min(first + ROWS);
            for (i, row) in panel.chunks_exact_mut(ROWS).enumerate() {
                for (weight_of_row, destination) in row.iter_mut().zip(rows.clone()) {
                    *weight_of_row = weight(group, destination, i % sources, i / sources);
                }
            }
        };
        if weights.len() < super::PARALLEL_WORK {
            weights.chunks_exact_mut(panel.max(1)).enumerate().for_each(fill);
        } else {
            weights.par_chunks_exact_mut(panel).enumerate().for_each(fill);
        }
        Self { weights, groups, taps, destinations, sources }
    }

    fn blocks(&self) -> usize {
        self.destinations.div_ceil(ROWS)
    }

    /// The weights of block `block` of `group`.
    fn panel(&self, group: usize, block: usize) -> &[H] {
        let size = self.taps * self.sources * ROWS;
        &self.weights[(group * self.blocks() + block) * size..][..size]
    }
}

/// Fills `y`, the rows `[pixels, channels, n]`, with the products, plus `bias` per channel.
pub(super) fn product<H: Hardware>(
    sources: &Sources,
    x: &Rows<H>,
    panels: &Panels<H>,
    bias: Option<&[H]>,
    y: &mut [H],
) {
    let channels = panels.groups * panels.destinations;
    let rows = rows_per_unit(sources.pixels(), channels, panels.groups);
    let units_per_pixel = channels.div_ceil(rows);
    let unit = |(index, y): (usize, &mut [H])| {
        let (pixel, first) = (index / units_per_pixel, index % units_per_pixel * rows);
        let mut first_of_group = first % panels.destinations;
        let mut group = first / panels.destinations;
        let mut rest = y;
        while !rest.is_empty() {
            let count = (panels.destinations - first_of_group).min(rest.len() / x.n);
            let (y, after) = rest.split_at_mut(count * x.n);
            let bias = bias.map(|bias| &bias[group * panels.destinations + first_of_group..][..count]);
            run(Pixel { sources, pixel, x, panels, group, first: first_of_group, bias, y });
            (rest, first_of_group, group) = (after, 0, group + 1);
        }
    };
    let work = y.len() * panels.taps * panels.sources;
    let units = y.chunks_mut(rows * x.n);
    if work < super::PARALLEL_WORK || units.len() < 2 {
        units.enumerate().for_each(unit);
    } else {
        y.par_chunks_mut(rows * x.n).enumerate().for_each(unit);
    }
}

/// How many rows of a pixel one unit makes: all of them if there are pixels enough, else an equal share in whole blocks.
pub(super) fn rows_per_unit(pixels: usize, channels: usize, groups: usize) -> usize {
    let wanted = UNITS.div_ceil(pixels);
    let share = channels.div_ceil(wanted).next_multiple_of(ROWS);
    // Chunks of a slice are equal but for the last: with more than one pixel the shares must divide a pixel.
    let divides = pixels == 1 || channels.is_multiple_of(share);
    if groups == 1 && divides { share.min(channels) } else { channels }
}

/// The rows `first ..` of one group of one destination pixel.
struct Pixel<'a, H: Hardware> {
    sources: &'a Sources,
    pixel: usize,
    x: &'a Rows<'a, H>,
    panels: &'a Panels<H>,
    group: usize,
    /// Within the group; a multiple of [`ROWS`].
    first: usize,
    /// Of these rows.
    bias: Option<&'a [H]>,
    /// `[rows, n]`.
    y: &'a mut [H],
}

/// Source rows that lie one after another, and where their weights lie in a panel.
#[derive(Clone, Copy)]
struct Segment<'a, H> {
    /// `[count, n]`.
    x: &'a [H],
    /// In source channels.
    panel: usize,
}

impl<H: Hardware> Work for Pixel<'_, H> {
    type Element = H;

    #[inline(always)]
    unsafe fn run<V: Vector<Element = H>, const WIDE: usize>(mut self) {
        let (x, channels, n) = (self.x, self.panels.sources, self.x.n);
        let (mut block, mut filled, mut is_first) = (Vec::with_capacity(self.panels.taps), 0, true);
        for (tap, pixel) in self.sources.of(self.pixel) {
            let rows = &x.pixel(pixel)[self.group * channels * n..][..channels * n];
            let mut done = 0;
            while done < channels {
                let count = (channels - done).min(BLOCK - filled);
                block.push(Segment { x: &rows[done * n..][..count * n], panel: tap * channels + done });
                (done, filled) = (done + count, filled + count);
                if filled == BLOCK {
                    // SAFETY: by the caller.
                    unsafe { self.add::<V, WIDE>(&block, is_first) };
                    block.clear();
                    (filled, is_first) = (0, false);
                }
            }
        }
        if filled > 0 || is_first {
            // SAFETY: by the caller.
            unsafe { self.add::<V, WIDE>(&block, is_first) };
        }
    }
}

impl<H: Hardware> Pixel<'_, H> {
    /// Adds the products of `segments` to y; the first time y is overwritten, starting from the bias.
    ///
    /// # Safety
    /// As [`Vector`].
    #[inline(always)]
    unsafe fn add<V: Vector<Element = H>, const WIDE: usize>(&mut self, segments: &[Segment<H>], is_first: bool) {
        let n = self.x.n;
        for (i, y) in self.y.chunks_mut(ROWS * n).enumerate() {
            let panel = self.panels.panel(self.group, self.first / ROWS + i);
            let mut bias = [H::ZERO; ROWS];
            if let Some(given) = self.bias {
                let given = &given[i * ROWS..];
                bias.iter_mut().zip(given).for_each(|(bias, &given)| *bias = given);
            }
            let start = if is_first { Some(&bias) } else { None };
            let mut lane = 0;
            while lane < n {
                let left = n - lane;
                // SAFETY: V by the caller; the lanes of each tile lie within a row.
                unsafe {
                    if left >= WIDE * V::LANES {
                        tile::<V, WIDE, false>(segments, panel, [n, lane, V::LANES], start, y);
                        lane += WIDE * V::LANES;
                    } else if left >= V::LANES {
                        tile::<V, 1, false>(segments, panel, [n, lane, V::LANES], start, y);
                        lane += V::LANES;
                    } else {
                        tile::<V, 1, true>(segments, panel, [n, lane, left], start, y);
                        lane = n;
                    }
                }
            }
        }
    }
}

/// [`ROWS`] rows of `WIDE` vectors from `lane` on: `y = start + sum`, or `y += sum` without a start.
///
/// `[n, lane, count]`: the length of rows, and how many lanes of a vector lie in them (all but in a `PARTIAL` tile).
///
/// # Safety
/// As [`Vector`]; `lane + (WIDE - 1) * V::LANES + count <= n`, and y holds whole rows.
#[inline(always)]
unsafe fn tile<V: Vector, const WIDE: usize, const PARTIAL: bool>(
    segments: &[Segment<V::Element>],
    panel: &[V::Element],
    [n, lane, count]: [usize; 3],
    start: Option<&[V::Element; ROWS]>,
    y: &mut [V::Element],
) {
    // SAFETY: rows l of a segment start at l * n in a slice of whole rows, and the lanes lie within a row by the
    // caller; weights are read as arrays from slices of them; y's rows likewise.
    unsafe {
        let mut sums = [[V::splat(V::Element::ZERO); WIDE]; ROWS];
        for segment in segments {
            let rows = segment.x.len() / n;
            let weights = panel[segment.panel * ROWS..][..rows * ROWS].as_chunks::<ROWS>().0;
            let mut row = segment.x.as_ptr().add(lane);
            for weights in weights {
                let mut x = [V::splat(V::Element::ZERO); WIDE];
                for (j, x) in x.iter_mut().enumerate() {
                    let from = row.wrapping_add(j * V::LANES);
                    *x = if PARTIAL { V::load_first(from, count) } else { V::load(from) };
                }
                for (sums, &weight) in sums.iter_mut().zip(weights) {
                    let weight = V::splat(weight);
                    for (sum, &x) in sums.iter_mut().zip(&x) {
                        *sum = weight.mul_add(x, *sum);
                    }
                }
                row = row.wrapping_add(n);
            }
        }
        for (i, (y, sums)) in y.chunks_exact_mut(n).zip(sums).enumerate() {
            for (j, sum) in sums.into_iter().enumerate() {
                let to = y.as_mut_ptr().add(lane + j * V::LANES);
                let before = match start {
                    Some(start) => V::splat(start[i]),
                    None if PARTIAL => V::load_first(to, count),
                    None => V::load(to),
                };
                let sum = before.add(sum);
                if PARTIAL { sum.store_first(to, count) } else { sum.store(to) }
            }
        }
    }
}
