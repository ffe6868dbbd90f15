//! Cases: shapes drawn by proptest, values and memory layouts drawn from a seed.

use crate::common::layout::Scattered;
use gdstar::kernel::Window;
use gdstar::scalar::Scalar;
use ndarray::{Array, Array1, Dimension, Ix1, Ix2, Ix4, ShapeBuilder};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How values are drawn. All are exact in `f32`.
#[derive(Debug, Clone, Copy)]
pub enum Values {
    /// Integers from -8 to 8: every product and sum in these proofs is an integer below 2^24, exact in `f32`.
    Integers,
    /// Signed, with magnitudes from 2^-24 2^-12 (or 0) to 2^7: uneven sums, yet products far from underflow.
    Uneven,
}

impl Values {
    pub fn draw<D: Dimension>(self, rng: &mut ChaCha8Rng, shape: impl ShapeBuilder<Dim = D>) -> Array<f64, D> {
        Array::from_shape_simple_fn(shape, || match self {
            Self::Integers => f64::from(rng.random_range(-8..=8)),
            Self::Uneven => f64::from(rng.random_range(-1.0f32..1.0)) * 2f64.powi(rng.random_range(-12..=7)),
        })
    }
}

/// `values`, which are exact in `S`, somewhere in memory among `NaN`s that must never be read.
pub fn scattered<S: Scalar, D: Dimension>(rng: &mut ChaCha8Rng, values: &Array<f64, D>) -> Scattered<S> {
    Scattered::new(rng, &values.mapv(S::from_f64), S::from_f64(f64::NAN))
}

/// A matrix product: a [m,k], b [k,n], bias [n].
#[derive(Debug, Clone)]
pub struct Product {
    pub shape: [usize; 3],
    pub seed: u64,
}

impl Product {
    /// m, k, n from 0 to 40, the long side at times past a block of every kernel.
    pub fn any() -> impl Strategy<Value = Self> {
        let extent = || prop_oneof![8 => 0usize..40, 1 => 120usize..136, 1 => 250usize..264];
        ([extent(), extent(), extent()], any::<u64>()).prop_map(|(shape, seed)| Self { shape, seed })
    }

    /// Shapes on both sides of every block boundary: `matrixmultiply`'s (micro-kernels of 4 to 16, k blocks of 256)
    /// and the fast kernel's tiles of 128 by 256.
    pub fn past_blocks() -> impl Iterator<Item = Self> {
        let shapes = [
            [127, 255, 255],
            [128, 256, 256],
            [129, 257, 257],
            [257, 513, 17],
            [1, 784, 300],
            [300, 128, 784],
            [15, 1025, 129],
        ];
        shapes.into_iter().map(|shape| Self { shape, seed: 3 })
    }

    pub fn rng(&self) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.seed)
    }

    pub fn draw(&self, rng: &mut ChaCha8Rng, values: Values) -> (Array<f64, Ix2>, Array<f64, Ix2>, Array<f64, Ix1>) {
        let [m, k, n] = self.shape;
        (values.draw(rng, (m, k)), values.draw(rng, (k, n)), values.draw(rng, n))
    }
}

/// A convolution: shapes that fit the window.
#[derive(Debug, Clone)]
pub struct Convolution {
    pub window: Window,
    /// [n,c,h,w].
    pub x: [usize; 4],
    /// [o,c/groups,kh,kw].
    pub w: [usize; 4],
    pub seed: u64,
}

/// The arrays of a [`Convolution`].
pub struct Operands {
    pub x: Array<f64, Ix4>,
    pub w: Array<f64, Ix4>,
    pub bias: Array1<f64>,
    pub dy: Array<f64, Ix4>,
}

impl Convolution {
    /// Strides, paddings, dilations and kernels that differ between the axes; groups from 1 to 3, with one output
    /// per group or several (the two forms of the fast kernel); batches from 0; inputs from one window upwards.
    pub fn any() -> impl Strategy<Value = Self> {
        let pair = |from: usize, to: usize| [from..=to, from..=to];
        let window = (pair(1, 3), pair(0, 2), pair(1, 2), 1usize..=3);
        let extents = (0usize..=9, 1usize..=3, prop_oneof![1usize..=3, 4usize..=9], pair(1, 3), pair(0, 6));
        (window, extents, any::<u64>()).prop_map(|(window, (n, channels, outputs, kernel, beyond), seed)| {
            let (stride, padding, dilation, groups) = window;
            let [h, w] = [0, 1].map(|axis| {
                let reach: usize = dilation[axis] * (kernel[axis] - 1) + 1;
                reach.saturating_sub(2 * padding[axis]) + beyond[axis] // 0 at times: padding alone
            });
            Self {
                window: Window { stride, padding, dilation, groups },
                x: [n, groups * channels, h, w],
                w: [groups * outputs, channels, kernel[0], kernel[1]],
                seed,
            }
        })
    }

    /// One for every path of the fast kernel and both sides of its tiles, all with enough work for threads.
    pub fn past_blocks() -> impl Iterator<Item = Self> {
        let case = |stride, padding, groups, x, w| {
            let window = Window { stride, padding, dilation: [1, 1], groups };
            Self { window, x, w, seed: 4 }
        };
        let cases = [
            // tiles of many whole samples, the last one short, and more samples than partial sums
            case([1, 1], [1, 1], 1, [131, 4, 4, 4], [8, 4, 3, 3]),
            // tiles of some rows of one sample
            case([1, 1], [1, 1], 1, [3, 3, 40, 40], [8, 3, 3, 3]),
            // a long reduction over taps, stride 2
            case([2, 2], [1, 1], 1, [9, 64, 13, 13], [16, 64, 3, 3]),
            // pointwise: the input itself is the columns matrix, whole, in rows, or gathered
            case([1, 1], [0, 0], 1, [5, 16, 30, 30], [12, 16, 1, 1]),
            case([1, 1], [0, 0], 1, [5, 16, 37, 37], [12, 16, 1, 1]),
            case([1, 1], [0, 0], 1, [65, 16, 5, 5], [12, 16, 1, 1]),
            // grouped, and depthwise
            case([1, 2], [1, 0], 3, [17, 6, 12, 14], [15, 2, 3, 3]),
            case([1, 1], [1, 1], 32, [5, 32, 16, 16], [32, 1, 3, 3]),
        ];
        cases.into_iter()
    }

    pub fn rng(&self) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.seed)
    }

    /// [n,o,oh,ow].
    pub fn y(&self) -> [usize; 4] {
        let extent = |axis: usize| {
            let fits = self.window.output_extent(axis, self.x[2 + axis], self.w[2 + axis]);
            fits.expect("cases are made to fit")
        };
        [self.x[0], self.w[0], extent(0), extent(1)]
    }

    /// Products per sum: of y without its bias, of dx, of dw.
    pub fn terms(&self) -> [usize; 3] {
        let ([o, channels, kh, kw], [n, _, oh, ow]) = (self.w, self.y());
        [channels * kh * kw, o / self.window.groups * kh * kw, n * oh * ow]
    }

    pub fn draw(&self, rng: &mut ChaCha8Rng, values: Values) -> Operands {
        Operands {
            x: values.draw(rng, self.x),
            w: values.draw(rng, self.w),
            bias: values.draw(rng, self.w[0]),
            dy: values.draw(rng, self.y()),
        }
    }
}
