//! [`layer_sparsity`]: how many weights each layer has left, and how many multiply-accumulates that leaves.

use crate::error::Result;
use crate::nn::Role;
use crate::scalar::Scalar;
use crate::train::SavedNetwork;
use std::collections::HashMap;

/// A parameter of W, or all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerSparsity {
    /// The parameter's name.
    pub name: String,
    /// Its weights.
    pub total: usize,
    /// Those that are not eliminated.
    pub alive: usize,
    /// Multiply-accumulates of its layer for one sample; 0 for what is no linear or convolution weight.
    pub macs: usize,
    /// Those of them that a living weight takes part in: the layer's times the share of living weights, which is exact
    /// because every weight of such a layer takes part in equally many.
    pub effective_macs: usize,
}

impl LayerSparsity {
    /// The share of eliminated weights, 0 to 1.
    pub fn sparsity(&self) -> f64 {
        (self.total - self.alive) as f64 / self.total.max(1) as f64
    }
}

/// A row for each parameter of W, in `state_dict` order, and their sum under the name `total`.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) if the network's layers do not fit each other.
pub fn layer_sparsity<S: Scalar>(saved: &SavedNetwork<S>) -> Result<(Vec<LayerSparsity>, LayerSparsity)> {
    // Two samples, which batch norm needs; multiply-accumulates are those of one. Ops without weights may share a name.
    let layers = saved.network.summary::<S>(2)?.layers.into_iter().filter(|layer| layer.macs > 0);
    let macs: HashMap<String, usize> = layers.map(|layer| (layer.name, layer.macs)).collect();
    let row = |segment: &crate::weights::Segment| {
        let parameter = &saved.parameters[segment.parameter];
        let layer = parameter.name.rsplit_once('.').map_or("", |(layer, _)| layer);
        let macs = macs.get(layer).copied().filter(|_| parameter.role == Role::Weight).unwrap_or(0);
        let total = segment.range.len();
        let alive = saved.alive[segment.range.clone()].iter().filter(|&&alive| alive).count();
        let uses = macs / total.max(1);
        LayerSparsity { name: parameter.name.clone(), total, alive, macs, effective_macs: alive * uses }
    };
    let rows: Vec<LayerSparsity> = saved.weights.segments().iter().map(row).collect();
    let sum = |of: fn(&LayerSparsity) -> usize| rows.iter().map(of).sum();
    let total = LayerSparsity {
        name: "total".to_string(),
        total: sum(|row| row.total),
        alive: sum(|row| row.alive),
        macs: sum(|row| row.macs),
        effective_macs: sum(|row| row.effective_macs),
    };
    Ok((rows, total))
}
