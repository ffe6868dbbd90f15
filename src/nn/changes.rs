//! [`Changes`]: what a method changes in a network's training passes.

use crate::op::Op;
use crate::ops::{GradientPruning, Keys, PrunedGradient, PruningLog};
use std::ops::Range;
use std::sync::Arc;

/// What is different in training, and in training alone. By default nothing.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Of each [residual layer](super::Network::residual_layers), false where it is left out: its output is then its input.
    /// `None`: all take part.
    pub active: Option<Vec<bool>>,
    /// How the output gradients of linear and convolution layers are pruned. `None`: not at all.
    pub gradients: Option<PrunedGradients>,
}

/// A sum of branches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResidualLayer {
    /// Whether one of the branches is the layer's input itself, which is then its output without the others.
    pub can_be_left_out: bool,
    /// The positions of its parameters.
    pub parameters: Range<usize>,
}

/// How the output gradients of linear and convolution layers are pruned.
#[derive(Debug, Clone)]
pub struct PrunedGradients {
    /// Where it draws, every layer takes a stream of its own of the generator: its number, from 0.
    pub pruning: GradientPruning,
    /// Only of layers with more input channels than this.
    pub above: usize,
    pub log: Arc<PruningLog>,
}

impl PrunedGradients {
    /// The op of the `layer`-th linear or convolution layer, named `path`, with its gradient pruned.
    pub(super) fn of<O: Op>(&self, op: O, layer: usize, path: &str) -> PrunedGradient<O> {
        let mut pruning = self.pruning.clone();
        if let Keys::Drawn(generator) = &mut pruning.keys {
            generator.set_stream(layer as u64);
        }
        PrunedGradient { op, pruning, log: Some((path.to_string(), Arc::clone(&self.log))) }
    }
}
