//! DenseNet-BC: Huang et al., "Densely Connected Convolutional Networks", 2017, in the usual form for CIFAR: the first
//! convolution 3x3 at stride 1 and no max pooling.

use super::blocks::{Conv, batch_norm, numbered, pooled};
use crate::nn::{Join, Layer, Network};

/// Blocks of each stage.
const STAGES: [(&str, &str, usize); 4] =
    [("dense1", "trans1", 6), ("dense2", "trans2", 12), ("dense3", "trans3", 24), ("dense4", "", 16)];

/// 6,956,298 parameters for 10 classes.
pub(super) fn build_121(input: [usize; 3], classes: usize) -> Network {
    build("densenet121", 32, input, classes)
}

/// Growth 12: 1,000,618 parameters for 10 classes.
pub(super) fn build_c(input: [usize; 3], classes: usize) -> Network {
    build("densenetc", 12, input, classes)
}

/// `growth`: how many channels each block adds.
fn build(name: &'static str, growth: usize, input: [usize; 3], classes: usize) -> Network {
    let mut channels = 2 * growth;
    let mut layers = vec![("conv1", Conv::new(3, input[0], channels).layer())];
    for (dense, transition, count) in STAGES {
        let blocks = (0..count).map(|i| bottleneck(channels + i * growth, growth));
        layers.push((dense, numbered(blocks)));
        channels += count * growth;
        if !transition.is_empty() {
            // Compression 1/2, rounded down.
            layers.push((transition, halving(channels, channels / 2)));
            channels /= 2;
        }
    }
    layers.extend([("bn", batch_norm(channels)), ("", Layer::Relu)]);
    layers = pooled(layers);
    layers.push(("linear", Layer::Linear { inputs: channels, outputs: classes }));
    Network::new(name, input, classes, Layer::sequence(layers))
}

/// `growth` new channels in front of the input's own.
fn bottleneck(inputs: usize, growth: usize) -> Layer {
    let new = Layer::sequence([
        ("bn1", batch_norm(inputs)),
        ("", Layer::Relu),
        ("conv1", Conv::new(1, inputs, 4 * growth).layer()),
        ("bn2", batch_norm(4 * growth)),
        ("", Layer::Relu),
        ("conv2", Conv::new(3, 4 * growth, growth).layer()),
    ]);
    Layer::branches(Join::Concat, [("", new), ("", Layer::Identity)])
}

/// The transition between stages.
fn halving(inputs: usize, outputs: usize) -> Layer {
    Layer::sequence([
        ("bn", batch_norm(inputs)),
        ("", Layer::Relu),
        ("conv", Conv::new(1, inputs, outputs).layer()),
        ("", Layer::AvgPool { kernel: 2, stride: 2, padding: 0 }),
    ])
}
