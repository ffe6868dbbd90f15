//! What the networks are built from.

use crate::kernel::Window;
use crate::nn::layer::he_uniform;
use crate::nn::{Join, Layer};

/// Batch norm's constant that all networks but Inception use (PyTorch's default).
const BATCH_NORM_EPS: f64 = 1e-5;

/// A square convolution without bias that keeps the image's size at stride 1 (odd kernels).
#[derive(Debug, Clone, Copy)]
pub(super) struct Conv {
    pub inputs: usize,
    pub outputs: usize,
    pub kernel: usize,
    pub stride: usize,
    pub groups: usize,
}

impl Conv {
    /// With stride 1 and one group.
    pub fn new(kernel: usize, inputs: usize, outputs: usize) -> Self {
        Self { inputs, outputs, kernel, stride: 1, groups: 1 }
    }

    /// Each channel by itself.
    pub fn depthwise(kernel: usize, channels: usize) -> Self {
        Self { groups: channels, ..Self::new(kernel, channels, channels) }
    }

    pub fn stride(self, stride: usize) -> Self {
        Self { stride, ..self }
    }

    pub fn layer(self) -> Layer {
        self.with_bias(false)
    }

    pub fn with_bias(self, bias: bool) -> Layer {
        let Self { inputs, outputs, kernel, stride, groups } = self;
        let window = Window { stride: [stride; 2], padding: [kernel / 2; 2], groups, ..Window::PLAIN };
        let init = he_uniform(inputs / groups * kernel * kernel);
        Layer::Conv2d { inputs, outputs, kernel: [kernel; 2], window, bias, init }
    }
}

pub(super) fn batch_norm(channels: usize) -> Layer {
    Layer::BatchNorm { channels, eps: BATCH_NORM_EPS }
}

/// `body(x) + shortcut(x)`; the body's names stand as they are, the shortcut's below `shortcut`.
pub(super) fn residual(body: Layer, shortcut: Layer) -> Layer {
    Layer::branches(Join::Sum, [("", body), ("shortcut", shortcut)])
}

/// A shortcut that changes the number of channels or halves the image: option B of He et al. 2016.
pub(super) fn projection(inputs: usize, outputs: usize, stride: usize) -> Layer {
    Layer::sequence([("0", Conv::new(1, inputs, outputs).stride(stride).layer()), ("1", batch_norm(outputs))])
}

/// Layers named 0, 1, 2, ..
pub(super) fn numbered(layers: impl IntoIterator<Item = Layer>) -> Layer {
    Layer::sequence(layers.into_iter().enumerate().map(|(i, layer)| (i.to_string(), layer)))
}

/// `features`, then the mean of each channel.
pub(super) fn pooled(features: Vec<(&'static str, Layer)>) -> Vec<(&'static str, Layer)> {
    let mut layers = features;
    layers.extend([("", Layer::GlobalAveragePool), ("", Layer::Flatten)]);
    layers
}
