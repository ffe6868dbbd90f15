//! The weight gradient of convolutions with few outputs per group, depthwise above all: dot products of rows.

use super::literal::contiguous;
use crate::kernel::Window;
use crate::scalar::Scalar;
use ndarray::{ArrayView4, ArrayViewMut3, Axis};

/// Partial sums of a dot product: as many as fill the vector units of common CPUs, with some to hide latency.
const LANES: usize = 16;

/// The weights that read input channel `c`: x `[n,c,h,w]`, dy `[n,o,oh,ow]`, both contiguous -> dw `[o/groups,kh,kw]`.
///
/// A sample's part of a sum is formed in `S`, entry i of each row in lane i mod [`LANES`], and added to the accumulator,
/// lane by lane, samples in order: the inner loop vectorises, where the literal's is a chain of additions.
pub(super) fn weight_gradient_taps<S: Scalar>(
    window: Window,
    x: ArrayView4<S>,
    dy: ArrayView4<S>,
    c: usize,
    mut dw: ArrayViewMut3<S>,
) {
    let (_, channels, height, width) = x.dim();
    let (_, _, oh, ow) = dy.dim();
    let first_output = c / (channels / window.groups) * dw.len_of(Axis(0));
    for ((o, ky, kx), dw) in dw.indexed_iter_mut() {
        let mut sum = S::Accumulator::ZERO;
        for (x, dy) in x.index_axis(Axis(1), c).outer_iter().zip(dy.index_axis(Axis(1), first_output + o).outer_iter())
        {
            let (x, dy) = (contiguous(x), contiguous(dy));
            let mut lanes = [S::ZERO; LANES];
            for row in window.tap_rows([ky, kx], [height, width], [oh, ow], 0..oh) {
                let (dy, x, step) = row.operands(dy, x);
                add_products(&mut lanes, dy, x, step);
            }
            sum = lanes.iter().fold(sum, |sum, lane| sum + lane.to_accumulator());
        }
        *dw = S::from_accumulator(sum);
    }
}

/// `lanes[i mod LANES] += a[i] b[i step]`.
fn add_products<S: Scalar>(lanes: &mut [S; LANES], a: &[S], b: &[S], step: usize) {
    if step > 1 {
        let products = a.iter().zip(b.iter().step_by(step));
        products.enumerate().for_each(|(i, (&a, &b))| lanes[i % LANES] += a * b);
        return;
    }
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b[..a.len()].as_chunks::<LANES>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for ((lane, &a), &b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    for ((lane, &a), &b) in lanes.iter_mut().zip(a_rest).zip(b_rest) {
        *lane += a * b;
    }
}
