//! Convolution and its two adjoints with a weight of which few entries live: a row times a number for each of them, and
//! nothing for the others.

use super::PARALLEL_WORK;
use super::depthwise::dot;
use super::layout::{Rows, images};
use super::product::rows_per_unit;
use super::sources::Sources;
use crate::kernel::buffer::{self, Buffer};
use crate::kernel::vector::{Hardware, Vector, Work, on_hardware, run};
use crate::kernel::{Pattern, Window};
use crate::scalar::Scalar;
use ndarray::{Array1, Array4, ArrayView1, ArrayView4};
use rayon::prelude::*;
use std::ops::Range;

/// Vectors of one row that are summed side by side: reading a weight and finding its row costs as much as a few products.
const WIDE: usize = 8;

/// Living weights whose sums, one vector each, stay in a second-level cache.
const SUMS: usize = 1 << 11;

/// Units of work wanted of a weight gradient, so that a few threads come out even.
const UNITS: usize = 8;

/// A living weight.
#[derive(Debug, Clone, Copy, Default)]
struct Entry<H> {
    tap: u32,
    /// The source channel, of all groups.
    source: u32,
    weight: H,
}

/// The living weights of every destination channel.
struct Compressed<H: Hardware> {
    /// Where each channel's entries start, and their number at the end: `[destinations + 1]`.
    starts: Vec<usize>,
    entries: Buffer<Entry<H>>,
    taps: usize,
}

impl<H: Hardware> Compressed<H> {
    /// Forward: outputs from inputs.
    fn by_output(pattern: &Pattern, values: &[H], groups: usize) -> Self {
        let [o, c, kh, kw] = pattern.filters();
        let mut entries = Buffer::stale(pattern.nnz());
        let taps = (kh * kw) as u32;
        for output in 0..o {
            let first = (output / (o / groups) * c) as u32;
            let range = pattern.starts()[output]..pattern.starts()[output + 1];
            let weights = pattern.row(output).iter().zip(&values[range.clone()]);
            for (entry, (&column, &weight)) in entries[range].iter_mut().zip(weights) {
                // A division takes as long as the products of a weight, where there is one tap.
                let (source, tap) = if taps == 1 { (column, 0) } else { (column / taps, column % taps) };
                *entry = Entry { tap, source: first + source, weight };
            }
        }
        Self { starts: pattern.starts().to_vec(), entries, taps: kh * kw }
    }

