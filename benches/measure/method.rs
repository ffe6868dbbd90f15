//! The settings that the cases share, and networks with a given share of their weights eliminated.

use gdstar::Result;
use gdstar::data::Source;
use gdstar::method::Method;
use gdstar::paper::reading::MaskedGradient;
use gdstar::random::{Purpose, stream, unit};
use gdstar::train::{Config, Run, State};
use rand::RngCore;

/// The paper's settings, with the reading under which an eliminated weight takes part in nothing.
pub fn config(model: &str, data: Source, method: Method) -> Config {
    let mut config = Config::new(model, data, method);
    config.reading.masked_gradient = MaskedGradient::Zero;
    config
}

/// Bytes of every value.
pub fn random_pixels(count: usize) -> Vec<u8> {
    let mut pixels = vec![0; count];
    stream(0, Purpose::Order, 0).fill_bytes(&mut pixels);
    pixels
}

/// The state before the first epoch in which each weight of W is eliminated with probability `sparsity`, the same in
/// every layer.
pub fn start_with_eliminated(run: &Run, sparsity: f64) -> Result<State<f32>> {
    let mut state = run.start::<f32>()?;
    // The dense method eliminates nothing.
    if state.weights.mask().is_some() {
        let mut rng = stream(0, Purpose::RandomRewind, 0);
        state.weights.mask_mut().fill_with(|| unit(&mut rng) >= sparsity);
        for layer in state.weights.layers() {
            let eliminated = layer.values.iter_mut().zip(layer.mask).filter(|(_, alive)| !**alive);
            eliminated.for_each(|(w, _)| *w = 0.0);
        }
    }
    Ok(state)
}
