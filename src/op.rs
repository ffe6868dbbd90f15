//! [`Op`]: one differentiable operation, and [`evaluate`]: one operation run forward and backward by itself.
//!
//! An op is a plain value that holds its attributes (stride, padding, labels, ..) and knows three things: the
//! shapes it produces, its forward, and its backward. It is generic over [`Scalar`] by method, so the same few
//! lines compute in `f32`, in `f64`, with forward-mode derivatives ([`Dual`](crate::scalar::Dual)) and with 31
//! digits ([`DoubleDouble`](crate::scalar::DoubleDouble)).

#[cfg(feature = "cuda")]
mod seat;

use crate::error::{Error, Result};
use crate::kernel::Kernel;
#[cfg(feature = "cuda")]
use crate::kernel::cuda::{Device, DeviceTensor};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};
use std::fmt::Debug;

pub use crate::kernel::{Argument, List, Shape, list};
#[cfg(feature = "cuda")]
pub use seat::{DeviceResult, Held, Passed, Seated};

/// A differentiable operation on arrays.
///
/// `backward` returns, for every input, the gradient of `sum_o <upstream_o, output_o>`: the adjoint of the
/// forward's Jacobian applied to `upstream`.
pub trait Op: Debug + Clone + Send + Sync + 'static {
    /// The op's name in files and messages.
    const NAME: &'static str;
    /// The names of the inputs in files and messages, in the op's order. What is part of the op (labels, a mask) is
    /// none.
    const INPUTS: ArrayNames;
    /// The names of the outputs in files. An op may have the first ones alone.
    const OUTPUTS: ArrayNames;
    /// Which arrays `backward` looks into; of all others it may use the shape alone.
    const READS: Reads = Reads::Inputs;
    /// What `forward` keeps for `backward` besides inputs (a choice of maximum, batch statistics); often `()`.
    type Saved<S: Scalar>: Debug + Send + Sync + 'static;

    /// The shapes of the outputs for inputs of these shapes, or the first thing that does not fit. Everything
    /// that `forward` and `backward` rely on is checked here, so that neither can panic.
    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>>;

    /// What forward takes for inputs and outputs of these shapes.
    fn cost(&self, _inputs: &[&[usize]], _outputs: &[Shape]) -> Cost {
        Cost::default()
    }

    /// The outputs, and what `backward` will want. Inputs may have any strides.
    ///
    /// The first input may be given for good (if nobody needs it any more, backward included): an op may take it out,
    /// write over it and return it. What is left there is the caller's to recycle.
    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &mut [Argument<S>]) -> (List<ArrayD<S>>, Self::Saved<S>);

    /// One gradient per input: `Some` at least where `wanted` says so. `upstream` has one array per output
    /// (zeros where nothing flows back), of the output's shape; any that is given for good may be taken out and written
    /// over. Arrays that the op does not read ([`Op::READS`]) may hold anything.
    fn backward<S: Scalar>(
        &self,
        kernel: Kernel,
        inputs: &[ArrayViewD<S>],
        outputs: &[ArrayViewD<S>],
        saved: &Self::Saved<S>,
        upstream: &mut [Argument<S>],
        wanted: &[bool],
    ) -> List<Option<ArrayD<S>>>;

    /// The same where arrays are a GPU's, in `f32` or `f64`: the outputs, and how to go back. With the bits of
    /// [`Kernel::Literal`].
    ///
    /// # Errors
    /// What the device cannot do.
    #[cfg(feature = "cuda")]
    fn on_device<S: Scalar>(&self, device: &Device, inputs: &[&DeviceTensor<S>]) -> DeviceResult<Seated<S>>;
}

/// The names of an op's inputs, or of its outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArrayNames {
    /// These.
    Each(&'static [&'static str]),
    /// These, of which the last one may be left out.
    LastOptional(&'static [&'static str]),
    /// As many as there are, at least one, each the same with its number: `x0`, `x1`, ..
    Numbered(&'static str),
}

impl ArrayNames {
    /// The names of `count` arrays; fewer, if there are no more.
    pub fn of(self, count: usize) -> Vec<String> {
        match self {
            Self::Each(names) | Self::LastOptional(names) => {
                names.iter().take(count).map(ToString::to_string).collect()
            }
            Self::Numbered(name) => (0..count).map(|i| format!("{name}{i}")).collect(),
        }
    }

    /// How many there may be, in words.
    fn told(self) -> String {
        match self {
            Self::Each(names) => format!("{} ({})", names.len(), names.join(", ")),
            Self::LastOptional([required @ .., last]) => {
                let (least, names) = (required.len(), required.join(", "));
                format!("{least} or {} ({names}, optional {last})", least + 1)
            }
            Self::LastOptional([]) => "none".to_string(),
            Self::Numbered(_) => "at least 1".to_string(),
        }
    }

