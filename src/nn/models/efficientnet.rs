//! EfficientNet-B0: Tan & Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019, in the
//! usual form for CIFAR: the first convolution at stride 1, and no 1x1 convolution before the classifier.
//!
//! The common PyTorch collection gives the first block, which does not expand, an expansion convolution and batch norm
//! that its forward never calls. They are not here; files that hold them load all the same ([`Network::unused`]).

use super::blocks::{Conv, batch_norm, numbered, pooled, residual};
use crate::nn::{Join, Layer, Network};

/// Expansion, output channels, blocks, kernel, stride of the first block (table 1 there).
const STAGES: [(usize, usize, usize, usize, usize); 7] = [
    (1, 16, 1, 3, 1),
    (6, 24, 2, 3, 2),
    (6, 40, 2, 5, 2),
    (6, 80, 3, 3, 2),
    (6, 112, 3, 5, 1),
    (6, 192, 4, 5, 2),
    (6, 320, 1, 3, 1),
];

const STEM: usize = 32;
/// Dropout before the classifier, and stochastic depth of the last block; that of block b of n is b / n of it.
const DROP: f64 = 0.2;
/// Squeeze-and-excitation squeezes to this part of the block's input.
const SQUEEZE: usize = 4;

/// 3,598,598 parameters for 10 classes.
pub(super) fn build(input: [usize; 3], classes: usize) -> Network {
    let count: usize = STAGES.iter().map(|stage| stage.2).sum();
    let mut channels = STEM;
    let mut blocks = Vec::new();
    for (expansion, outputs, repeats, kernel, stride) in STAGES {
        for i in 0..repeats {
            let stride = if i == 0 { stride } else { 1 };
            let p = DROP * blocks.len() as f64 / count as f64;
            blocks.push(inverted_residual(channels, expansion, outputs, kernel, stride, p));
            channels = outputs;
        }
    }
    let mut layers = pooled(vec![
        ("conv1", Conv::new(3, input[0], STEM).layer()),
        ("bn1", batch_norm(STEM)),
        ("", Layer::Silu),
        ("layers", numbered(blocks)),
    ]);
    layers.extend([("", Layer::Dropout { p: DROP }), ("linear", Layer::Linear { inputs: channels, outputs: classes })]);
    let network = Network::new("efficientnetb0", input, classes, Layer::sequence(layers));
    Network { unused: &["layers.0.conv1.", "layers.0.bn1."], ..network }
}

fn inverted_residual(inputs: usize, expansion: usize, outputs: usize, kernel: usize, stride: usize, p: f64) -> Layer {
    let expanded = expansion * inputs;
    let mut body = Vec::new();
    if expansion > 1 {
        body.extend([
            ("conv1", Conv::new(1, inputs, expanded).layer()),
            ("bn1", batch_norm(expanded)),
            ("", Layer::Silu),
        ]);
    }
    body.extend([
        ("conv2", Conv::depthwise(kernel, expanded).stride(stride).layer()),
        ("bn2", batch_norm(expanded)),
        ("", Layer::Silu),
        ("se", squeeze_and_excitation(expanded, inputs / SQUEEZE)),
        ("conv3", Conv::new(1, expanded, outputs).layer()),
        ("bn3", batch_norm(outputs)),
    ]);
    if stride > 1 || inputs != outputs {
        return Layer::sequence(body);
    }
    body.push(("", Layer::StochasticDepth { p }));
    residual(Layer::sequence(body), Layer::Identity)
}

/// Each channel times a gate that sees the means of all: Hu et al., "Squeeze-and-Excitation Networks", 2018.
fn squeeze_and_excitation(channels: usize, squeezed: usize) -> Layer {
    let gate = Layer::sequence([
        ("", Layer::GlobalAveragePool),
        ("se1", Conv::new(1, channels, squeezed).with_bias(true)),
        ("", Layer::Silu),
        ("se2", Conv::new(1, squeezed, channels).with_bias(true)),
        ("", Layer::Sigmoid),
    ]);
    Layer::branches(Join::Product, [("", Layer::Identity), ("", gate)])
}
