//! Channels of a run's weights: those that go, and what is left.

use super::layers::LayerView;
use crate::kernel::{Kernel, hold};
use crate::scalar::Scalar;
use crate::weights::Weights;

/// Eliminates the channels that are not kept.
pub fn eliminate<S: Scalar>(layers: &[LayerView], channels: &[Vec<bool>], w: &mut Weights<S>) {
    let shapes: Vec<Vec<usize>> = w.shapes().into_iter().map(<[usize]>::to_vec).collect();
    let parameters: Vec<usize> = w.set().segments().iter().map(|segment| segment.parameter).collect();
    for ((layer, parameter), shape) in w.layers().zip(parameters).zip(shapes) {
        let Some(l) = layers.iter().position(|layer| layer.parameter == parameter) else { continue };
        let each: usize = shape[2..].iter().product();
        for (j, alive) in layer.mask.iter_mut().enumerate() {
            *alive &= channels[l][j / each % shape[1]];
        }
        hold(Kernel::any(), layer.values, layer.mask);
        hold(Kernel::any(), layer.momentum, layer.mask);
    }
}

/// The share of each layer's channels of which anything lives.
pub fn shares<S: Scalar>(layers: &[LayerView], w: &Weights<S>) -> Vec<f64> {
    let share = |layer: &LayerView| {
        let segment = w.set().segments().iter().find(|segment| segment.parameter == layer.parameter);
        let alive = segment.and_then(|segment| w.mask()?.get(segment.range.clone())).unwrap_or_default();
        let each = w.parameters[layer.parameter].value.shape()[2..].iter().product::<usize>();
        let mut lives = vec![false; layer.channels];
        for (entries, c) in alive.chunks(each).zip((0..layer.channels).cycle()) {
            lives[c] |= entries.contains(&true);
        }
        lives.iter().filter(|lives| **lives).count() as f64 / layer.channels as f64
    };
    layers.iter().map(share).collect()
}
