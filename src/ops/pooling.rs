//! The windows of max and average pooling: attributes, shapes, definition.

use super::definition::per_pixel;
use super::{Attributes, sample, shape};
use crate::error::{Error, Result};
use crate::kernel::Pooling;
use crate::op::{Op, Shape, list};
use crate::scalar::Scalar;
use ndarray::ArrayD;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

impl Pooling {
    /// The attributes `kernel`, `stride` (default: the kernel) and `padding` (default: 0).
    pub(super) fn from_attributes(attributes: &mut Attributes) -> Result<Self> {
        let kernel = attributes.pair("kernel", None)?;
        let stride = attributes.pair("stride", Some(kernel))?;
        Ok(Self { kernel, stride, padding: attributes.pair("padding", Some([0, 0]))? })
    }

    /// x `[n,c,h,w]` -> `[n,c,oh,ow]` with oh = floor((h + 2 padding - kernel) / stride) + 1, likewise ow.
    ///
    /// # Errors
    /// [`Error::Shape`] for a kernel or stride of 0, padding beyond half the kernel (as PyTorch; it guarantees that
    /// every window holds a pixel), or a kernel larger than the padded input.
    pub(super) fn out_shape<O: Op>(&self, inputs: &[&[usize]]) -> Result<Shape> {
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
        let windows =
            |axis: usize, extent: usize| (extent + 2 * self.padding[axis] - self.kernel[axis]) / self.stride[axis] + 1;
        Ok(list![n, c, windows(0, h), windows(1, w)])
    }

    /// `f` of the values under each window, `None` where the window is over padding: a pooling by definition.
    pub(super) fn definition<S: Scalar>(&self, x: &ArrayD<S>, f: impl Fn(&[Option<S>]) -> S) -> ArrayD<S> {
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
    pub(super) fn sample(rng: &mut ChaCha8Rng, size: usize) -> (Self, ArrayD<f64>) {
        let shape = sample::image(rng, size);
        let kernel = [sample::extent(rng, shape[2].min(3)), sample::extent(rng, shape[3].min(3))];
        let stride = [sample::extent(rng, 3), sample::extent(rng, 3)];
        let padding = kernel.map(|kernel| rng.random_range(0..=kernel / 2));
        (Self { kernel, stride, padding }, sample::array(rng, &shape))
    }
}
