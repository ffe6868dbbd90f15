//! What a network takes, found by running it on shapes alone.

use super::{Compression, Mode, Network, Parameters, Role, Spec};
use crate::error::Result;
use crate::random::{Purpose, stream};
use crate::scalar::Scalar;
use crate::tape::Tape;

/// One op of a network's training pass.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerSummary {
    pub name: String,
    /// [`Op::NAME`](crate::op::Op::NAME).
    pub kind: &'static str,
    /// Without the batch axis.
    pub output: Vec<usize>,
    /// Trained entries.
    pub parameters: usize,
    /// Multiply-accumulates of linear and convolution layers for one sample.
    pub macs: usize,
}

/// What one training step of a network takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// In the order of evaluation.
    pub layers: Vec<LayerSummary>,
    /// Trained entries.
    pub parameters: usize,
    /// Entries of linear and convolution weights: W by the default reading (open point 6).
    pub prunable: usize,
    /// Multiply-accumulates of linear and convolution layers for one sample.
    pub macs: usize,
    /// Bytes of the parameters and running statistics.
    pub parameter_bytes: usize,
    /// Bytes of the gradients.
    pub gradient_bytes: usize,
    /// Bytes kept from forward for backward, for the whole batch.
    pub activation_bytes: usize,
}

impl Summary {
    /// What one training step needs at the least: parameters, gradients, and the activations saved for backward.
    pub fn step_bytes(&self) -> usize {
        self.parameter_bytes + self.gradient_bytes + self.activation_bytes
    }
}

impl Network {
    /// What a training step on a batch of `batch` samples takes in the number system `S`.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) if the layers do not fit each other, or the input is too small for them.
    pub fn summary<S: Scalar>(&self, batch: usize) -> Result<Summary> {
        let specs = self.specs();
        let shapes: Vec<(&[usize], Role)> = specs.iter().map(|spec| (&spec.shape[..], spec.role)).collect();
        let tape = self.shapes::<S>(&shapes, &|_| None, batch)?;
        let layers: Vec<LayerSummary> = tape
            .records()
            .iter()
            .map(|record| LayerSummary {
                name: tape.layer(record).to_string(),
                kind: record.op,
                output: tape.output_shape(record).get(1..).unwrap_or_default().to_vec(),
                parameters: tape.parameters(record),
                macs: record.cost.multiply_accumulates / batch.max(1),
            })
            .collect();
        let entries = |wanted: fn(Role) -> bool| -> usize {
            specs.iter().filter(|spec| wanted(spec.role)).map(Spec::entries).sum()
        };
        let parameters = entries(Role::is_trained);
        Ok(Summary {
            parameters,
            prunable: entries(|role| role == Role::Weight),
            macs: layers.iter().map(|layer| layer.macs).sum(),
            parameter_bytes: entries(|_| true) * size_of::<S>(),
            gradient_bytes: parameters * size_of::<S>(),
            activation_bytes: tape.kept_bytes(),
            layers,
        })
    }

    /// The multiply-accumulates of a training step with these parameters, for one sample: forward, input gradients and
    /// weight gradients of linear and convolution layers, of which a compressed weight's dead entries take no part.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) if the parameters do not fit.
    pub fn step_multiply_accumulates<S: Scalar>(&self, parameters: &Parameters<S>) -> Result<usize> {
        // Batch norm needs two samples.
        let batch = 2;
        let shapes: Vec<(&[usize], Role)> = parameters.iter().map(|p| (p.value.shape(), p.role)).collect();
        let tape = self.shapes::<S>(&shapes, &|i| parameters[i].compression.as_ref(), batch)?;
        Ok(tape.step_multiply_accumulates() / batch)
    }

    /// A training pass on shapes alone: `parameters` are stored in these shapes.
    fn shapes<'c, S: Scalar>(
        &self,
        parameters: &[(&[usize], Role)],
        compression: &dyn Fn(usize) -> Option<&'c Compression>,
        batch: usize,
    ) -> Result<Tape<'static, S>> {
        let mut tape = Tape::of_shapes();
        let leaves = parameters.iter().map(|(shape, role)| tape.leaf_shape(shape, role.is_trained())).collect();
        let [c, h, w] = self.input;
        let input = tape.leaf_shape(&[batch, c, h, w], false);
        // Any noise will do: the layers that draw it are on, as they are in training.
        let mut noise = stream(0, Purpose::Dropout, 0);
        self.run(&mut tape, leaves, compression, input, Mode::Training, Some(&mut noise))?;
        Ok(tape)
    }
}
