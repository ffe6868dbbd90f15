//! The weight gradient: for every tap, the sum over the pixels it joins of (output pixel `[o, n]`) x (input pixel
//! `[c, n]`)^T.
//!
//! Samples are what is summed over here, so rows cannot be vectors. A tile (some rows of outputs of some samples, and the
//! inputs under them) is turned round first, channels innermost, in panels as wide as the registers; then each weight's
//! sum runs through the tile in one register, whatever the tap.

mod matrix;
mod turned;

pub(super) use matrix::weight_gradient as matrix_gradient;

use super::layout::Rows;
use crate::kernel::Window;
use crate::kernel::buffer::{self, Buffer};
use crate::kernel::share;
use crate::kernel::vector::{Hardware, Vector, Work, run};
use crate::scalar::Scalar;
use std::ops::Range;
use turned::{Part, Turned};

/// Output channels that are summed side by side in registers.
const ROWS: usize = 8;

/// Samples of a tile, or a multiple of it where images are small: a cache line of `f32`.
const SAMPLES: usize = 16;

/// Channels that panels are as wide as, at most.
const PANEL: usize = 16;

/// Steps that a weight's sum should run through before it is added to the others.
const STEPS: usize = 1 << 7;

/// Elements of a tile's panels, which fill half of a second-level cache in `f32`.
const TILE: usize = 1 << 17;

/// Units of work wanted, so that a few threads come out even.
const UNITS: usize = 8;

/// Most shares that output channels are cut into: each turns all inputs round once more.
const SHARES: usize = 4;

/// Most elements of all partial sums together, where there is more than one.
const PARTIALS: usize = 1 << 18;

/// Elements of the partial sums that are added at a time.
const CHUNK: usize = 1 << 12;

/// Everything a unit of work needs to know.
struct Gradient<'a, H: Hardware> {
    window: Window,
    x: &'a Rows<'a, H>,
    dy: &'a Rows<'a, H>,
    kernel: [usize; 2],
    /// Input and output channels per group.
    channels: usize,
    outputs: usize,
}

/// `dw[o,c,ky,kx]`, as `[o, taps, c/groups]`.
///
/// The batch is cut into slabs, each with a partial sum of its own; these are added in order. Output channels are shared
/// out too, where weights are so many that partial sums would cost more than turning the tiles round once more.
pub(super) fn weight_gradient<H: Hardware>(window: Window, x: &Rows<H>, dy: &Rows<H>, kernel: [usize; 2]) -> Vec<H> {
    let (channels, outputs) = (x.channels / window.groups, dy.channels / window.groups);
    let gradient = Gradient { window, x, dy, kernel, channels, outputs };
    let row = kernel[0] * kernel[1] * channels;
    let size = dy.channels * row;
    let slabs = (PARTIALS / size.max(1)).clamp(1, UNITS).min(x.n.div_ceil(SAMPLES));
    let slab = x.n.div_ceil(slabs).next_multiple_of(SAMPLES);
    let slabs = x.n.div_ceil(slab);
    let shares = if window.groups == 1 { UNITS.div_ceil(slabs).min(SHARES) } else { 1 };
    let share = dy.channels.div_ceil(shares).next_multiple_of(ROWS).min(dy.channels);
    let mut partials = buffer::stale(slabs * size);
    let work = size * dy.extent[0] * dy.extent[1] * x.n;
    share::chunks(&mut partials, size, work, |i, partial| {
        let samples = i * slab..x.n.min((i + 1) * slab);
        share::chunks(partial, share * row, work / slabs, |j, dw| {
            run(Unit { gradient: &gradient, samples: samples.clone(), first: j * share, dw });
        });
    });
    if slabs == 1 {
        return partials;
    }
    let (sum, others) = partials.split_at_mut(size);
    share::chunks(sum, CHUNK, others.len(), |chunk, sum| {
        for partial in others.chunks_exact(size) {
            let partial = &partial[chunk * CHUNK..];
            sum.iter_mut().zip(partial).for_each(|(sum, &x)| *sum += x);
        }
    });
    partials.truncate(size);
    partials
}

/// The gradient of the weights of some output channels over some samples.
struct Unit<'a, H: Hardware> {
    gradient: &'a Gradient<'a, H>,
    samples: Range<usize>,
    /// Of all output channels.
    first: usize,
    /// `[outputs of the unit, taps, c/groups]`, whatever it holds at first.
    dw: &'a mut [H],
}

