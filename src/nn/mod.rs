//! Networks: parameters under PyTorch's `state_dict` names, layers, and the registered models.

mod changes;
mod channels;
mod description;
mod flow;
pub mod hashed;
mod layer;
pub mod models;
mod parameter;
pub mod state_dict;
mod summary;

pub use changes::{Changes, PrunedGradients, ResidualLayer};
pub use channels::Channels;
pub use description::{Description, NETWORK_KEY};
pub use flow::Mode;
pub use layer::{BATCH_NORM_MOMENTUM, Feed, Join, Layer};
pub use parameter::{Compression, Init, Parameter, Parameters, Role, Spec};
pub(crate) use parameter::{compress, expand};
pub use summary::{LayerSummary, Summary};

use crate::error::{Error, Result};
use crate::kernel::buffer::{self, Buffer};
use crate::paper::reading::InitialWeights;
use crate::random::{Purpose, stream};
use crate::scalar::Scalar;
use crate::tape::{Tape, Var};
use flow::{Flow, Passed};
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
    /// What is different in training passes.
    pub changes: Changes,
}

/// One forward pass on a tape.
pub struct Pass {
    /// `[n, c, h, w]`.
    pub input: Var,
    /// `[n, classes]`.
    pub logits: Var,
    /// The tape's leaf of each parameter, in the order of [`Parameters`].
    pub leaves: Buffer<Var>,
    /// The updated value of each running statistic, in the order of [`Parameters`].
    pub buffers: Buffer<Option<Var>>,
}

impl Network {
    pub fn new(name: &'static str, input: [usize; 3], classes: usize, layer: Layer) -> Self {
        Self { name, input, classes, layer, unused: &[], changes: Changes::default() }
    }

    /// Name, role and shape of every parameter and buffer, in `state_dict` order.
    pub fn specs(&self) -> Vec<Spec> {
        let mut specs = Vec::new();
        self.layer.collect_specs(&mut String::new(), &mut specs);
        specs
    }

    /// The residual layers, in the order of evaluation.
    pub fn residual_layers(&self) -> Vec<ResidualLayer> {
        let mut layers = Vec::new();
        self.layer.collect_residual(&mut 0, &mut layers);
        layers
    }

    /// W_0 of the run with this seed, under the default of open point 21.
    pub fn first_parameters<S: Scalar>(&self, seed: u64) -> Parameters<S> {
        self.first_parameters_from(seed, InitialWeights::default())
    }

    /// W_0 of the run with this seed, its weights drawn from this distribution.
    pub fn first_parameters_from<S: Scalar>(&self, seed: u64, weights: InitialWeights) -> Parameters<S> {
        self.drawn(&mut stream(seed, Purpose::Initialisation, 0), weights)
    }

    /// Fresh parameters drawn from `rng`, in order.
    pub fn initialise<S: Scalar>(&self, rng: &mut ChaCha8Rng) -> Parameters<S> {
        self.drawn(rng, InitialWeights::default())
    }

    pub(crate) fn drawn<S: Scalar>(&self, rng: &mut ChaCha8Rng, weights: InitialWeights) -> Parameters<S> {
        Parameters::new(self.specs().into_iter().map(|spec| spec.initialise(rng, weights)).collect())
    }

    /// Runs the network on `input` `[n, c, h, w]`, which is put on the tape first. In training, dropout and stochastic
    /// depth draw from `noise`, in the order of the layers; without it they are off.
    ///
    /// # Errors
    /// [`Error::Shape`] if the input or a parameter does not fit.
    pub fn forward<'p, S: Scalar>(
        &self,
        tape: &mut Tape<'p, S>,
        parameters: &'p Parameters<S>,
        input: ArrayD<S>,
        mode: Mode,
        noise: Option<&mut ChaCha8Rng>,
    ) -> Result<Pass> {
        if input.ndim() != 4 || input.shape()[1..] != self.input {
            let expected = format!("shape [n, {}, {}, {}]", self.input[0], self.input[1], self.input[2]);
            return Err(Error::shape("network", "input", expected, format!("shape {:?}", input.shape())));
        }
        let is_trained = |p: &Parameter<S>| mode.wants_gradients() && p.role.is_trained();
        let leaves = parameters.iter().map(|p| tape.leaf(&p.value, is_trained(p))).collect();
        let input = tape.leaf(input, false);
        self.run(tape, leaves, &|i| parameters[i].compression.as_ref(), input, mode, noise)
    }

    /// The layers, one after another. `compression` is each parameter's.
    fn run<'c, S: Scalar>(
        &self,
        tape: &mut Tape<S>,
        leaves: Buffer<Var>,
        compression: &dyn Fn(usize) -> Option<&'c Compression>,
        input: Var,
        mode: Mode,
        noise: Option<&mut ChaCha8Rng>,
    ) -> Result<Pass> {
        let (buffers, path) = (leaves.iter().map(|_| None).collect(), buffer::reuse());
        let changes = (mode == Mode::Training).then_some(&self.changes);
        let mut flow =
            Flow { tape, leaves: &leaves, compression, mode, noise, changes, passed: Passed::default(), buffers, path };
        let logits = self.layer.forward(&mut flow, "", input, false)?;
        let Flow { buffers, path, .. } = flow;
        buffer::keep(path);
        Ok(Pass { input, logits, leaves, buffers })
    }
}
