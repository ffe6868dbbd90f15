//! Stochastic gradient descent with momentum and weight decay, as PyTorch's `torch.optim.SGD` defines it.

use crate::nn::Parameters;
use crate::scalar::Scalar;
use ndarray::ArrayD;
use serde::{Deserialize, Serialize};

/// The optimizer's settings; defaults are the paper's (section 4).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SgdSettings {
    /// The base learning rate, at epoch 0 of the cosine schedule.
    pub learning_rate: f64,
    pub momentum: f64,
    pub weight_decay: f64,
    pub batch_size: usize,
}

impl Default for SgdSettings {
    fn default() -> Self {
        Self { learning_rate: 0.05, momentum: 0.9, weight_decay: 5e-4, batch_size: 128 }
    }
}

/// The optimizer's state: one momentum buffer per parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Sgd<S> {
    pub momentum: f64,
    pub weight_decay: f64,
    /// In the order of [`Parameters`]; empty arrays for buffers, which are not trained.
    pub buffers: Vec<ArrayD<S>>,
}

impl<S: Scalar> Sgd<S> {
    /// A fresh optimizer, all buffers 0.
    pub fn new(settings: &SgdSettings, parameters: &Parameters<S>) -> Self {
        let buffer = |trained: bool, shape: &[usize]| {
            if trained { ArrayD::from_elem(shape, S::ZERO) } else { ArrayD::from_elem(vec![0], S::ZERO) }
        };
        Self {
            momentum: settings.momentum,
            weight_decay: settings.weight_decay,
            buffers: parameters.iter().map(|p| buffer(p.role.is_trained(), p.value.shape())).collect(),
        }
    }

    /// One step for every parameter that has a gradient, in this order of operations per entry:
    ///
    /// ```text
    /// g <- g + weight_decay * w
    /// b <- momentum * b + g
    /// w <- w - learning_rate * b
    /// ```
    ///
    /// With `b = 0` before the first step this is PyTorch's `b = g` there. `gradients` are in the order of
    /// `parameters`, of the same shapes.
    pub fn step(&mut self, parameters: &mut Parameters<S>, gradients: &[Option<ArrayD<S>>], learning_rate: f64) {
        let (lr, mu, decay) = (S::from_f64(learning_rate), S::from_f64(self.momentum), S::from_f64(self.weight_decay));
        for ((parameter, gradient), buffer) in parameters.iter_mut().zip(gradients).zip(&mut self.buffers) {
            let Some(gradient) = gradient else { continue };
            ndarray::Zip::from(&mut parameter.value).and(gradient).and(buffer).for_each(|w, &g, b| {
                let g = g + decay * *w;
                descend((w, b), g, mu, lr);
            });
        }
    }
}

/// What [`Sgd::step`] does with an entry `w` and its buffer `b`; `g` is the gradient with weight decay in it.
#[inline]
pub fn descend<S: Scalar>((w, b): (&mut S, &mut S), g: S, momentum: S, learning_rate: S) {
    *b = momentum * *b + g;
    *w -= learning_rate * *b;
}
