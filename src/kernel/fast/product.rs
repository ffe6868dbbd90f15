//! The dense product at the heart of convolution and of linear layers, forward and to the input gradient.
//!
//! Every destination pixel is a matrix `[channels, n]`: the sum over its sources of (the tap's weights
//! `[destination channels, source channels]`) x (the source pixel `[source channels, n]`).

use super::layout::Rows;
use super::sources::Sources;
use crate::kernel::buffer::Buffer;
use crate::kernel::share;
use crate::kernel::vector::{Hardware, Vector, Work, run};
use crate::scalar::Scalar;
use smallvec::SmallVec;

/// Destination channels that are summed side by side in registers.
pub(super) const ROWS: usize = 8;

/// Products that go into one sum before it is added to the destination: a block's weights stay in a first-level cache,
/// its source rows in a second-level one, and no sum of rounded terms grows longer.
const BLOCK: usize = 512;

/// Products that go into one sum of registers, where `n` are added up in all; the sums of these parts are then added. Of
/// positive terms a sum of 512 in a row is off by 4 units in the last place (root mean square), of parts of 64 by 0.7.
///
/// In `f64` the square root of n, about, which is the best for a sum of sums. In `f32` speed counts for more: parts of a
/// quarter made a step of LeNet, whose sums are of 75 to 400 products, a tenth slower.
pub(super) fn part<H: Hardware>(n: usize) -> usize {
    match size_of::<H>() {
        4 => n.div_ceil(2).clamp(16, 64),
        _ => 1 << n.isqrt().clamp(8, 64).ilog2(),
    }
}
const _: () = assert!(BLOCK.is_multiple_of(64) && BLOCK > 4 * 64, "a block has whole parts");

/// Units of work wanted of one product, so that a few threads come out even.
pub(super) const UNITS: usize = 16;

/// The weights of a product in memory: the weight of (group, destination, source, tap) lies at the sum of each times its
/// stride.
#[derive(Clone, Copy)]
pub(super) struct Weights<'a, H> {
    pub elements: &'a [H],
    pub strides: [usize; 4],
    /// How many of each; destinations and sources per group.
    pub counts: [usize; 4],
}

/// Weights as a product reads them: those of a block of [`ROWS`] destination channels at one source channel lie `row`
/// apart, and the next source channel's `step` further.
pub(super) struct Panels<'a, H: Hardware> {
    weights: Weights<'a, H>,
    /// For each block, for each tap, for each source channel, one weight for each row of the block (0 beyond the last
    /// channel of the group). `None` where there is one tap: then weights are read where they lie.
    packed: Option<Buffer<H>>,
}

impl<'a, H: Hardware> Panels<'a, H> {
    pub fn new(weights: Weights<'a, H>) -> Self {
        let Weights { elements, strides, counts: [groups, destinations, sources, taps] } = weights;
        if taps == 1 {
            return Self { weights, packed: None };
        }
        let panel = taps * sources * ROWS;
        let per_group = destinations.div_ceil(ROWS);
        let mut packed = Buffer::zeros(groups * per_group * panel);
        let operations = packed.len();
        share::chunks(&mut packed, panel, operations, |block, panel| {
            let (group, first) = (block / per_group, block % per_group * ROWS);
            for (i, destination) in (first..destinations.min(first + ROWS)).enumerate() {
                let from = &elements[group * strides[0] + destination * strides[1]..];
                for (tap, panel) in panel.chunks_exact_mut(sources * ROWS).enumerate() {
                    let weights = from[tap * strides[3]..].iter().step_by(strides[2]);
                    panel[i..].iter_mut().step_by(ROWS).zip(weights).for_each(|(to, &weight)| *to = weight);
                }
            }
        });
        Self { weights, packed: Some(packed) }
    }

    /// The weights of block `block` of `group` from source channel `source` of `tap` on: the memory, the step from one
    /// source channel to the next, and the stride from row to row (the last rows of a short block are its last one).
    #[inline(always)]
    fn block(&self, group: usize, block: usize, tap: usize, source: usize) -> (&[H], usize, [usize; ROWS]) {
        let [_, destinations, sources, taps] = self.weights.counts;
        let mut rows = [0; ROWS];
        match &self.packed {
            Some(packed) => {
                let block = group * destinations.div_ceil(ROWS) + block;
                let start = ((block * taps + tap) * sources + source) * ROWS;
                rows.iter_mut().enumerate().for_each(|(i, to)| *to = i);
                (&packed[start..], ROWS, rows)
            }
            None => {
                let [of_group, row, step, _] = self.weights.strides;
                let last = ROWS.min(destinations - block * ROWS) - 1;
                let start = group * of_group + block * ROWS * row + source * step;
                rows.iter_mut().enumerate().for_each(|(i, to)| *to = i.min(last) * row);
                (&self.weights.elements[start..], step, rows)
            }
        }
    }
}