    /// The input gradient: inputs from outputs. Entries of one input channel are in the order of outputs.
    fn by_input(pattern: &Pattern, values: &[H], groups: usize) -> Self {
        let Self { starts: of_outputs, entries: by_output, taps } = Self::by_output(pattern, values, groups);
        let inputs = pattern.filters()[1] * groups;
        let mut starts = vec![0; inputs + 1];
        by_output.iter().for_each(|entry| starts[entry.source as usize + 1] += 1);
        for i in 0..inputs {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let mut entries = Buffer::stale(by_output.len());
        for (output, range) in of_outputs.windows(2).enumerate() {
            for entry in &by_output[range[0]..range[1]] {
                let place = &mut next[entry.source as usize];
                entries[*place] = Entry { source: output as u32, ..*entry };
                *place += 1;
            }
        }
        Self { starts, entries, taps }
    }

    fn row(&self, destination: usize) -> &[Entry<H>] {
        &self.entries[self.starts[destination]..self.starts[destination + 1]]
    }
}

/// As [`sparse_conv2d`](crate::kernel::sparse_conv2d); `None` for number systems without vectors.
pub(in crate::kernel) fn sparse_conv2d<S: Scalar>(
    window: Window,
    x: ArrayView4<S>,
    w: (&Pattern, &[S]),
    bias: Option<ArrayView1<S>>,
) -> Option<Array4<S>> {
    on_hardware!(S, forward(window, x, w, bias))
}

/// As [`sparse_conv2d_input_gradient`](crate::kernel::sparse_conv2d_input_gradient); `None` as above.
pub(in crate::kernel) fn sparse_conv2d_input_gradient<S: Scalar>(
    window: Window,
    dy: ArrayView4<S>,
    w: (&Pattern, &[S]),
    x_shape: [usize; 4],
) -> Option<Array4<S>> {
    on_hardware!(S, input_gradient(window, dy, w, x_shape))
}

/// As [`sparse_conv2d_weight_gradient`](crate::kernel::sparse_conv2d_weight_gradient); `None` as above.
pub(in crate::kernel) fn sparse_conv2d_weight_gradient<S: Scalar>(
    window: Window,
    x: ArrayView4<S>,
    dy: ArrayView4<S>,
    pattern: &Pattern,
) -> Option<Array1<S>> {
    on_hardware!(S, weight_gradient(window, x, dy, pattern))
}

fn forward<H: Hardware>(
    window: Window,
    x: ArrayView4<H>,
    w: (&Pattern, &[H]),
    bias: Option<ArrayView1<H>>,
) -> Array4<H> {
    let [o, c, kh, kw] = w.0.filters();
    let shape @ [n, _, oh, ow] = window.output_shape(x.dim(), (o, c, kh, kw));
    let mut y = buffer::stale(n * o * oh * ow);
    if !y.is_empty() {
        let x = Rows::of(x);
        let bias: Option<Vec<H>> = bias.map(|bias| bias.to_vec());
        let sources = Sources::of_outputs(window, [kh, kw], x.extent, [oh, ow]);
        let weights = Compressed::by_output(w.0, w.1, window.groups);
        product(&sources, &x, &weights, bias.as_deref(), &mut y);
    }
    images(shape, y)
}

fn input_gradient<H: Hardware>(
    window: Window,
    dy: ArrayView4<H>,
    w: (&Pattern, &[H]),
    x_shape: [usize; 4],
) -> Array4<H> {
    let [_, _, kh, kw] = w.0.filters();
    let mut dx = buffer::stale(x_shape.iter().product());
    if !dx.is_empty() {
        let dy = Rows::of(dy);
        let sources = Sources::of_inputs(window, [kh, kw], [x_shape[2], x_shape[3]], dy.extent);
        product(&sources, &dy, &Compressed::by_input(w.0, w.1, window.groups), None, &mut dx);
    }
    images(x_shape, dx)
}

/// Fills `y` `[pixels, channels, n]` with the products, plus `bias` per channel.
fn product<H: Hardware>(sources: &Sources, x: &Rows<H>, weights: &Compressed<H>, bias: Option<&[H]>, y: &mut [H]) {
    let channels = weights.starts.len() - 1;
    let rows = rows_per_unit(sources.pixels(), channels, 1);
    let units_per_pixel = channels.div_ceil(rows);
    let unit = |(index, y): (usize, &mut [H])| {
        let (pixel, first) = (index / units_per_pixel, index % units_per_pixel * rows);
        run(Pixel { sources, pixel, x, weights, first, bias, y });
    };
    let work = sources.pixels() * weights.entries.len() * x.n;
    if work < PARALLEL_WORK {
        y.chunks_mut(rows * x.n).enumerate().for_each(unit);
    } else {
        y.par_chunks_mut(rows * x.n).enumerate().for_each(unit);
    }
}

/// The rows `first ..` of one destination pixel.
struct Pixel<'a, H: Hardware> {
    sources: &'a Sources,
    pixel: usize,
    x: &'a Rows<'a, H>,
    weights: &'a Compressed<H>,
    first: usize,
    bias: Option<&'a [H]>,
    /// `[rows, n]`.
    y: &'a mut [H],
}

/// For each tap, the pixel that it reads; `None` where it reads padding.
fn pixels_of_taps<'a, H: Hardware>(
    sources: &Sources,
    pixel: usize,
    x: &'a Rows<H>,
    taps: usize,
) -> Vec<Option<&'a [H]>> {
    let mut pixels = vec![None; taps];
    sources.of(pixel).for_each(|(tap, source)| pixels[tap] = Some(x.pixel(source)));
    pixels
}

