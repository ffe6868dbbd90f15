//! [`Sample`]: which coordinates of a large parameter a trace keeps, chosen by a hash so that nobody picks them.

use std::ops::RangeInclusive;

/// A share of the coordinates.
///
/// Coordinate j (row-major, from 0) of a parameter of n entries is kept where a fraction, which a hash makes of the
/// parameter's name and j, is below [`share_of`](Sample::share_of) n. What a larger share keeps has in it what a smaller one keeps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// How many of all coordinates, as a fraction of 1.
    pub share: f64,
    /// About how many coordinates a parameter has at least; smaller ones are kept whole.
    pub least: usize,
    /// Whether masks are kept of every weight.
    pub has_whole_masks: bool,
}

/// What a parameter's fraction starts from: the 64-bit FNV-1a hash of its name's UTF-8 bytes.
fn seed(parameter: &str) -> u64 {
    let byte = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    parameter.bytes().fold(0xcbf2_9ce4_8422_2325, byte)
}

/// The fraction of coordinate j, in [0, 1): the upper 53 bits of number j + 1 of the generator SplitMix64 (Steele, Lea and
/// Flood, 2014) with this seed, times 2^-53.
fn fraction(seed: u64, j: usize) -> f64 {
    let z = seed.wrapping_add((j as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

impl Sample {
    /// What a share may be. Less would let a header of a few bytes claim more coordinates than can be looked at.
    pub const SHARES: RangeInclusive<f64> = 1e-4..=1.0;

    /// The share of a parameter of n entries: max(share, least / n); of a small one more than 1, which is all of it.
    pub fn share_of(&self, n: usize) -> f64 {
        self.share.max(self.least as f64 / n as f64)
    }

    /// The coordinates that are kept of a parameter of n entries, ascending.
    pub fn coordinates(&self, parameter: &str, n: usize) -> Vec<usize> {
        let (seed, share) = (seed(parameter), self.share_of(n));
        (0..n).filter(|&j| fraction(seed, j) < share).collect()
    }

    /// Of coordinates that are kept, those that are whatever the parameter's size: of all of W a sample in which each
    /// coordinate is as likely as any other.
    pub fn are_even<'a>(&self, parameter: &str, coordinates: &'a [usize]) -> impl Iterator<Item = bool> + use<'a> {
        let (seed, share) = (seed(parameter), self.share);
        coordinates.iter().map(move |&j| fraction(seed, j) < share)
    }
}