/// Fills `y`, the rows `[pixels, channels, n]`, with the products, plus `bias` per channel.
pub(super) fn product<'x, H: Hardware>(
    sources: &Sources,
    x: &'x Rows<'x, H>,
    panels: &Panels<H>,
    bias: Option<&[H]>,
    y: &mut [H],
) {
    let [groups, destinations, source_channels, taps] = panels.weights.counts;
    let channels = groups * destinations;
    let rows = rows_per_unit(sources.pixels(), channels, groups);
    let units_per_pixel = channels.div_ceil(rows);
    let unit = |segments: &mut Segments<'x, H>, index: usize, y: &mut [H]| {
        let (pixel, first) = (index / units_per_pixel, index % units_per_pixel * rows);
        let mut first_of_group = first % destinations;
        let mut group = first / destinations;
        let mut rest = y;
        while !rest.is_empty() {
            let count = (destinations - first_of_group).min(rest.len() / x.n);
            let (y, after) = rest.split_at_mut(count * x.n);
            let bias = bias.map(|bias| &bias[group * destinations + first_of_group..][..count]);
            run(Pixel { sources, pixel, x, panels, group, first: first_of_group, bias, y, segments: &mut *segments });
            (rest, first_of_group, group) = (after, 0, group + 1);
        }
    };
    let work = y.len() * taps * source_channels;
    share::chunks_with(y, rows * x.n, work, Segments::new, unit);
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
struct Pixel<'a, 'x, H: Hardware> {
    sources: &'a Sources,
    pixel: usize,
    x: &'x Rows<'x, H>,
    panels: &'a Panels<'a, H>,
    group: usize,
    /// Within the group; a multiple of [`ROWS`].
    first: usize,
    /// Of these rows.
    bias: Option<&'a [H]>,
    /// `[rows, n]`.
    y: &'a mut [H],
    /// Scratch.
    segments: &'a mut Segments<'x, H>,
}

/// Source rows that lie one after another, and whose they are.
#[derive(Clone, Copy)]
struct Segment<'a, H> {
    /// `[count, n]`, all in one part of the sum.
    x: &'a [H],
    tap: usize,
    /// The first one's channel.
    source: usize,
}

/// Those of a block: one a tap, and one more where a part ends. For windows of up to 5 x 5 they take no memory of their own.
type Segments<'a, H> = SmallVec<[Segment<'a, H>; 64]>;

impl<H: Hardware> Work for Pixel<'_, '_, H> {
    type Element = H;

    #[inline(always)]
    unsafe fn run<V: Vector<Element = H>, const WIDE: usize>(mut self) {
        let (x, [_, _, channels, taps], n) = (self.x, self.panels.weights.counts, self.x.n);
        let part = part::<H>(channels * taps);
        let (mut filled, mut is_first) = (0, true);
        self.segments.clear();
        for (tap, pixel) in self.sources.of(self.pixel) {
            let rows = &x.pixel(pixel)[self.group * channels * n..][..channels * n];
            let mut done = 0;
            while done < channels {
                let count = (channels - done).min(part - filled % part);
                self.segments.push(Segment { x: &rows[done * n..][..count * n], tap, source: done });
                (done, filled) = (done + count, filled + count);
                if filled == BLOCK {
                    // SAFETY: by the caller.
                    unsafe { self.add::<V, WIDE>(is_first, part) };
                    self.segments.clear();
                    (filled, is_first) = (0, false);
                }
            }
        }
        if filled > 0 || is_first {
            // SAFETY: by the caller.
            unsafe { self.add::<V, WIDE>(is_first, part) };
        }
    }
}