impl<H: Hardware> Work for Pixel<'_, H> {
    type Element = H;

    #[inline(always)]
    unsafe fn run<V: Vector<Element = H>, const _WIDE: usize>(self) {
        let n = self.x.n;
        let pixels = pixels_of_taps(self.sources, self.pixel, self.x, self.weights.taps);
        for (i, y) in self.y.chunks_exact_mut(n).enumerate() {
            let start = self.bias.map_or(H::ZERO, |bias| bias[self.first + i]);
            let row = self.weights.row(self.first + i);
            let mut lane = 0;
            while lane < n {
                let left = n - lane;
                // SAFETY: V by the caller; the lanes of each stretch lie within a row.
                unsafe {
                    if left >= WIDE * V::LANES {
                        stretch::<V, WIDE, false>(row, &pixels, lane, V::LANES, start, y);
                        lane += WIDE * V::LANES;
                    } else if left >= V::LANES {
                        stretch::<V, 1, false>(row, &pixels, lane, V::LANES, start, y);
                        lane += V::LANES;
                    } else {
                        stretch::<V, 1, true>(row, &pixels, lane, left, start, y);
                        lane = n;
                    }
                }
            }
        }
    }
}

/// `SIDE` vectors of the row y from `lane` on: `start` plus each living weight times the row that it reads. `count`: the
/// lanes of a vector that lie in the row (all but in a `PARTIAL` stretch).
///
/// # Safety
/// As [`Vector`]; `lane + (SIDE - 1) * V::LANES + count` is at most y's length.
#[inline(always)]
#[expect(clippy::needless_range_loop)]
unsafe fn stretch<V: Vector, const SIDE: usize, const PARTIAL: bool>(
    row: &[Entry<V::Element>],
    pixels: &[Option<&[V::Element]>],
    lane: usize,
    count: usize,
    start: V::Element,
    y: &mut [V::Element],
) {
    let n = y.len();
    // SAFETY: each x is cut to a row of n, in which the lanes lie by the caller; so they do in y.
    unsafe {
        let mut sums = [V::splat(start); SIDE];
        for entry in row {
            let Some(pixel) = pixels[entry.tap as usize] else { continue };
            let x = pixel[entry.source as usize * n..][..n].as_ptr().add(lane);
            let weight = V::splat(entry.weight);
            for j in 0..SIDE {
                let x = if PARTIAL { V::load_first(x, count) } else { V::load(x.add(j * V::LANES)) };
                sums[j] = weight.mul_add(x, sums[j]);
            }
        }
        let to = y.as_mut_ptr().add(lane);
        for (j, sum) in sums.into_iter().enumerate() {
            if PARTIAL { sum.store_first(to, count) } else { sum.store(to.add(j * V::LANES)) }
        }
    }
}

