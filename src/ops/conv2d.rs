//! `conv2d`: `y[n,o,oy,ox] = b[o] + sum_c sum_ky sum_kx w[o,c,ky,kx] x[n,c',iy,ix]`, where
//! iy = oy stride + ky dilation - padding (ix likewise) and c' is channel c of o's group;
//! x `[n,c,h,w]`, w `[o,c/groups,kh,kw]`, optional b `[o]` -> y `[n,o,oh,ow]` with
//! oh = floor((h + 2 padding - dilation (kh - 1) - 1) / stride) + 1.
//!
//! Derivative: the two adjoints. `dx[n,c',iy,ix]` sums `w[o,c,ky,kx] dy[n,o,oy,ox]` over every (o, ky, kx, oy, ox)
//! that reads the pixel, `dw[o,c,ky,kx]` sums `x[n,c',iy,ix] dy[n,o,oy,ox]` over n, oy, ox, and `db[o]` sums
//! `dy[n,o,oy,ox]`.
//!
//! Conventions, as PyTorch's: the kernel is not flipped (cross-correlation); rows and columns that a last, partial
//! step would need are ignored; padding is zeros, which contribute no term. Defaults: stride 1, padding 0,
//! dilation 1, groups 1. [`Kernel::Literal`] adds in the order written, first index slowest, from b_o (from +0
//! without a bias); db is summed in [`Scalar::Accumulator`] in the order n, oy, ox, whatever the kernel.
//!
//! ```
//! use gdstar::{kernel::{Kernel, Window}, op::evaluate, ops::Conv2d};
//! use ndarray::array;
//! // one row of three pixels, padded to 0 1 2 3 0, under the taps 1 10, at every second place
//! let op = Conv2d { window: Window { stride: [1, 2], padding: [0, 1], ..Window::PLAIN } };
//! let x = array![[[[1.0, 2.0, 3.0]]]].into_dyn();
//! let (w, b) = (array![[[[1.0, 10.0]]]].into_dyn(), array![100.0].into_dyn());
//! let dy = array![[[[1.0, 2.0]]]].into_dyn();
//! let inputs = [x.view(), w.view(), b.view()];
//! let result = evaluate(&op, Kernel::Literal, &inputs, &[Some(dy.view())], &[true; 3])?;
//! assert_eq!(result.outputs[0], array![[[[110.0, 132.0]]]].into_dyn()); // 100 + 0*1 + 1*10, 100 + 2*1 + 3*10
//! assert_eq!(result.gradients[0], Some(array![[[[10.0, 2.0, 20.0]]]].into_dyn())); // 10*1, 1*2, 10*2
//! assert_eq!(result.gradients[1], Some(array![[[[4.0, 7.0]]]].into_dyn())); // 0*1 + 2*2, 1*1 + 3*2
//! assert_eq!(result.gradients[2], Some(array![3.0].into_dyn()));
//! # Ok::<(), gdstar::Error>(())
//! ```

use super::definition::per_pixel;
#[cfg(feature = "cuda")]
use super::operands::four_extents;
use super::operands::{WITH_OPTIONAL_BIAS, bias, equal, extents, of_rank, products_with_filters, with_optional_bias};
use super::{Attributes, Care, Case, Catalogued, Magnitude, Summation, sample, shape};
use crate::error::{Error, Result};
use crate::kernel::{self, Kernel, Window};
use crate::op::{Argument, ArrayNames, Cost, List, Op, Shape, list};
use crate::scalar::Scalar;
#[cfg(feature = "cuda")]
use crate::{
    kernel::cuda::{self, Device, DeviceTensor},
    op::{DeviceResult, Seated},
};
use ndarray::{ArrayD, ArrayView4, ArrayViewD, Axis};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// y = the cross-correlation of x and w, + b.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv2d {
    /// Stride, padding, dilation and groups.
    pub window: Window,
}

