//! Networks: parameters under PyTorch's `state_dict` names, layers, and the registered models.

pub mod hashed;
mod layer;
pub mod models;
mod parameter;
pub mod state_dict;

pub use layer::{Layer, LayerSummary, Mode};
pub use parameter::{Init, Parameter, Parameters, Role, Spec};

use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::tape::{Tape, Var};
use ndarray::ArrayD;
use rand_chacha::ChaCha8Rng;

/// A network for images of one shape.
#[derive(Debug, Clone)]
pub struct Network {
    /// The registered model's name.
    pub name: &'static str,
    /// Input shape `[channels, height, width]`.
    pub input: [usize; 3],
    pub classes: usize,
    pub layer: Layer,
    /// Names that PyTorch's form of the network carries and its forward pass never reads, skipped when a file is
    /// read; a name that ends in a dot stands for everything below it.
    pub unused: &'static [&'static str],
}

/// One forward pass on a tape.
pub struct Pass {
    /// `[n, classes]`.
    pub logits: Var,
    /// The tape's leaf of each parameter, in the order of [`Parameters`].
    pub leaves: Vec<Var>,
    /// Updated running statistics: index of the buffer in [`Parameters`], and its new value.
    pub buffers: Vec<(usize, Var)>,
}

impl Network {
    /// Name, role and shape of every parameter and buffer, in `state_dict` order.
    pub fn specs(&self) -> Vec<Spec> {
        let mut specs = Vec::new();
        self.layer.collect_specs("", &mut specs);
        specs
    }

    /// Fresh parameters drawn from `rng`, in order.
    pub fn initialise<S: Scalar>(&self, rng: &mut ChaCha8Rng) -> Parameters<S> {
        Parameters::new(self.specs().into_iter().map(|spec| spec.initialise(rng)).collect())
    }

    /// Runs the network on `input` `[n, c, h, w]`, which is put on the tape first.
    ///
    /// # Errors
    /// [`Error::Shape`] if the input or a parameter does not fit.
    pub fn forward<'p, S: Scalar>(
        &self,
        tape: &mut Tape<'p, S>,
        parameters: &'p Parameters<S>,
        input: ArrayD<S>,
        mode: Mode,
    ) -> Result<Pass> {
        let expected = format!("shape [n, {}, {}, {}]", self.input[0], self.input[1], self.input[2]);
        if input.ndim() != 4 || input.shape()[1..] != self.input {
            return Err(Error::shape("network", "input", expected, format!("shape {:?}", input.shape())));
        }
        let leaves: Vec<Var> =
            parameters.iter().map(|p| tape.leaf(&p.value, mode.trains() && p.role.is_trained())).collect();
        let input = tape.leaf(input, false);
        let mut flow = layer::Flow { tape, parameters, leaves: &leaves, mode, next: 0, buffers: Vec::new() };
        let logits = self.layer.forward(&mut flow, input)?;
        let buffers = flow.buffers;
        Ok(Pass { logits, leaves, buffers })
    }

    /// Each layer with its output shape, parameters and multiply-accumulates for one sample.
    ///
    /// # Errors
    /// [`Error::Shape`] if the layers do not fit each other.
    pub fn summary(&self) -> Result<Vec<LayerSummary>> {
        let mut rows = Vec::new();
        self.layer.summarise("", &[1, self.input[0], self.input[1], self.input[2]], &mut rows)?;
        Ok(rows)
    }
}
