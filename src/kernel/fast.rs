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
//! Work is cut into units whose boundaries depend on the shapes alone, each output belongs to one unit (or to a
//! fixed list of partial sums added in a fixed order), and a unit computes the same bits wherever it runs: so
//! the result is bit-identical for any number of threads. It is not the same on every CPU: how many lanes a vector has, and
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
use crate::kernel::{Loop, buffer, vectorised_loop};
use crate::scalar::Scalar;
use ndarray::{Array1, ArrayView4};
use rayon::prelude::*;
use smallvec::SmallVec;

/// Multiplications (or other operations) below which starting threads costs more than it gains: some tens of
/// microseconds of work.
const PARALLEL_WORK: usize = 1 << 17;

/// Sums that a long sum is made of, so that additions need not wait for each other.
const LANES: usize = 16;

/// A list with an entry for each tap of a window; for windows of up to 5 x 5 it takes no memory of its own.
type PerTap<T> = SmallVec<[T; 25]>;

/// `run(i, chunk i)` for consecutive chunks of `size` elements (the last one may be shorter), side by side if the `work` in
/// them is worth it.
fn for_each_chunk<T: Send>(elements: &mut [T], size: usize, work: usize, run: impl Fn(usize, &mut [T]) + Sync) {
    if work < PARALLEL_WORK || elements.len() <= size {
        elements.chunks_mut(size).enumerate().for_each(|(i, chunk)| run(i, chunk));
    } else {
        elements.par_chunks_mut(size).enumerate().for_each(|(i, chunk)| run(i, chunk));
    }
}

/// As [`literal::channel_sums`], each channel's entries in [`LANES`] sums, pixel by pixel.
pub(super) fn channel_sums<S: Scalar>(dy: ArrayView4<S>) -> Array1<S> {
    let dy = layout::Rows::of(dy);
    let mut sums = buffer::stale(dy.channels);
    for_each_chunk(&mut sums, 1, dy.elements.len(), |channel, sum| {
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
