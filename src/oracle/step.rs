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
//! # How much it holds
//!
//! Intervals grow from layer to layer by the sums of the weights' absolute values, so they are wide compared to what
//! rounding typically does, and narrow compared to mistakes. Half an interval's width relative to its gradient's root
//! mean square, median of the widest gradient, f32: 0.9 % for LeNet300 on 128 digits at initial weights, 8 % after 60
//! steps on them; 3e-11 in f64. On 28x28 images 50 %. In LeNet only the loss (+- 0.01) and the last layers are held: its
//! convolutions' intervals are 40 to 600 times as wide as their gradients. `tests/suite/step_level/` measures this and
//! plants 32 mistakes, all of which are outside.
//!
//! Batch norm and residual blocks are refused. A convolution of f inputs with He's weights multiplies an interval by
//! `sum |w| = 1.2 sqrt(f)` (15 to 29 in ResNet-20) where batch norm keeps the numbers' size at 1, so 19 of them multiply
//! it by more than 10^22: no bound is left, in f64 neither.

mod balls;
mod batch;
mod compare;
pub(super) mod cross_entropy;
mod decisions;
mod pooling;
pub(super) mod rounding;
mod samples;
mod stages;

pub use balls::Balls;
pub use batch::Task;
pub use compare::{AS_COMPUTED, Comparison, Mismatch, Recorded, RecordedGradient};
pub use samples::Samples;

use crate::error::Error;
use crate::kernel::Targets;
use crate::nn::{Network, Spec};
use crate::op::Op;
use crate::ops::CrossEntropy;
use crate::oracle::interval::Interval;
use crate::trace::Arithmetic;
use cross_entropy::cross_entropy;
use ndarray::ArrayD;
use rounding::Rounding;
use stages::{Chain, Pass};

/// The most multiply-accumulates of one forward pass that are enclosed; forward and backward on centres, radii, sizes
/// and counts take about 15 times as many, some seconds on one core.
pub const MOST_MACS: usize = 1 << 30;

/// Why a step was not checked.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
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
    /// A recorded label beyond the classes.
    #[error("label {label} is none of {classes} classes")]
    Label { label: i64, classes: usize },
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
    /// The mean loss.
    pub loss: Interval,
    /// Of every trained parameter, in the network's order.
    pub gradients: Vec<GradientBounds>,
    /// Decisions (signs of ReLU inputs, positions of maxima) that rounding may turn either way; both outcomes are
    /// enclosed.
    pub ambiguous: usize,
    /// All such decisions.
    pub decisions: usize,
}

/// Encloses the loss and the gradients of `network` on the batch `x` `[n,c,h,w]`, `targets` of n labels, at `weights`: one
/// array for each of [`Network::specs`], in that order, exact or with a radius where they are known only so far.
///
/// # Errors
/// The reason why nothing can be said.
///
/// ```
/// use gdstar::kernel::Targets;
/// use gdstar::trace::Arithmetic;
/// use gdstar::oracle::step::{Balls, Task, enclose};
/// use gdstar::scalar::Dtype;
/// let arithmetic = Arithmetic::of(Dtype::F32);
/// let task = Task::find(Some("lenet300"), Some("digits"))?;
/// let (x, labels) = task.batch(&[0, 1, 2], &arithmetic)?;
/// let weights = task.network.initialise::<f64>(&mut rand::SeedableRng::seed_from_u64(0));
/// let weights = weights.iter().map(|p| Balls::exact(p.value.mapv(|w| f64::from(w as f32)))).collect();
/// let targets = Targets { labels: &labels, smoothing: 0.0 };
/// let enclosure = enclose(&task.network, weights, x, targets, &arithmetic)?;
/// assert!(enclosure.loss.low < 10f64.ln() + 0.2 && enclosure.loss.high > 10f64.ln() - 0.2);
/// assert!(enclosure.loss.high - enclosure.loss.low < 1e-2);
/// # Ok::<(), gdstar::oracle::step::Refusal>(())
/// ```
pub fn enclose(
    network: &Network,
    weights: Vec<Balls>,
    x: Balls,
    targets: Targets,
    arithmetic: &Arithmetic,
) -> Result<Enclosure, Refusal> {
    let chain = Chain::of(network)?;
    let specs = network.specs();
    check(network, &specs, &weights, &x, targets)?;
    let rounding = Rounding::of(arithmetic);
    let weights = specs.iter().zip(weights).map(|(spec, w)| {
        let w = w.bounded(|| format!("the parameter `{}`", spec.name))?;
        Ok(w.read(&rounding, rounding.parameter).read(&rounding, rounding.operand))
    });
    let weights: Vec<Balls> = weights.collect::<Result<_, Refusal>>()?;
    let (mut pass, logits) = Pass::forward(&chain, &rounding, &weights, x)?;
    let (loss, d_logits) = cross_entropy(&rounding, &logits, targets);
    if !(loss.low.is_finite() && loss.high.is_finite()) {
        return Err(Refusal::Unbounded { quantity: "the loss".to_string() });
    }
    let d_logits = d_logits.bounded(|| "the gradient of the logits".to_string())?;
    let gradients = pass.backward(d_logits)?;
    let mut bounds = Vec::with_capacity(gradients.len());
    for (spec, gradient) in specs.into_iter().zip(gradients) {
        let gradient = gradient.bounded(|| format!("the gradient of `{}`", spec.name))?;
        let recorded = gradient.read(&rounding, rounding.operand);
        bounds.push(GradientBounds { name: spec.name, low: recorded.low(), high: recorded.high() });
    }
    let decisions::Decisions { all, ambiguous } = pass.decisions;
    Ok(Enclosure { loss, gradients: bounds, ambiguous, decisions: all })
}

/// Everything that the stages rely on: shapes, labels, cost.
fn check(network: &Network, specs: &[Spec], weights: &[Balls], x: &Balls, targets: Targets) -> Result<(), Refusal> {
    if weights.len() != specs.len() {
        let (expected, found) = (format!("{} arrays", specs.len()), format!("{}", weights.len()));
        return Err(Error::shape("step", "weights", expected, found).into());
    }
    for (spec, w) in specs.iter().zip(weights) {
        if spec.shape != w.shape() {
            let place = format!("weights `{}`", spec.name);
            let [expected, found] = [&spec.shape[..], w.shape()].map(|shape| format!("shape {shape:?}"));
            return Err(Error::shape("step", place, expected, found).into());
        }
    }
    if x.shape().len() != 4 || x.shape()[1..] != network.input {
        let [c, h, w] = network.input;
        let found = format!("shape {:?}", x.shape());
        return Err(Error::shape("step", "inputs", format!("shape [n, {c}, {h}, {w}]"), found).into());
    }
    let Targets { labels, smoothing: label_smoothing } = targets;
    CrossEntropy { labels: labels.to_vec(), label_smoothing }.out_shapes(&[&[x.shape()[0], network.classes]])?;
    let macs = network.summary::<f64>(labels.len())?.macs.saturating_mul(labels.len());
    if macs > MOST_MACS { Err(Refusal::Cost { macs }) } else { Ok(()) }
}
