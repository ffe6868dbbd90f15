//! What the agent sees of a network: its layers, one after another.

use super::chain::Chain;
use crate::error::{Error, Result};
use crate::nn::{Layer, Network, Role};

/// How many numbers the agent sees of a layer: eight that do not change, and three that follow from what it has done.
pub const FEATURES: usize = FIXED + 3;
/// Index, outputs, inputs, height, width, stride, kernel, multiply-accumulates.
const FIXED: usize = 8;

/// A linear or convolution layer of whose input channels some may go.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerView {
    /// The position of its weight among the parameters.
    pub parameter: usize,
    /// c: its input channels.
    pub channels: usize,
    /// F and B of [`Chain`]: multiply-accumulates of a sample.
    pub flops: usize,
    pub buffer_flops: usize,
    /// What does not change of what is seen of it, each from 0, the least of all layers', to 1, the largest.
    fixed: [f64; FIXED],
}

/// The layers of which input channels can go, since one other layer makes them for it alone; before them the network's first,
/// whose input is the image. What else is computed (shortcuts, and the layers between which they lead) costs what it costs.
///
/// A layer is counted in F_l if its outputs are the next one's inputs, so that both shares multiply its cost. What one share alone
/// multiplies is counted in B_l: a layer in front of layer l that is none of these (in a residual block the first, or a depthwise
/// one), and layer l itself where a sum takes its outputs. B_0 is what no share multiplies.
///
/// # Errors
/// [`Error::Domain`] naming a network without such layers; those of [`Network::summary`].
pub fn layers(network: &Network) -> Result<Vec<LayerView>> {
    let (specs, groups) = (network.specs(), network.channels());
    let weights: Vec<usize> = (0..specs.len()).filter(|&i| specs[i].role == Role::Weight).collect();
    let taker_of = |parameter: usize| match groups.iter().position(|group| group.taken_by == parameter) {
        None if weights.first() == Some(&parameter) => Some(0),
        group => group.map(|group| group + 1),
    };
    let maker_for = |parameter: usize| Some(groups.iter().position(|group| group.made_by.contains(&parameter))? + 1);
    let last = groups.len();
    let (mut flops, mut buffer_flops) = (vec![0; last + 1], vec![0; last + 1]);
    let mut views = vec![None; last + 1];
    let mut windows = Vec::new();
    collect_windows(&network.layer, &mut windows);
    let mut input = network.input.to_vec();
    for layer in network.summary::<f32>(2)?.layers {
        if matches!(layer.kind, "linear" | "conv2d") {
            let name = format!("{}.weight", layer.name);
            let at = weights.iter().position(|&parameter| specs[parameter].name == name);
            let Some((at, parameter)) = at.map(|at| (at, weights[at])) else { continue };
            match (taker_of(parameter), maker_for(parameter)) {
                (Some(l), Some(next)) if next == l + 1 => flops[l] += layer.macs,
                (Some(l), None) if l == last => flops[l] += layer.macs,
                (Some(l), None) | (None, Some(l)) => buffer_flops[l] += layer.macs,
                (None, None) => buffer_flops[0] += layer.macs,
                (Some(_), Some(_)) => return Err(cannot_be_searched(network)),
            }
            if let Some(l) = taker_of(parameter) {
                let shape = &specs[parameter].shape;
                let [stride, kernel] = windows.get(at).copied().unwrap_or([1, 1]);
                let side = |axis: usize| input.get(axis).copied().unwrap_or(1);
                let seen = [l, shape[0], shape[1], side(1), side(2), stride, kernel, layer.macs];
                views[l] = Some((parameter, shape[1], seen.map(|x| x as f64)));
            }
        }
        input = layer.output;
    }
    let views: Option<Vec<_>> = views.into_iter().collect();
    let views = views.filter(|views| views.len() > 1).ok_or_else(|| cannot_be_searched(network))?;
    let costs = flops.into_iter().zip(buffer_flops);
    let view = |((parameter, channels, fixed), (flops, buffer_flops))| LayerView {
        parameter,
        channels,
        flops,
        buffer_flops,
        fixed,
    };
    let mut layers = views.into_iter().zip(costs).map(view).collect::<Vec<_>>();
    normalise(&mut layers);
    Ok(layers)
}

fn cannot_be_searched(network: &Network) -> Error {
    let expected = "a network in which one layer makes channels for one other alone (lenet300, vgg16, resnet20, ..)";
    Error::domain("--model with --method amc", expected, network.name)
}

/// Stride and kernel of each linear and convolution layer, in the order of their weights.
fn collect_windows(layer: &Layer, windows: &mut Vec<[usize; 2]>) {
    match layer {
        Layer::Linear { .. } => windows.push([1, 1]),
        Layer::Conv2d { kernel, window, .. } => windows.push([window.stride[0], kernel[0]]),
        _ => layer.children().iter().for_each(|(_, layer)| collect_windows(layer, windows)),
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
    let of = |cost: fn(&LayerView) -> usize| layers.iter().map(|layer| cost(layer) as f64).collect();
    Chain { flops: of(|layer| layer.flops), buffer_flops: of(|layer| layer.buffer_flops) }
}

impl LayerView {
    /// What the agent sees of it, where the layers before keep these shares: what does not change, the shares of the
    /// network's cost that are saved so far and that later layers take, and the last layer's share.
    pub fn state(&self, chain: &Chain, kept: &[f64]) -> Vec<f64> {
        let whole = chain.cost(&[]);
        let costs = chain.flops.iter().zip(&chain.buffer_flops).skip(kept.len() + 1);
        let rest: f64 = costs.map(|(flops, buffer_flops)| flops + buffer_flops).sum();
        let changing = [(whole - chain.cost(kept)) / whole, rest / whole, kept.last().copied().unwrap_or(1.0)];
        self.fixed.iter().copied().chain(changing).collect()
    }
}
