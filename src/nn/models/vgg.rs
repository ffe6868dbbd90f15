//! VGG: Simonyan & Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2015, configurations D
//! and E, with batch norm after every convolution and one linear layer in place of three: the usual form for CIFAR.

use super::blocks::{Conv, batch_norm, numbered, pooled};
use crate::nn::{Layer, Network};

/// The width of each stage; max pooling follows every stage.
const WIDTHS: [usize; 5] = [64, 128, 256, 512, 512];

/// 14,728,266 parameters for 10 classes.
pub(super) fn build_16(input: [usize; 3], classes: usize) -> Network {
    build("vgg16", [2, 2, 3, 3, 3], input, classes)
}

/// 20,040,522 parameters for 10 classes.
pub(super) fn build_19(input: [usize; 3], classes: usize) -> Network {
    build("vgg19bn", [2, 2, 4, 4, 4], input, classes)
}

fn build(name: &'static str, repeats: [usize; 5], input: [usize; 3], classes: usize) -> Network {
    let mut features = Vec::new();
    let mut channels = input[0];
    for (width, count) in WIDTHS.into_iter().zip(repeats) {
        for _ in 0..count {
            features.extend([Conv::new(3, channels, width).with_bias(true), batch_norm(width), Layer::Relu]);
            channels = width;
        }
        features.push(Layer::MaxPool { kernel: 2, stride: 2 });
    }
    let mut layers = pooled(vec![("features", numbered(features))]);
    layers.push(("classifier", Layer::Linear { inputs: channels, outputs: classes }));
    Network::new(name, input, classes, Layer::sequence(layers))
}
