//! What the agent sees of a network: its layers, one after another.

use super::chain::Chain;
use crate::error::{Error, Result};
use crate::nn::{Layer, Network, Role};

/// How many numbers the agent sees of a layer: eight that do not change, and three that follow from what it has done.
pub const FEATURES: usize = FIXED + 3;
/// Index, outputs, inputs, height, width, stride, kernel, multiply-accumulates.
const FIXED: usize = 8;

/// A linear or convolution layer.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerView {
    /// The position of its weight among the parameters.
    pub parameter: usize,
    /// c: its input channels.
    pub channels: usize,
    /// F: multiply-accumulates of a sample.
    pub flops: usize,
    /// What does not change of what is seen of it, each from 0, the least of all layers', to 1, the largest.
    fixed: [f64; FIXED],
}

/// The layers of a network in which each takes what the one before makes, and nothing else does.
///
/// # Errors
/// [`Error::Domain`] naming a network that is none; those of [`Network::summary`].
pub fn layers(network: &Network) -> Result<Vec<LayerView>> {
    let specs = network.specs();
    let weights: Vec<usize> = (0..specs.len()).filter(|&i| specs[i].role == Role::Weight).collect();
    if network.channels().len() + 1 != weights.len() {
        let expected = "a network whose layers follow one another: lenet300, lenet, vgg16, vgg19bn";
        return Err(Error::domain("--model with --method amc", expected, network.name));
    }
    let (mut windows, mut layers) = (Vec::new(), Vec::new());
    collect_windows(&network.layer, &mut windows);
    let mut input = network.input.to_vec();
    for layer in network.summary::<f64>(2)?.layers {
        if let ("linear" | "conv2d", Some(&parameter)) = (layer.kind, weights.get(layers.len())) {
            let shape = &specs[parameter].shape;
            let [stride, kernel] = windows.get(layers.len()).copied().unwrap_or([1, 1]);
            let side = |axis: usize| input.get(axis).copied().unwrap_or(1);
            let seen = [layers.len(), shape[0], shape[1], side(1), side(2), stride, kernel, layer.macs];
            let fixed = seen.map(|x| x as f64);
            layers.push(LayerView { parameter, channels: shape[1], flops: layer.macs, fixed });
        }
        input = layer.output;
    }
    normalise(&mut layers);
    Ok(layers)
}

/// Stride and kernel of each linear and convolution layer.
fn collect_windows(layer: &Layer, windows: &mut Vec<[usize; 2]>) {
    match layer {
        Layer::Linear { .. } => windows.push([1, 1]),
        Layer::Conv2d { kernel, window, .. } => windows.push([window.stride[0], kernel[0]]),
        Layer::Sequence(layers) => layers.iter().for_each(|(_, layer)| collect_windows(layer, windows)),
        _ => {}
    }
}

/// Brings every feature into 0 to 1; one that is the same everywhere says nothing, and is 0.
fn normalise(layers: &mut [LayerView]) {
    for i in 0..FIXED {
        let of_all = || layers.iter().map(|layer| layer.fixed[i]);
        let (least, most) = (of_all().fold(f64::INFINITY, f64::min), of_all().fold(f64::NEG_INFINITY, f64::max));
        for layer in layers.iter_mut() {
            layer.fixed[i] = if most > least { (layer.fixed[i] - least) / (most - least) } else { 0.0 };
        }
    }
}

/// What the layers cost.
pub fn chain(layers: &[LayerView]) -> Chain {
    Chain { flops: layers.iter().map(|layer| layer.flops as f64).collect(), buffer_flops: vec![0.0; layers.len()] }
}

impl LayerView {
    /// What the agent sees of it, where the layers before keep these shares: what does not change, the shares of the
    /// network's cost that are saved so far and that later layers take, and the last layer's share.
    pub fn state(&self, chain: &Chain, kept: &[f64]) -> Vec<f64> {
        let whole = chain.cost(&[]);
        let rest: f64 = chain.flops.iter().skip(kept.len() + 1).sum();
        let changing = [(whole - chain.cost(kept)) / whole, rest / whole, kept.last().copied().unwrap_or(1.0)];
        self.fixed.iter().copied().chain(changing).collect()
    }
}
