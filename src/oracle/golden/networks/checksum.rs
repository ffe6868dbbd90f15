//! Checksums of tensors that are off by about as much as the tensors are.

use crate::nn::hashed;
use crate::scalar::{DoubleDouble, Scalar};
use ndarray::{ArrayD, ArrayView1};

/// How many projections a [`checksum`] has.
pub const LANES: usize = 4;

/// The Euclidean norm of a tensor, and [`LANES`] projections `sum_i s_i x_i` on signs that follow from its name: `s_i` of
/// lane j is -1 where bit 63 - j of the i-th [hash](hashed::hashes) of `<name>/signs` is set.
///
/// The projection of a difference d has the mean square `|d|^2` over the signs, wherever in the tensor d is
/// (`golden/make/README.md` has the odds).
///
/// Blocks of 64 terms are added in `f64` and their sums in DoubleDouble, which is within `65 u sum |x_i|`, at most
/// `65 u sqrt(N) |x|`, of the exact projection: for the 2.4 million entries of the largest tensor 1.1e-11 `|x|`, for the
/// 2,048 of the longest running statistic 3.3e-13 `|x|`.
pub fn checksum(name: &str, tensor: &ArrayD<f64>) -> [f64; 1 + LANES] {
    let row_major = tensor.as_standard_layout();
    let entries = row_major.as_slice().unwrap_or_default();
    let mut hashes = hashed::hashes(&format!("{name}/signs"));
    let mut sums = [DoubleDouble::ZERO; 1 + LANES];
    for block in entries.chunks(64) {
        let mut block_sums = [0.0; 1 + LANES];
        for (&x, z) in block.iter().zip(&mut hashes) {
            block_sums[0] += x * x;
            for (lane, sum) in block_sums[1..].iter_mut().enumerate() {
                let sign = (z << lane) & (1 << 63);
                *sum += f64::from_bits(x.to_bits() ^ sign);
            }
        }
        for (sum, block_sum) in sums.iter_mut().zip(block_sums) {
            *sum += DoubleDouble::from(block_sum);
        }
    }
    let mut checksum = sums.map(Scalar::to_f64);
    checksum[0] = checksum[0].sqrt();
    checksum
}

/// The distance `|d|` of two tensors, estimated by the root mean square of their projections' differences, relative to
/// the norm of the second; NaN if anything is.
pub(super) fn distance(ours: &[f64; 1 + LANES], theirs: ArrayView1<f64>) -> f64 {
    let squares = ours.iter().zip(theirs).skip(1).map(|(a, b)| (a - b) * (a - b));
    (squares.sum::<f64>() / LANES as f64).sqrt() / theirs[0]
}
