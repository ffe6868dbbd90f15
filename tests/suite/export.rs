//! Pruned networks for other programs: what is written is the network, bit for bit.

mod csr;
mod files;
mod npz;
mod saved;
mod sizes;

use crate::state_dict::{network, parameters};
use gdstar::paper::reading::Prunable;
use gdstar::tensor_file::Element;
use gdstar::train::SavedNetwork;
use gdstar::weights::WeightSet;
use ndarray::ArrayD;

/// [`network`] with every third weight eliminated, and among the living a 0 and a -0.
fn pruned() -> SavedNetwork<f32> {
    let mut parameters = parameters();
    let weights = WeightSet::new(&parameters, Prunable::Weights);
    let alive: Vec<bool> = (0..weights.len()).map(|i| i % 3 != 1).collect();
    weights.for_each_mut(&mut parameters, |segment, values| {
        for (w, &alive) in values.iter_mut().zip(&alive[segment.range.clone()]) {
            *w = if alive { *w } else { 0.0 };
        }
        (values[2], values[3]) = (-0.0, 0.0);
    });
    for segment in weights.segments() {
        let at = segment.range.start;
        assert!(alive[at + 2] && alive[at + 3], "the zeros of {} are alive", parameters[segment.parameter].name);
    }
    SavedNetwork { network: network(), parameters, weights, alive, has_masks: true, batches: 7, encoding: None }
}

/// An array's numbers as bytes, in which -0 is not 0.
fn bits<T: Element>(array: &ArrayD<T>) -> Vec<u8> {
    let mut bytes = Vec::new();
    array.iter().for_each(|x| x.put(&mut bytes));
    bytes
}
