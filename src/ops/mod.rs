//! The operations, one file each: formula, derivative, conventions, forward, backward.
//!
//! [`OPS`] lists them all; tests walk the list, so an op cannot be added untested.

pub mod adaptive_avg_pool2d;
pub mod add;
mod attributes;
pub mod avg_pool2d;
pub mod batch_norm;
pub mod channel_shuffle;
pub mod concat;
pub mod conv2d;
pub mod cross_entropy;
pub mod dropout;
pub mod flatten;
pub mod global_mean;
pub mod linear;
pub mod matmul;
pub mod max_pool2d;
pub mod mul;
pub mod pad;
pub mod relu;
pub mod relu6;
pub mod sigmoid;
pub mod silu;
pub mod split;
pub mod strided_slice;

pub use attributes::Attributes;

use crate::error::Result;
use crate::op::Op;
use ndarray::ArrayD;
use rand_chacha::ChaCha8Rng;

/// What an op adds to [`Op`] to be listed in [`OPS`].
pub trait Catalogued: Op {
    /// One line for listings: the formula.
    const SUMMARY: &'static str;

    /// The op from named attributes, as `gdstar op` reads them. Takes what it knows out of `attributes`; what is
    /// left is reported as unknown by the caller.
    fn from_attributes(attributes: &mut Attributes) -> Result<Self>;

    /// A random well-formed case, larger with `size` (1 is tiny, 4 ordinary), that covers every attribute and
    /// every branch of the op over many draws.
    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self>;
}

/// An op together with inputs it accepts.
#[derive(Debug, Clone)]
pub struct Case<O> {
    pub op: O,
    /// Inputs in the op's order. Values are exact in `f32`.
    pub inputs: Vec<ArrayD<f64>>,
    /// Which inputs the op differentiates (running statistics, for one, it does not).
    pub differentiable: Vec<bool>,
}
