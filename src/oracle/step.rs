//! The step level: what any correct port may hold for the loss and the gradients of one batch.
//!
//! [`enclose`] takes a network, its parameters as a port recorded them, a batch, and the port's declared
//! [`Arithmetic`], and returns an interval for the loss and for every entry of every gradient. Every port that computes
//! the network's formulas within that arithmetic is inside, whatever its order of summation, fused or not; so a number
//! outside is a mistake of the port's.
//!
//! # How
//!
//! Interval arithmetic with centre and radius on whole arrays ([`Balls`]): forward through the layers, through the
//! mean cross-entropy, and back. Each sum of products is charged `gamma_n(u) sum |term|`, which holds for every order
//! of its n terms that are not exactly 0; the
//! centres' own rounding is charged by the same bound at 2^-53. Where rounding could turn a decision (the sign of a
//! ReLU's input, the position of a maximum), both outcomes are enclosed and the decision is counted as ambiguous.
//!
//! # What a correct port is
//!
//! - Products and convolutions are sums of products (no Winograd, FFT or Strassen).
//! - relu'(0) = 0, as in every framework; it shows where an input is exactly 0.
//! - Softmax and logarithm in any of the formulations listed in `cross_entropy.rs`, with `exp` and `ln` within 4 ulp.
//! - The gradient is that of the mean loss over the batch, before weight decay.
//!
//! # What it proves
//!
//! Intervals grow from layer to layer by the absolute sums of the weights, so they are wide compared to what rounding
//! typically does (in f32 about 1 % of a gradient's size in LeNet300) and narrow compared to mistakes.

mod balls;
mod batch;
mod compare;
mod cross_entropy;
mod pooling;
mod rounding;
mod stages;

pub use balls::Balls;
pub use batch::Task;
pub use compare::{Mismatch, Outcome, Recorded};

use crate::error::Error;
use crate::nn::{Network, Parameters};
use crate::op::Op;
use crate::ops::CrossEntropy;
use crate::oracle::arithmetic::Arithmetic;
use cross_entropy::cross_entropy;
use ndarray::ArrayD;
use rounding::Rounding;
use stages::{Chain, Pass};

/// The most multiply-accumulates of one forward pass that are enclosed; forward and backward on centres, radii, sizes
/// and counts take about 15 times as many, some seconds on one core.
pub const MOST_MACS: usize = 1 << 30;

