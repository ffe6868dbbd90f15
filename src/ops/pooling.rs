//! The windows of max and average pooling.

use super::{Attributes, sample, shape};
use crate::error::{Error, Result};
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
    pub fn out_shape(&self, op: &'static str, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        let [n, c, h, w] = shape::image_with_pixels(op, inputs)?;
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
        let windows = self.windows(h, w);
        Ok(vec![n, c, windows.rows.len(), windows.columns.len()])
    }

    /// The windows over planes of h x w pixels, which [`Pooling::out_shape`] has accepted.
    pub fn windows(&self, h: usize, w: usize) -> Windows {
        let taps = |axis: usize, extent: usize| -> Vec<Range<usize>> {
            let (kernel, stride, padding) = (self.kernel[axis], self.stride[axis], self.padding[axis]);
            let count = (extent + 2 * padding - kernel) / stride + 1;
            let tap = |i: usize| (i * stride).saturating_sub(padding)..(i * stride + kernel - padding).min(extent);
            (0..count).map(tap).collect()
        };
        Windows { rows: taps(0, h), columns: taps(1, w), width: w }
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
    pub rows: Vec<Range<usize>>,
    /// For each column of windows, the columns of pixels; never empty.
    pub columns: Vec<Range<usize>>,
    width: usize,
}

impl Windows {
    /// How many windows a plane has.
    pub fn count(&self) -> usize {
        self.rows.len() * self.columns.len()
    }

    /// The windows in row-major order.
    pub fn iter(&self) -> impl Iterator<Item = Pixels> + '_ {
        self.rows.iter().flat_map(move |rows| {
            self.columns.iter().map(move |columns| Pixels {
                rows: rows.clone(),
                columns: columns.clone(),
                width: self.width,
            })
        })
    }
}

/// The pixels under one window.
#[derive(Debug)]
pub(super) struct Pixels {
    rows: Range<usize>,
    columns: Range<usize>,
    width: usize,
}

impl Pixels {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.rows.len() * self.columns.len()
    }

    /// Their positions in the flattened plane, in row-major order.
    pub fn positions(&self) -> impl Iterator<Item = usize> + '_ {
        self.rows.clone().flat_map(move |row| self.columns.clone().map(move |column| row * self.width + column))
    }
}
