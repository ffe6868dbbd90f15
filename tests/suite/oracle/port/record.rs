//! What one run did, in the quantities of the trace format.

use super::settings::Config;

/// One batch as the port saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    pub indices: Vec<i64>,
    pub loss: f64,
    /// The weights that the batch's gradient was taken at, per parameter.
    pub weights: Vec<Vec<f64>>,
    /// Of the loss, per parameter, as recorded.
    pub recorded: Vec<Vec<f64>>,
    /// As used, per parameter.
    pub used: Vec<Vec<f64>>,
    /// What enters G: flat over W, as the reading has it.
    pub squared: Vec<f64>,
    /// What enters S_abs: flat over W.
    pub summed: Vec<f64>,
}

/// One epoch. Vectors of vectors hold an entry a parameter; flat vectors run over W.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Epoch {
    /// In the port's own counting.
    pub k: usize,
    pub batches: Vec<Batch>,
    pub weights_before: Vec<Vec<f64>>,
    pub mask_before: Vec<bool>,
    pub g: Vec<f64>,
    pub s_abs: f64,
    pub s_sq: f64,
    pub s_f: f64,
    pub min_before: f64,
    /// What random rewind drew.
    pub draw: Option<f64>,
    pub k_star: i64,
    pub rewind: Vec<Vec<f64>>,
    pub alpha: f64,
    pub chunk_quantiles: Vec<f64>,
    pub tau: f64,
    pub selected: Vec<bool>,
    pub t: i64,
    pub weights_after: Vec<Vec<f64>>,
    pub mask: Vec<bool>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// W_0, per parameter.
    pub init: Vec<Vec<f64>>,
    pub epochs: Vec<Epoch>,
}

impl Config {
    /// The values of W, flattened in the order of the parameters.
    pub fn flat(&self, values: &[Vec<f64>]) -> Vec<f64> {
        self.parameters.iter().zip(values).filter(|(p, _)| p.prunable).flat_map(|(_, v)| v.iter().copied()).collect()
    }

    /// Writes flat values of W back to their parameters.
    pub fn unflatten(&self, flat: &[f64], values: &mut [Vec<f64>]) {
        let mut rest = flat;
        for (_, value) in self.parameters.iter().zip(values).filter(|(p, _)| p.prunable) {
            let (own, others) = rest.split_at(value.len());
            value.copy_from_slice(own);
            rest = others;
        }
    }

    /// Where each parameter of W lies in it: its position among the parameters, its first and past its last place.
    pub fn segments(&self) -> Vec<(usize, usize, usize)> {
        let mut end = 0;
        let prunable = self.parameters.iter().enumerate().filter(|(_, p)| p.prunable);
        prunable
            .map(|(position, parameter)| {
                let start = end;
                end += parameter.len();
                (position, start, end)
            })
            .collect()
    }
}
