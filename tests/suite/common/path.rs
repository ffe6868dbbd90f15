//! How long the chains of operations of a training step are.

use gdstar::nn::{LayerSummary, Network};

/// The sum of the reduction lengths along forward and backward of one step on `batch` samples: every linear or
/// convolution layer sums over its inputs going forward, over its outputs (times at most 9 taps) and over batch and
/// pixels going back; batch norm over batch and pixels three times; and every entry takes a handful of elementwise
/// operations a layer.
pub fn path_length(network: &Network, batch: usize) -> usize {
    let specs = network.specs();
    let of_layer = |row: &LayerSummary| -> usize {
        let pixels: usize = batch * row.output.iter().skip(1).product::<usize>();
        let weight = specs.iter().find(|spec| spec.name == format!("{}.weight", row.name));
        let sums = weight.map_or(0, |spec| spec.shape[1..].iter().product::<usize>() + spec.shape[0] * 9 + 3 * pixels);
        sums + 8
    };
    network.summary::<f64>(2).unwrap().layers.iter().map(of_layer).sum()
}
