//! [`Turned`]: pixels with their channels innermost, so that what is summed over samples lies in vectors of channels.

use crate::kernel::buffer::Buffer;
use crate::kernel::fast::layout::Rows;
use crate::kernel::vector::{Hardware, Vector};
use crate::scalar::Scalar;
use std::ops::Range;

/// Pixels of some samples with their channels innermost: for each panel of `width` channels (0 beyond the last), for each
/// pixel, for each sample, the channels.
pub(super) struct Turned<H: Hardware> {
    elements: Buffer<H>,
    pub width: usize,
    /// Pixels times samples.
    steps: usize,
}

impl<H: Hardware> Turned<H> {
    pub fn new(width: usize) -> Self {
        Self { elements: Buffer::stale(0), width, steps: 0 }
    }

    /// Makes room for so many channels and steps, holding anything, and gives the panels' memory: [`Part::turn`] fills it.
    pub fn panels(&mut self, channels: usize, steps: usize) -> (&mut [H], usize) {
        self.steps = steps;
        let len = channels.div_ceil(self.width) * steps * self.width;
        if self.elements.len() != len {
            self.elements = Buffer::stale(len);
        }
        (&mut self.elements, (steps * self.width).max(1))
    }

    /// Turns round a part of `rows`.
    ///
    /// # Safety
    /// As [`Vector`].
    #[inline(always)]
    pub unsafe fn fill<V: Vector<Element = H>>(&mut self, rows: &Rows<H>, part: &Part) {
        let width = self.width;
        let (elements, size) = self.panels(part.channels.len(), part.pixels.len() * part.samples.len());
        for (i, panel) in elements.chunks_exact_mut(size).enumerate() {
            // SAFETY: by the caller.
            unsafe { part.turn::<V>(rows, i, panel, width) };
        }
    }

    /// Panel `index`, from `step` on.
    #[inline(always)]
    pub fn panel(&self, index: usize, step: usize) -> &[H] {
        &self.elements[(index * self.steps + step) * self.width..(index + 1) * self.steps * self.width]
    }
}

/// Which of the rows are turned round.
pub(super) struct Part {
    pub channels: Range<usize>,
    pub pixels: Range<usize>,
    pub samples: Range<usize>,
}

impl Part {
    /// Fills panel `index`, of `width` channels.
    ///
    /// # Safety
    /// As [`Vector`].
    #[inline(always)]
    pub unsafe fn turn<V: Vector>(
        &self,
        rows: &Rows<V::Element>,
        index: usize,
        panel: &mut [V::Element],
        width: usize,
    ) {
        let (n, count) = (rows.n, self.samples.len());
        let first = self.channels.start + index * width;
        let of_panel = width.min(self.channels.end - first);
        for (turned, pixel) in panel.chunks_exact_mut(count * width).zip(self.pixels.clone()) {
            let from = &rows.pixel(pixel)[first * n..][..of_panel * n];
            for c in (0..width).step_by(V::LANES) {
                for sample in (0..count).step_by(V::LANES) {
                    if c + V::LANES <= of_panel && sample + V::LANES <= count {
                        let from = &from[c * n + self.samples.start + sample..];
                        // SAFETY: V by the caller; LANES samples of LANES channels lie in both slices.
                        unsafe {
                            let to = turned[sample * width + c..].as_mut_ptr();
                            V::turn(from.as_ptr(), to, [n, width]);
                        }
                        continue;
                    }
                    let samples = [self.samples.start + sample, V::LANES.min(count - sample)];
                    let to = &mut turned[sample * width + c..];
                    turn_part(&from[c.min(of_panel) * n..], [n, V::LANES], samples, to, width);
                }
            }
        }
    }
}

/// Turns round what rows `from` have of `lanes` channels: of each, `[first, count]` samples to `to`, a step `width` apart, and
/// 0 for a channel that is not there. By itself, so that the vectors' loop has all registers.
#[inline(never)]
fn turn_part<H: Scalar>(from: &[H], [n, lanes]: [usize; 2], [first, count]: [usize; 2], to: &mut [H], width: usize) {
    let channels = from.chunks_exact(n).map(Some).chain(std::iter::repeat(None)).take(lanes);
    for (c, channel) in channels.enumerate() {
        for i in 0..count {
            to[i * width + c] = channel.map_or(H::ZERO, |row| row[first + i]);
        }
    }
}
