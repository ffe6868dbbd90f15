//! MobileNetV2: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018, in the usual form for
//! CIFAR: ReLU, the first two halvings of the image left out, and a projection where a shortcut changes channels.

use super::blocks::{Conv, batch_norm, numbered, pooled, projection, residual};
use crate::nn::{Layer, Network};

/// Expansion, output channels, blocks, stride of the first block (table 2 there).
const STAGES: [(usize, usize, usize, usize); 7] =
    [(1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)];

const STEM: usize = 32;
const HEAD: usize = 1280;

/// 2,296,922 parameters for 10 classes.
pub(super) fn build(input: [usize; 3], classes: usize) -> Network {
    let mut channels = STEM;
    let mut blocks = Vec::new();
    for (expansion, outputs, count, stride) in STAGES {
        for i in 0..count {
            blocks.push(inverted_residual(channels, expansion, outputs, if i == 0 { stride } else { 1 }));
            channels = outputs;
        }
    }
    let mut layers = pooled(vec![
        ("conv1", Conv::new(3, input[0], STEM).layer()),
        ("bn1", batch_norm(STEM)),
        ("", Layer::Relu),
        ("layers", numbered(blocks)),
        ("conv2", Conv::new(1, channels, HEAD).layer()),
        ("bn2", batch_norm(HEAD)),
        ("", Layer::Relu),
    ]);
    layers.push(("linear", Layer::Linear { inputs: HEAD, outputs: classes }));
    Network::new("mobilenetv2", input, classes, Layer::sequence(layers))
}

/// Expand, filter each channel, project without activation.
fn inverted_residual(inputs: usize, expansion: usize, outputs: usize, stride: usize) -> Layer {
    let expanded = expansion * inputs;
    let body = Layer::sequence([
        ("conv1", Conv::new(1, inputs, expanded).layer()),
        ("bn1", batch_norm(expanded)),
        ("", Layer::Relu),
        ("conv2", Conv::depthwise(3, expanded).stride(stride).layer()),
        ("bn2", batch_norm(expanded)),
        ("", Layer::Relu),
        ("conv3", Conv::new(1, expanded, outputs).layer()),
        ("bn3", batch_norm(outputs)),
    ]);
    match stride {
        1 if inputs == outputs => residual(body, Layer::Identity),
        1 => residual(body, projection(inputs, outputs, 1)),
        _ => body,
    }
}
