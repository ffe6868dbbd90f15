//! Random numbers that are the same on every machine: where each use of them starts, and how a draw becomes an
//! index or a fraction.
//!
//! Everything random in a run comes from one seed through [`stream`], and every draw goes through [`uniform`] or
//! [`unit()`], which are defined here bit by bit: no result depends on the width of `usize`, on the number of
//! threads, or on how a version of a library samples a range.

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What a stream of random numbers is for. The discriminants are part of the definition of [`stream`]; a new
/// purpose gets a new one, and none is ever reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u64)]
pub enum Purpose {
    /// The initial weights W_0 (epoch 0).
    Initialisation = 1,
    /// The order of the training samples in an epoch.
    Order = 2,
    /// Crops and flips of training images.
    Augmentation = 3,
    /// Dropout masks.
    Dropout = 4,
    /// Whether k* moves in an epoch of "random rewind" (A.7).
    RandomRewind = 5,
    /// Which residual layers a step leaves out (LayerDrop); the epoch is the step.
    LayerDrop = 6,
    /// Which entries of a step's gradients are kept (SDGP with random groups); the epoch is the step, and each layer has its
    /// own ChaCha8 stream number.
    GradientPruning = 7,
    /// What AMC's agent draws; the epoch is the episode.
    Agent = 8,
    /// The mask of methods that are sparse from the start.
    InitialMask = 9,
    /// By what SET grows weights; the epoch is the step.
    Growth = 10,
    /// The values of weights that are grown with a new one; the epoch is the step.
    GrownWeights = 11,
    /// The weights that SNIP's training starts from, where they are not those that were scored.
    FreshWeights = 12,
    /// Which members of a sample a bootstrap's resamples have.
    Resampling = 13,
}

impl Purpose {
    /// Every purpose, in the order of the discriminants.
    pub const ALL: [Self; 13] = [
        Self::Initialisation,
        Self::Order,
        Self::Augmentation,
        Self::Dropout,
        Self::RandomRewind,
        Self::LayerDrop,
        Self::GradientPruning,
        Self::Agent,
        Self::InitialMask,
        Self::Growth,
        Self::GrownWeights,
        Self::FreshWeights,
        Self::Resampling,
    ];
}

/// The ChaCha8 generator for one purpose in one epoch of the run with this seed.
///
/// The generator's 256-bit key is `seed`, `purpose`, `epoch` as 64-bit little-endian integers, then the eight
/// bytes `gdstar/1`; its stream number and its counter start at 0. The key holds its three arguments unmixed, so
/// two streams are the same only if all three are, and an epoch's stream can be had without drawing the earlier
/// ones.
#[must_use]
pub fn stream(seed: u64, purpose: Purpose, epoch: usize) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
    key[16..24].copy_from_slice(&(epoch as u64).to_le_bytes());
    key[24..].copy_from_slice(b"gdstar/1");
    ChaCha8Rng::from_seed(key)
}

/// A uniform integer in `0..n`, exactly: every value has the same probability.
///
/// The upper 64 bits of `r n` for a 64-bit draw `r`, redrawn while the lower 64 bits are below `2^64 mod n`
/// (D. Lemire, "Fast random integer generation in an interval", 2019). A redraw has probability below `n / 2^64`.
///
/// # Panics
/// If `n` is 0: there is nothing to draw from.
pub fn uniform(rng: &mut impl RngCore, n: u64) -> u64 {
    assert!(n > 0, "a uniform draw from an empty range");
    let surplus = n.wrapping_neg() % n; // (2^64 - n) mod n = 2^64 mod n
    loop {
        let product = u128::from(rng.next_u64()) * u128::from(n);
        if product as u64 >= surplus {
            return (product >> 64) as u64;
        }
    }
}

/// A draw from the standard normal distribution: sqrt(-2 ln(1 - u)) cos(2 pi v) of two draws u, v of [`unit()`]
/// (G. E. P. Box, M. E. Muller, 1958). Logarithm and cosine are `libm`'s, which has the same bits on every machine.
pub fn normal(rng: &mut impl RngCore) -> f64 {
    let (u, v) = (unit(rng), unit(rng));
    (-2.0 * libm::log(1.0 - u)).sqrt() * libm::cos(std::f64::consts::TAU * v)
}

/// A uniform multiple of 2^-53 in `[0, 1)`: the upper 53 bits of a 64-bit draw. An event of probability p is
/// `unit(rng) < p`.
pub fn unit(rng: &mut impl RngCore) -> f64 {
    const ULP: f64 = 1.0 / (1_u64 << 53) as f64;
    (rng.next_u64() >> 11) as f64 * ULP // both factors and the product are exact
}
