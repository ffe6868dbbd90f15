//! Pooling: windows over the planes of images, and what is made of the pixels under each.

mod average;
mod maximum;
mod mean;

pub use average::{avg_pool2d, avg_pool2d_gradient};
pub use maximum::{Positions, max_pool2d, max_pool2d_gradient};
pub use mean::{plane_means, plane_means_gradient};

use super::buffer::Buffer;
use std::ops::Range;

/// Where the windows of a pooling go: `[vertical, horizontal]` each, in floor mode (a window that does not fit is
/// left out).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pooling {
    /// Pixels of a window.
    pub kernel: [usize; 2],
    /// From one window to the next.
    pub stride: [usize; 2],
    /// Rows and columns outside of the image on each side, at most half the kernel.
    pub padding: [usize; 2],
}

impl Pooling {
    /// The windows over planes of h x w pixels, each of which must hold a pixel (the ops check).
    fn windows(&self, h: usize, w: usize) -> Windows {
        let taps = |axis: usize, extent: usize| -> Buffer<Span> {
            let (kernel, stride, padding) = (self.kernel[axis], self.stride[axis], self.padding[axis]);
            let count = (extent + 2 * padding - kernel) / stride + 1;
            let start = |i: usize| (i * stride).saturating_sub(padding);
            (0..count).map(|i| Span { start: start(i), end: (i * stride + kernel - padding).min(extent) }).collect()
        };
        let (rows, columns) = (taps(0, h), taps(1, w));
        Windows { boxes: boxes(&rows, &columns, w), rows, columns, height: h, width: w }
    }
}

/// The pixels under each window, padding cut off.
#[derive(Debug)]
struct Windows {
    /// For each row of windows, the rows of pixels; never empty.
    rows: Buffer<Span>,
    /// For each column of windows, the columns of pixels; never empty.
    columns: Buffer<Span>,
    /// The pixels under each window, in row-major order of the windows.
    boxes: Buffer<Pixels>,
    height: usize,
    width: usize,
}

impl Windows {
    /// The shape of what has a pixel for every window over x.
    pub fn out_shape(&self, x: &[usize]) -> [usize; 4] {
        [x[0], x[1], self.rows.len(), self.columns.len()]
    }

    /// How many windows a plane has.
    pub fn count(&self) -> usize {
        self.rows.len() * self.columns.len()
    }

    /// The pixels under window `i` in row-major order.
    #[inline(always)]
    pub fn pixels(&self, i: usize) -> Pixels {
        self.boxes[i]
    }

    /// For every pixel, in row-major order, the windows that are over it.
    pub fn over_pixels(&self) -> OverPixels {
        let over = |taps: &[Span], extent: usize| -> Buffer<Span> {
            // Windows begin and end in increasing order, so those over a pixel are consecutive.
            let first = |pixel: usize| taps.partition_point(|tap| tap.end <= pixel);
            let end = |pixel: usize| taps.partition_point(|tap| tap.start <= pixel);
            (0..extent).map(|pixel| Span { start: first(pixel), end: end(pixel) }).collect()
        };
        let (rows, columns) = (over(&self.rows, self.height), over(&self.columns, self.width));
        OverPixels(boxes(&rows, &columns, self.columns.len()))
    }
}

/// Every pair of `rows` and `columns`, in row-major order, as a box in a plane of this width.
fn boxes(rows: &[Span], columns: &[Span], width: usize) -> Buffer<Pixels> {
    let mut boxes = Buffer::with_room(rows.len() * columns.len());
    for &rows in rows {
        boxes.extend(columns.iter().map(|&columns| Pixels { rows, columns, width }));
    }
    boxes
}

/// The windows over each pixel.
#[derive(Debug)]
struct OverPixels(Buffer<Pixels>);

impl OverPixels {
    /// The windows over pixel `i` in row-major order.
    #[inline(always)]
    pub fn of(&self, i: usize) -> impl Iterator<Item = usize> {
        self.0[i].positions()
    }
}

/// A range that can be copied.
#[derive(Debug, Default, Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
}

impl Span {
    fn places(self) -> Range<usize> {
        self.start..self.end
    }
}

/// A box of pixels in a plane (those under one window), or of windows (those over one pixel).
#[derive(Debug, Default, Clone, Copy)]
struct Pixels {
    rows: Span,
    columns: Span,
    width: usize,
}

impl Pixels {
    /// How many there are.
    pub fn count(self) -> usize {
        self.rows.places().len() * self.columns.places().len()
    }

    /// Their positions in the flattened plane, in row-major order.
    #[inline(always)]
    pub fn positions(self) -> impl Iterator<Item = usize> {
        self.rows.places().flat_map(move |row| self.columns.places().map(move |column| row * self.width + column))
    }
}