/// Why a step was not checked.
#[derive(Debug, thiserror::Error)]
pub enum NotChecked {
    /// The trace does not say which.
    #[error("the trace names no {what}")]
    Unnamed { what: &'static str },
    /// The trace names one that is not built in.
    #[error("the {what} `{name}` is not part of the reference")]
    Unknown { what: &'static str, name: String },
    /// Inputs are augmented by random crops and flips, which a trace does not record.
    #[error("the training images of `{dataset}` are augmented, and a trace does not record how")]
    Augmented { dataset: String },
    /// An index beyond the training split.
    #[error("index {index} is not a position in the training split of {len} samples")]
    Index { index: i64, len: usize },
    /// A parameter that the trace lacks.
    #[error("the trace does not hold the weights `{name}` at the start of the batch")]
    Missing { name: String },
    /// A layer without an enclosure.
    #[error("{kind} in `{network}` have no enclosure that would hold anything")]
    Layer { network: String, kind: &'static str },
    /// More than [`MOST_MACS`].
    #[error("a forward pass takes {macs} multiply-accumulates, more than the {MOST_MACS} that are checked")]
    Cost { macs: usize },
    /// The bound holds nothing, or a parameter or input is not finite.
    #[error("no bound holds for {quantity} in the declared arithmetic")]
    Unbounded { quantity: String },
    /// The recorded arrays do not fit the network.
    #[error(transparent)]
    Fit(#[from] Error),
}

/// The bounds of one parameter's gradient, entry by entry.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientBounds {
    /// The parameter's name.
    pub name: String,
    pub low: ArrayD<f64>,
    pub high: ArrayD<f64>,
}

/// What any correct port may hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Enclosure {
    /// `(low, high)` of the mean loss.
    pub loss: (f64, f64),
    /// Of every trained parameter, in the network's order.
    pub gradients: Vec<GradientBounds>,
    /// Decisions (signs of ReLU inputs, positions of maxima) that rounding may turn either way; both outcomes are
    /// enclosed.
    pub ambiguous: usize,
    /// All such decisions.
    pub decisions: usize,
}

/// Encloses the loss and the gradients of `network` at `parameters` on the batch `x` `[n,c,h,w]`, `labels` `[n]`.
///
/// # Errors
/// The reason why nothing can be said.
pub fn enclose(
    network: &Network,
    parameters: &Parameters<f64>,
    x: Balls,
    labels: &[usize],
    arithmetic: &Arithmetic,
) -> Result<Enclosure, NotChecked> {
    let chain = Chain::of(network)?;
    check(network, parameters, &x, labels)?;
    let rounding = Rounding::of(arithmetic);
    let weights = parameters.iter().map(|p| {
        let exact = Balls::exact(p.value.clone()).bounded(|| format!("the parameter `{}`", p.name))?;
        Ok(exact.read(&rounding, rounding.parameter + rounding.operand))
    });
    let weights: Vec<Balls> = weights.collect::<Result<_, NotChecked>>()?;
    let (mut pass, logits) = Pass::forward(&chain, &rounding, &weights, x)?;
    let (loss, d_logits) = cross_entropy(&rounding, &logits, labels);
    if !(loss.0.is_finite() && loss.1.is_finite()) {
        return Err(NotChecked::Unbounded { quantity: "the loss".to_string() });
    }
    let gradients = pass.backward(d_logits)?;
    let mut bounds = Vec::with_capacity(gradients.len());
    for (parameter, gradient) in parameters.iter().zip(gradients) {
        let gradient = gradient.bounded(|| format!("the gradient of `{}`", parameter.name))?;
        let recorded = gradient.read(&rounding, rounding.operand);
        let name = parameter.name.clone();
        bounds.push(GradientBounds { name, low: recorded.low(), high: recorded.high() });
    }
    let stages::Decisions { all, ambiguous } = pass.decisions;
    Ok(Enclosure { loss, gradients: bounds, ambiguous, decisions: all })
}

/// Everything that the stages rely on: shapes, labels, cost.
fn check(network: &Network, parameters: &Parameters<f64>, x: &Balls, labels: &[usize]) -> Result<(), NotChecked> {
    let specs = network.specs();
    if parameters.len() != specs.len() {
        let (expected, found) = (format!("{} of them", specs.len()), format!("{}", parameters.len()));
        return Err(Error::shape("step", "parameters", expected, found).into());
    }
    for (spec, parameter) in specs.iter().zip(parameters.iter()) {
        if (&spec.name, spec.shape.as_slice()) != (&parameter.name, parameter.value.shape()) {
            let expected = format!("`{}` of shape {:?}", spec.name, spec.shape);
            let found = format!("`{}` of shape {:?}", parameter.name, parameter.value.shape());
            return Err(Error::shape("step", "parameters", expected, found).into());
        }
    }
    if x.shape().len() != 4 || x.shape()[1..] != network.input {
        let [c, h, w] = network.input;
        let found = format!("shape {:?}", x.shape());
        return Err(Error::shape("step", "inputs", format!("shape [n, {c}, {h}, {w}]"), found).into());
    }
    CrossEntropy { labels: labels.to_vec() }.out_shapes(&[&[x.shape()[0], network.classes]])?;
    let macs = network.summary()?.iter().map(|row| row.macs).sum::<usize>().saturating_mul(labels.len());
    if macs > MOST_MACS { Err(NotChecked::Cost { macs }) } else { Ok(()) }
}
