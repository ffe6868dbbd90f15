//! [`Flow`]: what a forward pass carries from layer to layer.

use super::{Changes, Compression};
use crate::error::{Error, Result};
use crate::kernel::buffer::{self, Buffer};
use crate::op::{List, Op, Shape};
use crate::ops::{Dropout, Filters, Sparse};
use crate::random::unit;
use crate::scalar::Scalar;
use crate::tape::{Tape, Var};
use rand_chacha::ChaCha8Rng;

/// Training uses batch statistics and wants gradients; evaluation uses running statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Training,
    /// Running statistics, but gradients wanted: what `probe --eval` asks for.
    EvaluationWithGradients,
    Evaluation,
}

impl Mode {
    pub(super) fn wants_gradients(self) -> bool {
        self != Self::Evaluation
    }
}

/// How much of a network a pass has gone through.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Passed {
    pub parameters: usize,
    /// Linear and convolution layers.
    pub weights: usize,
    /// Sums of branches.
    pub residuals: usize,
}

/// The state of one forward pass.
pub(super) struct Flow<'f, 'p, 'c, S: Scalar> {
    pub tape: &'f mut Tape<'p, S>,
    /// The leaves of all parameters, in `state_dict` order.
    pub leaves: &'f [Var],
    /// How one of them is compressed.
    pub compression: &'f dyn Fn(usize) -> Option<&'c Compression>,
    pub mode: Mode,
    /// Where dropout and stochastic depth draw from; without it they do nothing.
    pub noise: Option<&'f mut ChaCha8Rng>,
    /// What is different from evaluation, beside noise and batch statistics.
    pub changes: Option<&'f Changes>,
    /// What lies behind.
    pub passed: Passed,
    /// The new values of running statistics, at the positions of the parameters.
    pub buffers: Buffer<Option<Var>>,
    /// The name of the layer that runs.
    pub path: String,
}

impl<S: Scalar> Flow<'_, '_, '_, S> {
    /// `op` on x and the next `count` parameters.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are fewer left, or they do not fit.
    pub fn with_parameters<O: Op>(&mut self, op: O, x: Var, count: usize) -> Result<List<Var>> {
        let mut inputs = List::from_slice(&[x]);
        let Some(parameters) = self.leaves.get(self.passed.parameters..self.passed.parameters + count) else {
            let expected = format!("at least {}", self.passed.parameters + count);
            return Err(Error::shape(O::NAME, "the network's parameters", expected, self.leaves.len().to_string()));
        };
        inputs.extend_from_slice(parameters);
        self.passed.parameters += count;
        self.tape.apply(op, &inputs)
    }

    /// `op` on x, the next parameter, which is its weight, and the one after that, if it has a `bias`. A compressed weight
    /// is multiplied as it is stored. `channels`: of x, by which it is decided whether the op's output gradient is pruned.
    ///
    /// # Errors
    /// As [`Flow::with_parameters`].
    pub fn with_weight<O: Filters>(&mut self, op: O, x: Var, bias: bool, channels: usize) -> Result<List<Var>> {
        let count = 1 + usize::from(bias);
        self.passed.weights += 1;
        match (self.compression)(self.passed.parameters) {
            None => self.with_pruned_gradient(op, x, count, channels),
            Some(Compression { pattern, gradient }) => {
                let op = Sparse { op, pattern: pattern.clone(), gradient: *gradient };
                self.with_pruned_gradient(op, x, count, channels)
            }
        }
    }

    /// [`Flow::with_parameters`] of an op whose output gradient may be pruned.
    fn with_pruned_gradient<O: Op>(&mut self, op: O, x: Var, count: usize, channels: usize) -> Result<List<Var>> {
        match self.changes.and_then(|changes| changes.gradients.as_ref()).filter(|pruned| channels > pruned.above) {
            None => self.with_parameters(op, x, count),
            Some(pruned) => {
                let op = pruned.of(op, self.passed.weights - 1, &self.path);
                self.with_parameters(op, x, count)
            }
        }
    }

    /// Whether the residual layer that comes next takes part.
    pub fn enters_residual(&mut self) -> bool {
        let active = self.changes.and_then(|changes| changes.active.as_ref());
        self.passed.residuals += 1;
        active.is_none_or(|active| active.get(self.passed.residuals - 1).is_none_or(|&active| active))
    }

    /// x with each entry dropped with probability `p`, row-major; x itself outside of training.
    pub fn drop_entries(&mut self, p: f64, x: Var) -> Result<Var> {
        let axes = self.tape.value(x).ndim();
        self.drop(p, x, axes)
    }

    /// x with each sample dropped with probability `p`; x itself outside of training.
    pub fn drop_samples(&mut self, p: f64, x: Var) -> Result<Var> {
        self.drop(p, x, 1)
    }

    /// One draw for each entry of the first `axes` axes stands for all entries of the others.
    fn drop(&mut self, p: f64, x: Var, axes: usize) -> Result<Var> {
        let (Mode::Training, Some(noise)) = (self.mode, self.noise.as_deref_mut()) else { return Ok(x) };
        let shape = Shape::from(self.tape.value(x).shape());
        let entries: usize = shape[axes..].iter().product();
        let mut mask = buffer::filled(&shape, true);
        for alike in mask.as_slice_mut().unwrap_or_default().chunks_mut(entries.max(1)) {
            alike.fill(unit(noise) >= p);
        }
        self.tape.apply_one(Dropout { p, mask }, &[x])
    }
}
