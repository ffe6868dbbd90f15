//! The windows of max and average pooling.

use super::definition::per_pixel;
use super::{Attributes, sample, shape};
use crate::error::{Error, Result};
use crate::kernel::buffer::Buffer;
use crate::op::{Op, Shape};
use crate::scalar::Scalar;
use ndarray::ArrayD;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use std::ops::Range;

/// Where the windows of a pooling go: `[vertical, horizontal]` each, in floor mode (a window that does not fit is
/// left out).
#[derive(Debug, Clone, Copy)]
pub(super) struct Pooling {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
}

impl Pooling {
    /// The attributes `kernel`, `stride` (default: the kernel) and `padding` (default: 0).
    pub fn from_attributes(attributes: &mut Attributes) -> Result<Self> {
        let kernel = attributes.pair("kernel", None)?;
        let stride = attributes.pair("stride", Some(kernel))?;
        Ok(Self { kernel, stride, padding: attributes.pair("padding", Some([0, 0]))? })
    }

    /// x `[n,c,h,w]` -> `[n,c,oh,ow]` with oh = floor((h + 2 padding - kernel) / stride) + 1, likewise ow.
    ///
    /// # Errors
    /// [`Error::Shape`] for a kernel or stride of 0, padding beyond half the kernel (as PyTorch; it guarantees that
    /// every window holds a pixel), or a kernel larger than the padded input.
    pub fn out_shape<O: Op>(&self, inputs: &[&[usize]]) -> Result<Shape> {
        let op = O::NAME;
        let [n, c, h, w] = shape::image_with_pixels::<O>(inputs)?;
        for (axis, extent) in [h, w].into_iter().enumerate() {
            let (kernel, stride, padding) = (self.kernel[axis], self.stride[axis], self.padding[axis]);
            shape::positive(op, "kernel", kernel)?;
            shape::positive(op, "stride", stride)?;
            if padding > kernel / 2 {
                let expected = format!("at most half the kernel {kernel}");
                return Err(Error::shape(op, "attribute `padding`", expected, padding.to_string()));
            }
            let padded = padding.checked_mul(2).and_then(|both| both.checked_add(extent));
            if padded.is_none_or(|padded| padded < kernel) {
                let expected = format!("at most the padded extent of {extent} + 2 * {padding}");
                return Err(Error::shape(op, "attribute `kernel`", expected, kernel.to_string()));
            }
        }
        Ok(self.windows(h, w).out_shape(&[n, c, h, w])[..].into())
    }

    /// The windows over planes of h x w pixels, which [`Pooling::out_shape`] has accepted.
    pub fn windows(&self, h: usize, w: usize) -> Windows {
        let taps = |axis: usize, extent: usize| -> Buffer<Span> {
            let (kernel, stride, padding) = (self.kernel[axis], self.stride[axis], self.padding[axis]);
            let count = (extent + 2 * padding - kernel) / stride + 1;
            let start = |i: usize| (i * stride).saturating_sub(padding);
            (0..count).map(|i| Span { start: start(i), end: (i * stride + kernel - padding).min(extent) }).collect()
        };
        let (rows, columns) = (taps(0, h), taps(1, w));
        Windows { boxes: boxes(&rows, &columns, w), rows, columns, height: h, width: w }
    }

    /// `f` of the values under each window, `None` where the window is over padding: a pooling by definition.
    pub fn definition<S: Scalar>(&self, x: &ArrayD<S>, f: impl Fn(&[Option<S>]) -> S) -> ArrayD<S> {
        let Self { kernel, stride, padding } = *self;
        let d = x.shape();
        let count = |axis: usize| (d[2 + axis] + 2 * padding[axis] - kernel[axis]) / stride[axis] + 1;
        per_pixel([d[0], d[1], count(0), count(1)], |[n, c, i, j]| {
            let taps = (0..kernel[0]).flat_map(|a| (0..kernel[1]).map(move |b| [i * stride[0] + a, j * stride[1] + b]));
            let value = |[row, column]: [usize; 2]| {
                x.get([n, c, row.wrapping_sub(padding[0]), column.wrapping_sub(padding[1])]).copied()
            };
            f(&taps.map(value).collect::<Vec<_>>())
        })
    }

    /// A pooling, and an input that it accepts.
    pub fn sample(rng: &mut ChaCha8Rng, size: usize) -> (Self, ArrayD<f64>) {
        let shape = sample::image(rng, size);
        let kernel = [sample::extent(rng, shape[2].min(3)), sample::extent(rng, shape[3].min(3))];
        let stride = [sample::extent(rng, 3), sample::extent(rng, 3)];
        let padding = kernel.map(|kernel| rng.random_range(0..=kernel / 2));
        (Self { kernel, stride, padding }, sample::array(rng, &shape))
    }
}

/// The pixels under each window, padding cut off.
#[derive(Debug)]
pub(super) struct Windows {
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
pub(super) struct OverPixels(Buffer<Pixels>);

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
pub(super) struct Pixels {
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