/// Dot products of the rows that each living weight joins.
///
/// Outputs are cut into shares whose sums stay in cache, pixels into slabs with partial sums of their own, added in order.
fn weight_gradient<H: Hardware>(window: Window, x: ArrayView4<H>, dy: ArrayView4<H>, pattern: &Pattern) -> Array1<H> {
    let nnz = pattern.nnz();
    if dy.is_empty() || nnz == 0 {
        return Array1::from_elem(nnz, H::ZERO);
    }
    let (x, dy) = (Rows::of(x), Rows::of(dy));
    let [o, _, kh, kw] = pattern.filters();
    let sources = Sources::of_outputs(window, [kh, kw], x.extent, dy.extent);
    // The values do not matter here.
    let weights = Compressed::by_output(pattern, &Buffer::zeros(nnz), window.groups);
    let shares = shares(pattern.starts());
    let slab = sources.pixels().div_ceil(UNITS.div_ceil(shares.len()));
    let slabs = sources.pixels().div_ceil(slab);
    let mut partials = buffer::stale(slabs * nnz);
    let mut units = Vec::with_capacity(slabs * shares.len());
    for (i, mut rest) in partials.chunks_mut(nnz).enumerate() {
        for share in &shares {
            let (dw, after) = rest.split_at_mut(weights.starts[share.end] - weights.starts[share.start]);
            let pixels = i * slab..sources.pixels().min((i + 1) * slab);
            units.push(Sampled {
                sources: &sources,
                x: &x,
                dy: &dy,
                weights: &weights,
                outputs: share.clone(),
                pixels,
                dw,
            });
            rest = after;
        }
    }
    debug_assert_eq!(shares.last().map(|share| share.end), Some(o));
    if sources.pixels() * nnz * x.n < PARALLEL_WORK {
        units.into_iter().for_each(run);
    } else {
        units.into_par_iter().for_each(run);
    }
    let (sum, others) = partials.split_at_mut(nnz);
    for partial in others.chunks_exact(nnz) {
        sum.iter_mut().zip(partial).for_each(|(sum, &x)| *sum += x);
    }
    partials.truncate(nnz);
    partials.into()
}

/// Consecutive outputs with about [`SUMS`] entries each (one output's at the least).
fn shares(starts: &[usize]) -> Vec<Range<usize>> {
    let (mut shares, mut first) = (Vec::new(), 0);
    for output in 1..starts.len() {
        if starts[output] - starts[first] >= SUMS || output + 1 == starts.len() {
            shares.push(first..output);
            first = output;
        }
    }
    shares
}

/// The gradient of the living weights of some outputs over some pixels.
struct Sampled<'a, H: Hardware> {
    sources: &'a Sources,
    x: &'a Rows<'a, H>,
    dy: &'a Rows<'a, H>,
    weights: &'a Compressed<H>,
    outputs: Range<usize>,
    pixels: Range<usize>,
    dw: &'a mut [H],
}

impl<H: Hardware> Work for Sampled<'_, H> {
    type Element = H;

    #[inline(always)]
    unsafe fn run<V: Vector<Element = H>, const _WIDE: usize>(self) {
        let n = self.x.n;
        // SAFETY: V by the caller; sums are read and written in chunks of a vector each.
        unsafe {
            if self.pixels.len() == 1 {
                let pixels = pixels_of_taps(self.sources, self.pixels.start, self.x, self.weights.taps);
                let mut dw = self.dw.iter_mut();
                for output in self.outputs {
                    let dy = &self.dy.pixel(self.pixels.start)[output * n..][..n];
                    for (entry, dw) in self.weights.row(output).iter().zip(&mut dw) {
                        let x = pixels[entry.tap as usize].map(|pixel| &pixel[entry.source as usize * n..][..n]);
                        *dw = x.map_or(H::ZERO, |x| dot::<V>(dy, x).sum());
                    }
                }
                return;
            }
            // A vector of sums for each weight.
            let mut sums = Buffer::<H>::zeros(self.dw.len() * V::LANES);
            for pixel in self.pixels {
                let pixels = pixels_of_taps(self.sources, pixel, self.x, self.weights.taps);
                let mut sums = sums.chunks_exact_mut(V::LANES);
                for output in self.outputs.clone() {
                    let dy = &self.dy.pixel(pixel)[output * n..][..n];
                    for (entry, sum) in self.weights.row(output).iter().zip(&mut sums) {
                        let Some(pixel) = pixels[entry.tap as usize] else { continue };
                        let product: V = dot(dy, &pixel[entry.source as usize * n..][..n]);
                        V::load(sum.as_ptr()).add(product).store(sum.as_mut_ptr());
                    }
                }
            }
            for (dw, sum) in self.dw.iter_mut().zip(sums.chunks_exact(V::LANES)) {
                *dw = V::load(sum.as_ptr()).sum();
            }
        }
    }
}
