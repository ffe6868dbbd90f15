//! The weight gradient where images are one pixel, as those of a linear layer are: `dw[o,c] = sum_n dy[o,n] x[c,n]`.
//!
//! All of a tile's inputs and outputs are turned round once, by all threads, and shared: then blocks of a few outputs
//! are work enough for a thread, and no thread waits long for the other.

use super::turned::{Part, Turned};
use super::{ROWS, Runs, SAMPLES, STEPS, TILE, add_block};
use crate::kernel::fast::layout::Rows;
use crate::kernel::vector::{Hardware, Vector, Work, lanes, run};
use crate::kernel::{buffer, share};
use std::ops::Range;

/// `dw[o,c]` from x `[c,n]` and dy `[o,n]`, a pixel each.
pub(in crate::kernel::fast) fn weight_gradient<H: Hardware>(x: &Rows<H>, dy: &Rows<H>) -> Vec<H> {
    let mut dw = buffer::stale(dy.channels * x.channels);
    // A block reads all of x, and few of dy.
    let wanted = STEPS.min(TILE / x.channels);
    let tile = (wanted / SAMPLES).max(1) * SAMPLES;
    let (mut turned_x, mut turned_dy) = (Turned::new(lanes::<H>()), Turned::new(lanes::<H>().max(ROWS)));
    for start in (0..x.n).step_by(tile) {
        let samples = start..x.n.min(start + tile);
        turn(&mut turned_x, x, samples.clone());
        turn(&mut turned_dy, dy, samples.clone());
        let work = dw.len() * samples.len();
        share::chunks(&mut dw, ROWS * x.channels, work, |block, dw| {
            let (samples, channels, is_first) = (samples.len(), x.channels, start == 0);
            run(Block { x: &turned_x, dy: &turned_dy, block, samples, channels, is_first, dw });
        });
    }
    dw
}

/// Turns round all channels of some samples.
fn turn<H: Hardware>(turned: &mut Turned<H>, rows: &Rows<H>, samples: Range<usize>) {
    let part = Part { channels: 0..rows.channels, pixels: 0..1, samples };
    let width = turned.width;
    let (elements, size) = turned.panels(rows.channels, part.samples.len());
    let work = TURNED * elements.len();
    share::chunks(elements, size, work, |index, panel| run(Panel { rows, part: &part, index, panel, width }));
}

/// What turning an element round costs, in operations.
const TURNED: usize = 4;

/// A panel to be turned round.
struct Panel<'a, H: Hardware> {
    rows: &'a Rows<'a, H>,
    part: &'a Part,
    index: usize,
    panel: &'a mut [H],
    width: usize,
}

impl<H: Hardware> Work for Panel<'_, H> {
    type Element = H;

    #[inline(always)]
    unsafe fn run<V: Vector<Element = H>, const WIDE: usize>(self) {
        // SAFETY: V by the caller.
        unsafe { self.part.turn::<V>(self.rows, self.index, self.panel, self.width) };
    }
}

/// The gradient of the weights of [`ROWS`] outputs, or of the last few.
struct Block<'a, H: Hardware> {
    x: &'a Turned<H>,
    dy: &'a Turned<H>,
    block: usize,
    samples: usize,
    /// Of x.
    channels: usize,
    /// Whether the tile is the first, which fills dw.
    is_first: bool,
    dw: &'a mut [H],
}

impl<H: Hardware> Work for Block<'_, H> {
    type Element = H;

    #[inline(always)]
    unsafe fn run<V: Vector<Element = H>, const WIDE: usize>(self) {
        let runs = Runs { starts: &[[0, 0]], pixels: 1, samples: self.samples, step: 0 };
        let weights = [self.channels, 0, self.channels];
        // SAFETY: V by the caller.
        unsafe { add_block::<V, WIDE>(self.dy, self.x, self.block, &runs, weights, self.is_first, self.dw) };
    }
}