impl<H: Hardware> Work for Unit<'_, H> {
    type Element = H;

    #[inline(always)]
    unsafe fn run<V: Vector<Element = H>, const WIDE: usize>(mut self) {
        let Gradient { window, x, dy, kernel, channels, outputs } = *self.gradient;
        let ([height, width], [oh, ow]) = (x.extent, dy.extent);
        let (rows, samples_per_tile) = (self.rows_per_tile(), self.samples_per_tile());
        let own = self.dw.len() / (kernel[0] * kernel[1] * channels);
        self.dw.fill(H::ZERO);
        let mut starts = Buffer::with_room(oh);
        let (mut turned_x, mut turned_dy) = (Turned::new(V::LANES), Turned::new(V::LANES.max(ROWS)));
        for start in self.samples.clone().step_by(samples_per_tile) {
            let samples = start..self.samples.end.min(start + samples_per_tile);
            for top in (0..oh).step_by(rows) {
                let outputs_in_tile = top..oh.min(top + rows);
                let inputs = self.input_rows(&outputs_in_tile, height);
                let pixels =
                    [outputs_in_tile.start * ow..outputs_in_tile.end * ow, inputs.start * width..inputs.end * width];
                let groups = self.first / outputs..(self.first + own).div_ceil(outputs);
                for group in groups {
                    let of_group = (group * outputs).max(self.first)..((group + 1) * outputs).min(self.first + own);
                    let [out, inp] = pixels.clone();
                    let part = |channels, pixels| Part { channels, pixels, samples: samples.clone() };
                    // SAFETY: by the caller.
                    unsafe {
                        turned_dy.fill::<V>(dy, &part(of_group.clone(), out));
                        turned_x.fill::<V>(x, &part(group * channels..(group + 1) * channels, inp));
                    }
                    for (ky, kx) in (0..kernel[0]).flat_map(|ky| (0..kernel[1]).map(move |kx| (ky, kx))) {
                        let columns = window.outputs_inside(1, kx, width, ow);
                        let inside = window.outputs_inside(0, ky, height, oh);
                        let rows = inside.start.max(outputs_in_tile.start)..inside.end.min(outputs_in_tile.end);
                        if columns.is_empty() || rows.is_empty() {
                            continue;
                        }
                        let first_x = window.input_at(1, columns.start, kx);
                        starts.truncate(0);
                        starts.extend(rows.map(|oy| {
                            let iy = window.input_at(0, oy, ky) - inputs.start;
                            let output = ((oy - outputs_in_tile.start) * ow + columns.start) * samples.len();
                            [output, (iy * width + first_x) * samples.len()]
                        }));
                        let runs = Runs {
                            starts: &starts,
                            pixels: columns.len(),
                            samples: samples.len(),
                            // Not taken where a run is one pixel, however far the stride.
                            step: window.stride[1].saturating_mul(samples.len()),
                        };
                        // SAFETY: by the caller.
                        unsafe {
                            self.add_tap::<V, WIDE>(
                                &turned_dy,
                                &turned_x,
                                &runs,
                                of_group.clone(),
                                ky * kernel[1] + kx,
                            );
                        }
                    }
                }
            }
        }
    }
}

/// The steps of a tile that a tap joins, as runs along rows.
struct Runs<'a> {
    /// Where each run starts, in steps of the outputs and of the inputs.
    starts: &'a [[usize; 2]],
    /// Pixels of a run, and samples of each.
    pixels: usize,
    samples: usize,
    /// From one pixel to the next among the inputs.
    step: usize,
}

impl<H: Hardware> Unit<'_, H> {
    /// How many rows of outputs make a tile.
    fn rows_per_tile(&self) -> usize {
        let Gradient { window, x, dy, kernel, .. } = *self.gradient;
        let row = |rows: &Rows<H>| rows.extent[1] * SAMPLES * (rows.channels / window.groups).next_multiple_of(PANEL);
        let (output_row, input_row) = (row(dy), row(x));
        let reach = (kernel[0] - 1) * window.dilation[0] + 1;
        let room = TILE.saturating_sub(reach * input_row);
        (room / window.stride[0].saturating_mul(input_row).saturating_add(output_row).max(1)).clamp(1, dy.extent[0])
    }

    /// How many samples make a tile: more than [`SAMPLES`] where whole images are few steps, and fit.
    fn samples_per_tile(&self) -> usize {
        let Gradient { x, dy, .. } = *self.gradient;
        let wanted = STEPS / (dy.extent[0] * dy.extent[1]);
        let image = |rows: &Rows<H>| rows.extent[0] * rows.extent[1] * rows.channels.next_multiple_of(PANEL);
        let image = image(x) + image(dy);
        (wanted.min(TILE / image) / SAMPLES).max(1) * SAMPLES
    }

    /// The rows of inputs under some rows of outputs.
    fn input_rows(&self, outputs: &Range<usize>, height: usize) -> Range<usize> {
        let Gradient { window, kernel, .. } = *self.gradient;
        let start = (outputs.start * window.stride[0]).saturating_sub(window.padding[0]);
        let last = (outputs.end - 1) * window.stride[0] + (kernel[0] - 1) * window.dilation[0];
        start.min(height)..(last + 1).saturating_sub(window.padding[0]).min(height)
    }

    /// Adds a tile's products for one tap, `dw[o, tap, c]` for the outputs `of_group`.
    ///
    /// # Safety
    /// As [`Vector`].
    #[inline(always)]
    unsafe fn add_tap<V: Vector<Element = H>, const WIDE: usize>(
        &mut self,
        dy: &Turned<H>,
        x: &Turned<H>,
        runs: &Runs,
        of_group: Range<usize>,
        tap: usize,
    ) {
        let Gradient { kernel, channels, .. } = *self.gradient;
        let taps = kernel[0] * kernel[1];
        for (block, first) in of_group.clone().step_by(ROWS).enumerate() {
            let outputs = ROWS.min(of_group.end - first);
            let dw = &mut self.dw[(first - self.first) * taps * channels..][..outputs * taps * channels];
            // SAFETY: V by the caller.
            unsafe { add_block::<V, WIDE>(dy, x, block, runs, [taps * channels, tap * channels, channels], false, dw) };
        }
    }
}

