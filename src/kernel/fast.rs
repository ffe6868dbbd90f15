//! The fast kernels: images lie batch-innermost ([`layout`]), vectors run over samples, rayon across outputs.
//!
//! | kernel | what it is for |
//! |---|---|
//! | [`product`] | convolution and linear layers, forward and to the input gradient |
//! | [`outer`] | their weight gradient |
//! | [`depthwise`] | both, where a channel is a group of its own |
//! | [`sparse`] | both, where few weights live |
//! | [`gemm`] | the plain product of matrices, by `matrixmultiply` |
//!
//! Work is cut into units as [`share`] says, each output belonging to one unit or to a fixed list of partial sums added in a
//! fixed order: so the result is bit-identical for any number of threads. It is not the same on every CPU: how many lanes a vector has, and
//! whether products are fused with additions, is found out at run time.
//!
//! Number systems that CPUs have no vectors of fall back to [`super::literal`].

mod conv;
mod depthwise;
mod gemm;
mod layout;
mod outer;
mod product;
mod sources;
mod sparse;

pub(super) use conv::{conv2d, conv2d_input_gradient, conv2d_weight_gradient};
pub(super) use gemm::matmul;
pub(super) use layout::images;
pub(super) use sparse::{sparse_conv2d, sparse_conv2d_input_gradient, sparse_conv2d_weight_gradient};

use super::literal;
use crate::kernel::{Loop, buffer, share, vectorised_loop};
use crate::scalar::Scalar;
use ndarray::{Array1, ArrayView4};
use smallvec::SmallVec;

/// Sums that a long sum is made of, so that additions need not wait for each other.
const LANES: usize = 16;

/// A list with an entry for each tap of a window; for windows of up to 5 x 5 it takes no memory of its own.
type PerTap<T> = SmallVec<[T; 25]>;

/// As [`literal::channel_sums`], each channel's entries in [`LANES`] sums, pixel by pixel.
pub(super) fn channel_sums<S: Scalar>(dy: ArrayView4<S>) -> Array1<S> {
    let dy = layout::Rows::of(dy);
    let mut sums = buffer::stale(dy.channels);
    share::chunks(&mut sums, 1, dy.elements.len(), |channel, sum| {
        let lanes = vectorised_loop(ByLane { dy: &dy, channel });
        let total = lanes.into_iter().fold(S::Accumulator::ZERO, |total, lane| total + lane);
        sum.fill(S::from_accumulator(total));
    });
    sums.into()
}

/// One channel's sum in [`LANES`] parts.
struct ByLane<'a, S: Scalar> {
    dy: &'a layout::Rows<'a, S>,
    channel: usize,
}

impl<S: Scalar> Loop for ByLane<'_, S> {
    type Output = [S::Accumulator; LANES];

    #[inline(always)]
    fn run(self) -> Self::Output {
        let n = self.dy.n;
        let mut lanes = [S::Accumulator::ZERO; LANES];
        for pixel in 0..self.dy.pixels() {
            let (rows, rest) = self.dy.pixel(pixel)[self.channel * n..][..n].as_chunks::<LANES>();
            for row in rows {
                for i in 0..LANES {
                    lanes[i] = S::add_product(lanes[i], row[i], S::ONE);
                }
            }
            for (lane, &x) in lanes.iter_mut().zip(rest) {
                *lane = S::add_product(*lane, x, S::ONE);
            }
        }
        lanes
    }
}