    /// Whether there may be `count`.
    pub fn fit(self, count: usize) -> bool {
        match self {
            Self::Each(names) => count == names.len(),
            Self::LastOptional(names) => count == names.len() || count + 1 == names.len(),
            Self::Numbered(_) => count > 0,
        }
    }

    /// Refuses another number of inputs than there may be.
    ///
    /// # Errors
    /// [`Error::Shape`] naming the op.
    pub fn check(self, op: &'static str, count: usize) -> Result<()> {
        match self.fit(count) {
            true => Ok(()),
            false => Err(Error::shape(op, "inputs", self.told(), format!("{count} inputs"))),
        }
    }
}

/// What an op takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Products with an entry of a weight that are added up to make the outputs: the usual measure of a network.
    pub multiply_accumulates: usize,
    /// Those of the weight's gradient. (The gradient of the other input takes as many as forward.)
    pub weight_gradient: usize,
    /// Bytes of [`Op::Saved`] and of the op itself, where they grow with the inputs.
    pub saved_bytes: usize,
}

/// What an op's backward looks into. The tape keeps no more than that between forward and backward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// The values of the inputs.
    Inputs,
    /// The values of the outputs.
    Outputs,
    /// Shapes, and what forward saved.
    Shapes,
}

/// What [`evaluate`] returns: the outputs, and one gradient per input where it was wanted.
#[derive(Debug, Clone)]
pub struct Evaluation<S> {
    pub outputs: Vec<ArrayD<S>>,
    pub gradients: Vec<Option<ArrayD<S>>>,
}

/// Runs `op` forward, and backward from `upstream` where any gradient is `wanted`.
///
/// `upstream` has one entry per output; `None` stands for zeros.
///
/// # Errors
/// [`Error::Shape`] if the inputs do not fit the op, or an upstream gradient does not fit its output; of a GPU,
/// `Error::Device`.
pub fn evaluate<O: Op, S: Scalar>(
    op: &O,
    kernel: Kernel,
    inputs: &[ArrayViewD<S>],
    upstream: &[Option<ArrayViewD<S>>],
    wanted: &[bool],
) -> Result<Evaluation<S>> {
    let out_shapes = op.out_shapes(&shapes_of(inputs))?;
    if wanted.len() != inputs.len() {
        return Err(Error::shape(
            O::NAME,
            "wanted gradients",
            format!("{} entries", inputs.len()),
            format!("{}", wanted.len()),
        ));
    }
    let zeros = zeros_of(&out_shapes);
    let mut flowing = flowing(O::NAME, &zeros, upstream)?;
    #[cfg(feature = "cuda")]
    if kernel.keeps_on_device::<S>() {
        return seat::evaluate(op, inputs, &flowing, wanted).map_err(Error::Device);
    }
    let mut lent: List<Argument<S>> = inputs.iter().map(|x| x.view().into()).collect();
    let (outputs, saved) = op.forward(kernel, &mut lent);
    let gradients = if wanted.contains(&true) {
        op.backward(kernel, inputs, &views_of(&outputs), &saved, &mut flowing, wanted).into_vec()
    } else {
        vec![None; inputs.len()]
    };
    Ok(Evaluation { outputs: outputs.into_vec(), gradients })
}

// What of an evaluation does not depend on the op is compiled once a number system, not once an op.

fn shapes_of<'a, S>(arrays: &'a [ArrayViewD<S>]) -> Vec<&'a [usize]> {
    arrays.iter().map(ArrayViewD::shape).collect()
}

fn views_of<S>(arrays: &[ArrayD<S>]) -> Vec<ArrayViewD<'_, S>> {
    arrays.iter().map(|array| array.view()).collect()
}

fn zeros_of<S: Scalar>(shapes: &[Shape]) -> Vec<ArrayD<S>> {
    shapes.iter().map(|shape| ArrayD::from_elem(shape.as_slice(), S::ZERO)).collect()
}

/// The upstream gradients that are given, and `zeros`, which has every output's shape, for the others.
fn flowing<'a, S: Scalar>(
    op: &'static str,
    zeros: &'a [ArrayD<S>],
    upstream: &'a [Option<ArrayViewD<S>>],
) -> Result<Vec<Argument<'a, S>>> {
    let mut flowing: Vec<Argument<S>> = views_of(zeros).into_iter().map(Argument::from).collect();
    for (i, given) in upstream.iter().enumerate() {
        let Some(given) = given else { continue };
        match zeros.get(i).map(|zero| zero.shape()) {
            Some(shape) if shape == given.shape() => flowing[i] = given.view().into(),
            other => {
                return Err(Error::shape(
                    op,
                    format!("upstream gradient {i}"),
                    other.map_or("no such output".to_string(), |shape| format!("shape {shape:?}")),
                    format!("shape {:?}", given.shape()),
                ));
            }
        }
    }
    Ok(flowing)
}
