//! What a network takes, found by running it on shapes alone.

use super::{Mode, Network, Role, Spec};
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
        let mut tape = Tape::<S>::of_shapes();
        let specs = self.specs();
        let leaves = specs.iter().map(|spec| tape.leaf_shape(&spec.shape, spec.role.is_trained())).collect();
        let [c, h, w] = self.input;
        let input = tape.leaf_shape(&[batch, c, h, w], false);
        // Any noise will do: the layers that draw it are on, as they are in training.
        let mut noise = stream(0, Purpose::Dropout, 0);
        self.run(&mut tape, leaves, input, Mode::Training, Some(&mut noise))?;
        let layers: Vec<LayerSummary> = tape
            .records()
            .iter()
            .map(|record| LayerSummary {
                name: record.layer.clone(),
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
}