impl<H: Hardware> Pixel<'_, '_, H> {
    /// Adds the products of the segments, in parts of `part`, to y; the first time y is overwritten, starting from the bias.
    ///
    /// # Safety
    /// As [`Vector`].
    #[inline(always)]
    unsafe fn add<V: Vector<Element = H>, const WIDE: usize>(&mut self, is_first: bool, part: usize) {
        let (n, segments) = (self.x.n, (self.segments.as_slice(), part));
        for (i, y) in self.y.chunks_mut(ROWS * n).enumerate() {
            let block = (self.panels, self.group, self.first / ROWS + i);
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
                        tile::<V, WIDE, false>(segments, block, [n, lane, V::LANES], start, y);
                        lane += WIDE * V::LANES;
                    } else if left >= V::LANES {
                        tile::<V, 1, false>(segments, block, [n, lane, V::LANES], start, y);
                        lane += V::LANES;
                    } else {
                        tile::<V, 1, true>(segments, block, [n, lane, left], start, y);
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
    (segments, part): (&[Segment<V::Element>], usize),
    (panels, group, block): (&Panels<V::Element>, usize, usize),
    [n, lane, count]: [usize; 3],
    start: Option<&[V::Element; ROWS]>,
    y: &mut [V::Element],
) {
    // SAFETY: rows l of a segment start at l * n in a slice of whole rows, and the lanes lie within a row by the
    // caller; the last weight that is read is checked to lie in its slice; y is cut to whole rows.
    unsafe {
        let mut sums = [[V::splat(V::Element::ZERO); WIDE]; ROWS];
        let (mut parts, mut filled) = (sums, 0);
        for segment in segments {
            if filled == part {
                add_all(&mut parts, &sums);
                (sums, filled) = ([[V::splat(V::Element::ZERO); WIDE]; ROWS], 0);
            }
            let rows = segment.x.len() / n;
            filled += rows;
            let (weights, step, row_strides) = panels.block(group, block, segment.tap, segment.source);
            assert!((rows - 1) * step + row_strides[ROWS - 1] < weights.len());
            let (weights, x) = (weights.as_ptr(), segment.x.as_ptr().add(lane));
            if panels.packed.is_some() {
                // Strides that the compiler knows: no register is spent on them.
                let row_strides = [0, 1, 2, 3, 4, 5, 6, 7];
                add_rows::<V, WIDE, PARTIAL>(&mut sums, (weights, ROWS, row_strides), (x, n, count), rows);
            } else {
                add_rows::<V, WIDE, PARTIAL>(&mut sums, (weights, step, row_strides), (x, n, count), rows);
            }
        }
        add_all(&mut parts, &sums);
        for (i, (y, sums)) in y.chunks_exact_mut(n).zip(parts).enumerate() {
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

/// `sums += others`.
///
/// # Safety
/// As [`Vector`].
#[inline(always)]
unsafe fn add_all<V: Vector, const WIDE: usize>(sums: &mut [[V; WIDE]; ROWS], others: &[[V; WIDE]; ROWS]) {
    // By index, as below.
    for i in 0..ROWS {
        for j in 0..WIDE {
            // SAFETY: by the caller.
            sums[i][j] = unsafe { sums[i][j].add(others[i][j]) };
        }
    }
}

/// Adds the products of `count` source rows: `weights[l * step + row_strides[i]] * x[l * n ..]` for row i.
///
/// # Safety
/// As [`Vector`]: all these weights, and `lanes` lanes of each of the last `WIDE` vectors, must be there.
#[inline(always)]
#[expect(clippy::needless_range_loop)]
unsafe fn add_rows<V: Vector, const WIDE: usize, const PARTIAL: bool>(
    sums: &mut [[V; WIDE]; ROWS],
    (weights, step, row_strides): (*const V::Element, usize, [usize; ROWS]),
    (x, n, lanes): (*const V::Element, usize, usize),
    count: usize,
) {
    // SAFETY: by the caller. Pointers past the last row are made and not read.
    unsafe {
        let (mut weights, mut row) = (weights, x);
        for _ in 0..count {
            let mut x = [V::splat(V::Element::ZERO); WIDE];
            for j in 0..WIDE {
                let from = row.wrapping_add(j * V::LANES);
                x[j] = if PARTIAL { V::load_first(from, lanes) } else { V::load(from) };
            }
            // By index: the sums stay in registers only if the compiler sees at once that it can unroll.
            for i in 0..ROWS {
                let weight = V::splat(*weights.wrapping_add(row_strides[i]));
                for j in 0..WIDE {
                    sums[i][j] = weight.mul_add(x[j], sums[i][j]);
                }
            }
            weights = weights.wrapping_add(step);
            row = row.wrapping_add(n);
        }
    }
}
