//! [`Step`]: one batch forward and backward.

use crate::error::{Error, Result};
use crate::kernel::{Kernel, buffer};
use crate::nn::{Mode, Network, Parameter, Parameters};
use crate::ops::CrossEntropy;
use crate::scalar::Scalar;
use crate::tape::Tape;
use ndarray::ArrayD;
use rand_chacha::ChaCha8Rng;

/// What one batch gives: loss, gradients, and the running statistics it moved.
#[derive(Debug, Clone)]
pub struct Step<S> {
    /// `[n, classes]`.
    pub logits: ArrayD<S>,
    /// The mean over the batch.
    pub loss: S,
    /// In the order of the parameters; `None` for buffers.
    pub gradients: Vec<Option<ArrayD<S>>>,
    /// In the order of the parameters; `None` for all but buffers, and in evaluation.
    pub buffers: Vec<Option<ArrayD<S>>>,
    /// The first layer with a non-finite output, if the loss is not finite.
    origin: Option<String>,
}

impl<S: Scalar> Step<S> {
    /// Runs `network` on `x` `[n,c,h,w]`, forward and, if the `loss` of its logits (or that of these
    /// labels) is finite, backward. In training, dropout and stochastic depth draw from `noise`; without it they are off.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) if the input, a parameter or the labels do not fit.
    pub fn compute(
        network: &Network,
        kernel: Kernel,
        parameters: &Parameters<S>,
        x: ArrayD<S>,
        loss: impl Into<CrossEntropy>,
        mode: Mode,
        mut noise: Option<&mut ChaCha8Rng>,
    ) -> Result<Self> {
        let noise_before = noise.as_deref().cloned();
        let mut tape = Tape::new(kernel);
        let pass = network.forward(&mut tape, parameters, x, mode, noise.take())?;
        let loss_var = tape.apply_one(loss.into(), &[pass.logits])?;
        let loss = tape.value(loss_var).first().copied().unwrap_or_default();
        let logits = tape.take(pass.logits);
        let [mut gradients, mut buffers]: [Vec<Option<ArrayD<S>>>; 2] = [(); 2].map(|()| buffer::reuse());
        buffers.extend(pass.buffers.iter().map(|var| var.map(|var| tape.take(var))));
        let mut origin = None;
        if loss.is_finite() {
            let mut all = tape.backward(loss_var)?;
            // The loss does not depend on what a pass has left out: its gradient is 0.
            let zeros = |p: &Parameter<S>| p.role.is_trained().then(|| buffer::filled(p.value.shape(), S::ZERO));
            let leaves = pass.leaves.iter().zip(parameters.iter());
            gradients.extend(leaves.map(|(&leaf, parameter)| all.take(leaf).or_else(|| zeros(parameter))));
        } else {
            gradients.resize(parameters.len(), None);
            // The pass once more, looked at layer by layer.
            let mut kept = Tape::keeping_everything(kernel);
            let x = tape.value(pass.input).to_owned();
            network.forward(&mut kept, parameters, x, mode, noise_before.clone().as_mut())?;
            origin = kept.first_non_finite();
        }
        kernel.check()?;
        Ok(Self { logits, loss, gradients, buffers, origin })
    }

    /// Puts the running statistics that the batch moved in their place among the parameters.
    pub fn move_buffers(&mut self, parameters: &mut Parameters<S>) {
        for (parameter, buffer) in parameters.iter_mut().zip(&mut self.buffers) {
            if let Some(value) = buffer.take() {
                buffer::recycle(std::mem::replace(&mut parameter.value, value));
            }
        }
    }

    /// Leaves its memory to the next step.
    pub fn recycle(self) {
        buffer::recycle(self.logits);
        for mut arrays in [self.gradients, self.buffers] {
            arrays.drain(..).flatten().for_each(buffer::recycle);
            buffer::keep(arrays);
        }
    }

    /// The first quantity that is not finite (the loss with the layer where it began, else a gradient), and its value.
    pub fn non_finite(&self, parameters: &Parameters<S>) -> Option<(String, f64)> {
        let gradients = || (0..self.gradients.len()).find_map(|i| self.non_finite_gradient(parameters, i));
        self.non_finite_loss().or_else(gradients)
    }

    /// The loss if it is not finite, with the layer where that began.
    pub(super) fn non_finite_loss(&self) -> Option<(String, f64)> {
        let origin = || self.origin.as_deref().unwrap_or("the loss itself");
        (!self.loss.is_finite()).then(|| (format!("the loss (first in layer {})", origin()), self.loss.to_f64()))
    }

    /// The gradient of the `i`-th parameter if it is not finite, and its first such value.
    pub(super) fn non_finite_gradient(&self, parameters: &Parameters<S>, i: usize) -> Option<(String, f64)> {
        let value = self.gradients[i].as_ref()?.iter().find(|x| !x.is_finite())?;
        Some((format!("the gradient of `{}`", parameters[i].name), value.to_f64()))
    }
}

/// The method takes finite numbers; one that it refuses at an epoch's end (a G that overflowed) is the run's failure.
pub(super) fn diverged(error: Error, epoch: usize, batch: usize) -> Error {
    match error {
        Error::Domain { name, found, .. } if matches!(found.as_str(), "inf" | "-inf" | "NaN") => {
            Error::non_finite(name, (epoch, batch), found)
        }
        other => other,
    }
}