impl Conv2d {
    /// Checks the attributes by themselves.
    fn check_window(&self) -> Result<()> {
        for axis in 0..2 {
            shape::positive(Self::NAME, "stride", self.window.stride[axis])?;
            shape::positive(Self::NAME, "dilation", self.window.dilation[axis])?;
        }
        shape::positive(Self::NAME, "groups", self.window.groups)
    }

    /// Checks that the groups divide `count` channels.
    fn check_groups(&self, name: &str, count: usize) -> Result<()> {
        if count.is_multiple_of(self.window.groups) {
            return Ok(());
        }
        let expected = format!("channels divisible by groups = {}", self.window.groups);
        Err(Error::shape(Self::NAME, name, expected, count.to_string()))
    }

    /// The output's extent along `axis` (0 vertical) for `kernel` taps over `input` pixels.
    fn output_extent(&self, axis: usize, input: usize, kernel: usize) -> Result<usize> {
        self.window.output_extent(axis, input, kernel).ok_or_else(|| {
            let side = ["height", "width"][axis];
            let (padding, dilation) = (self.window.padding[axis], self.window.dilation[axis]);
            Error::shape(
                Self::NAME,
                format!("w, kernel {side}"),
                format!("at least 1 tap, dilated within the padded input of {input} + 2 * {padding}"),
                format!("{kernel} taps at dilation {dilation}"),
            )
        })
    }
}

impl Op for Conv2d {
    const NAME: &'static str = "conv2d";
    const INPUTS: ArrayNames = WITH_OPTIONAL_BIAS;
    const OUTPUTS: ArrayNames = ArrayNames::Each(&["y"]);
    type Saved<S: Scalar> = ();

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        self.check_window()?;
        let (x, w) = with_optional_bias::<Self>(inputs)?;
        let [n, channels, height, width] = extents(Self::NAME, "x", "[n, c, h, w]", x)?;
        let [outputs, w_channels, kh, kw] = extents(Self::NAME, "w", "[o, c/groups, kh, kw]", w)?;
        self.check_groups("x", channels)?;
        self.check_groups("w", outputs)?;
        equal(Self::NAME, "w", "channels per group c/groups", channels / self.window.groups, w_channels)?;
        let [oh, ow] = [self.output_extent(0, height, kh)?, self.output_extent(1, width, kw)?];
        Ok(list![shape::bounded(Self::NAME, list![n, outputs, oh, ow])?])
    }

    fn cost(&self, inputs: &[&[usize]], outputs: &[Shape]) -> Cost {
        products_with_filters(inputs, outputs)
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &mut [Argument<S>]) -> (List<ArrayD<S>>, ()) {
        let (x, w) = (of_rank(&inputs[0]), of_rank(&inputs[1]));
        let y = kernel::conv2d_with_bias(kernel, self.window, x, w, bias(inputs));
        (list![y.into_dyn()], ())
    }

    fn backward<S: Scalar>(
        &self,
        kernel: Kernel,
        inputs: &[ArrayViewD<S>],
        _: &[ArrayViewD<S>],
        _: &(),
        upstream: &mut [Argument<S>],
        wanted: &[bool],
    ) -> List<Option<ArrayD<S>>> {
        let x: ArrayView4<S> = of_rank(&inputs[0]);
        let w: ArrayView4<S> = of_rank(&inputs[1]);
        let dy: ArrayView4<S> = of_rank(&upstream[0]);
        let dx = || kernel::conv2d_input_gradient(kernel, self.window, dy, w, x.dim().into());
        let dw = || kernel::conv2d_weight_gradient(kernel, self.window, x, dy, w.dim().into());
        let mut gradients = list![wanted[0].then(|| dx().into_dyn()), wanted[1].then(|| dw().into_dyn())];
        if let Some(&wanted) = wanted.get(2) {
            gradients.push(wanted.then(|| kernel::channel_sums(kernel, dy).into_dyn()));
        }
        gradients
    }

    #[cfg(feature = "cuda")]
    fn on_device<S: Scalar>(&self, device: &Device, inputs: &[&DeviceTensor<S>]) -> DeviceResult<Seated<S>> {
        let window = self.window;
        let y = cuda::conv2d_with_bias(device, window, inputs[0], inputs[1], inputs.get(2).copied())?;
        Ok(Seated::new(list![y], move |passed| {
            let (device, inputs, dy) = (passed.device, passed.inputs, &passed.upstream[0]);
            let dx =
                || cuda::conv2d_input_gradient(device, window, dy, inputs[1].tensor()?, four_extents(inputs[0].shape));
            let dw =
                || cuda::conv2d_weight_gradient(device, window, inputs[0].tensor()?, dy, four_extents(inputs[1].shape));
            let db = || cuda::channel_sums(device, dy);
            passed.gradients(&[&dx, &dw, &db])
        }))
    }
}

