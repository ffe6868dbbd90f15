//! Weights, inputs and labels from integer hashes of names and positions: the same numbers in every language, without
//! a file. The golden files of the networks are computed from them.
//!
//! Entry i (row-major, from 0) of the tensor `name` comes from the 64-bit integer
//!
//! ```text
//! z_i = mix(h + (i + 1) 0x9E3779B97F4A7C15 mod 2^64),    h = FNV-1a of the name's UTF-8 bytes,
//! mix(z):  z ^= z >> 30,  z *= 0xBF58476D1CE4E5B9,  z ^= z >> 27,  z *= 0x94D049BB133111EB,  z ^= z >> 31,
//! ```
//!
//! which is the SplitMix64 generator (Steele, Lea & Flood, "Fast splittable pseudorandom number generators", 2014)
//! started at h. Its upper 24 bits make the fraction `v_i = (floor(z_i / 2^40) - 2^23) / 2^23` in [-1, 1). All numbers
//! below are exact in `f32`.
//!
//! | tensor | entry |
//! |---|---|
//! | parameter with two axes or more | `v 2^e`, e the largest integer with `4^e fan_in <= 6`, `fan_in` the product of all lengths but the first |
//! | `..weight` and `..running_var` with one axis | `1 + v / 4` |
//! | other parameters with one axis | `v / 8` |
//! | input, hashed as `input` | `2 v` |
//! | labels, hashed as `labels` | `z mod classes` |
//!
//! ```
//! use gdstar::nn::hashed;
//! let z: Vec<u64> = hashed::hashes("input").take(2).collect();
//! assert_eq!(z, [0x190a9f76a9bd8bf6, 0xa70117d09cb2bc5b]);
//! assert_eq!(hashed::labels(4, 10), [5, 5, 2, 3]);
//! let bias = hashed::parameter::<f32>("bn1.bias", &[2]);
//! assert_eq!(bias.as_slice(), Some([-5499635.0, -7714926.0].map(|v| v / 67108864.0).as_slice()));
//! ```

use super::{Network, Parameter, Parameters};
use crate::scalar::Scalar;
use ndarray::ArrayD;

/// The integers of the tensor `name`, entry by entry.
pub fn hashes(name: &str) -> impl Iterator<Item = u64> + use<> {
    /// 2^64 divided by the golden ratio, made odd.
    const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut state = fnv1a(name);
    std::iter::repeat_with(move || {
        state = state.wrapping_add(STEP);
        mix(state)
    })
}

/// FNV-1a with 64 bits (Fowler, Noll & Vo).
fn fnv1a(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |h, byte| (h ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3))
}

fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The fractions v of the tensor `name`, in [-1, 1).
fn fractions(name: &str) -> impl Iterator<Item = f64> + use<> {
    const HALF: f64 = (1 << 23) as f64;
    hashes(name).map(|z| ((z >> 40) as f64 - HALF) / HALF)
}

fn tensor<S: Scalar>(shape: &[usize], entries: impl Iterator<Item = f64>) -> ArrayD<S> {
    let mut entries = entries.map(S::from_f64);
    ArrayD::from_shape_simple_fn(shape, || entries.next().unwrap_or_default())
}

/// The parameter or running statistic of this `state_dict` name and shape.
pub fn parameter<S: Scalar>(name: &str, shape: &[usize]) -> ArrayD<S> {
    let v = fractions(name);
    if shape.len() > 1 {
        let scale = weight_scale(shape[1..].iter().product());
        tensor(shape, v.map(|v| v * scale))
    } else if name.ends_with(".weight") || name.ends_with(".running_var") {
        tensor(shape, v.map(|v| 1.0 + v / 4.0))
    } else {
        tensor(shape, v.map(|v| v / 8.0))
    }
}

/// The largest power of two whose square is at most `6 / fan_in`, the square of He et al.'s uniform bound: layers
/// neither blow signals up nor let them vanish, and no number is rounded.
fn weight_scale(fan_in: usize) -> f64 {
    let mut scale = 2.0;
    while scale * scale * fan_in as f64 > 6.0 {
        scale /= 2.0;
    }
    scale
}

/// All parameters and running statistics of `network`.
pub fn parameters<S: Scalar>(network: &Network) -> Parameters<S> {
    let hashed = network.specs().into_iter().map(|spec| {
        let value = parameter(&spec.name, &spec.shape);
        Parameter::new(spec.name, spec.role, value)
    });
    Parameters::new(hashed.collect())
}

/// A batch of `n` images of shape `[channels, height, width]`.
pub fn inputs<S: Scalar>(n: usize, [c, h, w]: [usize; 3]) -> ArrayD<S> {
    tensor(&[n, c, h, w], fractions("input").map(|v| 2.0 * v))
}

/// Labels of `n` images, each below `classes`.
pub fn labels(n: usize, classes: usize) -> Vec<usize> {
    hashes("labels").take(n).map(|z| z.checked_rem(classes as u64).unwrap_or(0) as usize).collect()
}
