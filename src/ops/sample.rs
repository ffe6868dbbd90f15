//! Random shapes and values for [`Catalogued::sample`](super::Catalogued::sample). All values are exact in `f32`.

use ndarray::ArrayD;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// An extent from 1 to `largest`.
pub(super) fn extent(rng: &mut ChaCha8Rng, largest: usize) -> usize {
    rng.random_range(1..=largest.max(1))
}

/// A shape of `rank` axes, each from 1 to `largest`.
pub(super) fn shape(rng: &mut ChaCha8Rng, rank: usize, largest: usize) -> Vec<usize> {
    (0..rank).map(|_| extent(rng, largest)).collect()
}

/// The shape of a small batch of images, `[n, c, h, w]`.
pub(super) fn image(rng: &mut ChaCha8Rng, size: usize) -> [usize; 4] {
    [extent(rng, size), extent(rng, size + 1), extent(rng, size + 2), extent(rng, size + 2)]
}

/// Values in one of three manners, drawn once per array: even over [-4, 4); small integers, so that kinks (0 and
/// 6) and ties are hit exactly; magnitudes from 2^-12 to 2^7, so that sums are uneven and exponentials saturate.
pub(super) fn array(rng: &mut ChaCha8Rng, shape: &[usize]) -> ArrayD<f64> {
    let manner = rng.random_range(0..3);
    ArrayD::from_shape_simple_fn(shape, || match manner {
        0 => f64::from(rng.random_range(-4.0f32..4.0)),
        1 => f64::from(rng.random_range(-3i32..=7)),
        _ => f64::from(rng.random_range(-1.0f32..1.0)) * 2f64.powi(rng.random_range(-12..=7)),
    })
}