/// Adds the products of one block of outputs and all inputs to dw, or fills it with the first.
/// `[stride, start, channels]`: from one output's weights to the next, and where the `channels` of the tap begin among them.
///
/// # Safety
/// As [`Vector`].
#[inline(always)]
unsafe fn add_block<V: Vector, const WIDE: usize>(
    dy: &Turned<V::Element>,
    x: &Turned<V::Element>,
    block: usize,
    runs: &Runs,
    [stride, start, channels]: [usize; 3],
    is_first: bool,
    dw: &mut [V::Element],
) {
    let mut panel = 0;
    while panel * V::LANES < channels {
        let c = panel * V::LANES;
        let wide = channels - c > V::LANES && WIDE == 2;
        let to = [stride, start + c, channels - c];
        // SAFETY: V by the caller.
        unsafe {
            if wide {
                tile::<V, 2>(dy, x, [block, panel], runs, to, is_first, dw);
                panel += 2;
            } else {
                tile::<V, 1>(dy, x, [block, panel], runs, to, is_first, dw);
                panel += 1;
            }
        }
    }
}

/// Adds the products of one block of outputs and `WIDE` panels of inputs to dw, or fills it with the first.
/// `[stride, start, count]`: from one output's weights to the next, the first weight, and how many follow it.
///
/// # Safety
/// As [`Vector`].
#[inline(always)]
#[expect(clippy::needless_range_loop)]
unsafe fn tile<V: Vector, const WIDE: usize>(
    dy: &Turned<V::Element>,
    x: &Turned<V::Element>,
    [block, panel]: [usize; 2],
    runs: &Runs,
    [stride, start, count]: [usize; 3],
    is_first: bool,
    dw: &mut [V::Element],
) {
    // SAFETY: x and dy are read from slices that are cut to as many steps as are taken, a place within a step being
    // ROWS short of its width at the most; dw is written within its slices.
    unsafe {
        let mut sums = [[V::splat(V::Element::ZERO); WIDE]; ROWS];
        let (panel_of_dy, place) = (block * ROWS / dy.width, block * ROWS % dy.width);
        for &[output, input] in runs.starts {
            let dy_run = &dy.panel(panel_of_dy, output)[..runs.pixels * runs.samples * dy.width];
            for (pixel, dy_pixel) in dy_run.chunks_exact(runs.samples * dy.width).enumerate() {
                let mut x_from = [std::ptr::null(); WIDE];
                for j in 0..WIDE {
                    let x_pixel = x.panel(panel + j, input + pixel * runs.step);
                    x_from[j] = x_pixel[..runs.samples * V::LANES].as_ptr();
                }
                let mut dy_from = dy_pixel.as_ptr().add(place);
                // By index: the sums stay in registers only if the compiler sees at once that it can unroll.
                for _ in 0..runs.samples {
                    let mut x = [V::splat(V::Element::ZERO); WIDE];
                    for j in 0..WIDE {
                        x[j] = V::load(x_from[j]);
                        x_from[j] = x_from[j].wrapping_add(V::LANES);
                    }
                    for i in 0..ROWS {
                        let dy = V::splat(*dy_from.wrapping_add(i));
                        for j in 0..WIDE {
                            sums[i][j] = dy.mul_add(x[j], sums[i][j]);
                        }
                    }
                    dy_from = dy_from.wrapping_add(dy.width);
                }
            }
        }
        for i in 0..ROWS {
            if i * stride >= dw.len() {
                break;
            }
            let dw = &mut dw[i * stride + start..][..count];
            for j in 0..WIDE {
                let dw = &mut dw[j * V::LANES..];
                let (to, count) = (dw.as_mut_ptr(), dw.len());
                match (is_first, count >= V::LANES) {
                    (true, true) => sums[i][j].store(to),
                    (true, false) => sums[i][j].store_first(to, count),
                    (false, true) => V::load(to).add(sums[i][j]).store(to),
                    (false, false) => V::load_first(to, count).add(sums[i][j]).store_first(to, count),
                }
            }
        }
    }
}