impl Catalogued for Conv2d {
    const SUMMARY: &'static str = "y = cross-correlation of x and w, + b";
    const SUMS: Summation = Summation::Accumulator;

    fn definition<S: Scalar>(&self, inputs: &[ArrayD<S>]) -> Vec<ArrayD<S>> {
        let Window { stride, padding, dilation, groups } = self.window;
        let (x, w, bias) = (&inputs[0], &inputs[1], inputs.get(2));
        let (d, k) = (x.shape(), w.shape());
        let count =
            |axis: usize| (d[2 + axis] + 2 * padding[axis] - dilation[axis] * (k[2 + axis] - 1) - 1) / stride[axis] + 1;
        let y = |[n, o, i, j]: [usize; 4]| {
            let first = o / (k[0] / groups) * k[1];
            let mut sum = bias.map_or(S::ZERO, |bias| bias[[o]]);
            for (at, &w) in w.index_axis(Axis(0), o).indexed_iter() {
                let row = (i * stride[0] + at[1] * dilation[0]).wrapping_sub(padding[0]);
                let column = (j * stride[1] + at[2] * dilation[1]).wrapping_sub(padding[1]);
                sum += w * x.get([n, first + at[0], row, column]).copied().unwrap_or(S::ZERO);
            }
            sum
        };
        vec![per_pixel([d[0], k[0], count(0), count(1)], y)]
    }

    fn magnitude(&self, _: Care) -> Magnitude<Self> {
        Magnitude::OfAbsolutes
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self> {
        let op = Self {
            window: Window {
                stride: attributes.pair("stride", Some(Window::PLAIN.stride))?,
                padding: attributes.pair("padding", Some(Window::PLAIN.padding))?,
                dilation: attributes.pair("dilation", Some(Window::PLAIN.dilation))?,
                groups: attributes.count("groups", Some(Window::PLAIN.groups))?,
            },
        };
        op.check_window()?;
        Ok(op)
    }

    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        let groups = sample::extent(rng, size);
        // Dense, grouped, and (one channel and one output per group) depthwise.
        let [channels, outputs] = if rng.random() { [1, 1] } else { [(); 2].map(|()| sample::extent(rng, size + 1)) };
        let mut pair = |from: usize, to: usize| [(); 2].map(|()| rng.random_range(from..=to));
        let (stride, padding, dilation, kernel) = (pair(1, 3), pair(0, 2), pair(1, 2), pair(1, 3));
        let beyond = pair(0, size + 2); // the input's pixels beyond the fewest that fit one window
        let [h, w] = [0, 1].map(|axis| {
            let reach = dilation[axis] * (kernel[axis] - 1) + 1;
            reach.saturating_sub(2 * padding[axis]).max(1) + beyond[axis]
        });
        let n = sample::extent(rng, size);
        let mut inputs = vec![
            sample::array(rng, &[n, groups * channels, h, w]),
            sample::array(rng, &[groups * outputs, channels, kernel[0], kernel[1]]),
        ];
        if rng.random() {
            inputs.push(sample::array(rng, &[groups * outputs]));
        }
        Case::new(Self { window: Window { stride, padding, dilation, groups } }, inputs)
    }
}
