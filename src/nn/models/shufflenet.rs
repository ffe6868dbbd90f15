//! ShuffleNetV2 x1: Ma et al., "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design", 2018, in the
//! usual form for CIFAR: the first convolution at stride 1 and no max pooling.

use super::blocks::{Conv, batch_norm, numbered, pooled};
use crate::nn::{Feed, Join, Layer, Network};

/// Name, output channels, and blocks that keep the image's size (table 5 there).
const STAGES: [(&str, usize, usize); 3] = [("layer1", 116, 3), ("layer2", 232, 7), ("layer3", 464, 3)];

const STEM: usize = 24;
const HEAD: usize = 1024;

/// 1,263,854 parameters for 10 classes.
pub(super) fn build(input: [usize; 3], classes: usize) -> Network {
    let mut layers =
        vec![("conv1", Conv::new(3, input[0], STEM).layer()), ("bn1", batch_norm(STEM)), ("", Layer::Relu)];
    let mut channels = STEM;
    for (name, outputs, count) in STAGES {
        let rest = std::iter::repeat_with(|| unit(outputs)).take(count);
        layers.push((name, numbered(std::iter::once(downsampling_unit(channels, outputs)).chain(rest))));
        channels = outputs;
    }
    layers.extend([("conv2", Conv::new(1, channels, HEAD).layer()), ("bn2", batch_norm(HEAD)), ("", Layer::Relu)]);
    layers = pooled(layers);
    layers.push(("linear", Layer::Linear { inputs: HEAD, outputs: classes }));
    Network::new("shufflenetv2", input, classes, Layer::sequence(layers))
}

/// Half of the channels pass, the others are filtered (figure 3c there).
fn unit(channels: usize) -> Layer {
    let half = channels / 2;
    let filtered = Layer::sequence([
        ("conv1", Conv::new(1, half, half).layer()),
        ("bn1", batch_norm(half)),
        ("", Layer::Relu),
        ("conv2", Conv::depthwise(3, half).layer()),
        ("bn2", batch_norm(half)),
        ("conv3", Conv::new(1, half, half).layer()),
        ("bn3", batch_norm(half)),
        ("", Layer::Relu),
    ]);
    let branches = [Layer::Identity, filtered].map(|layer| (String::new(), layer)).into();
    let feed = Feed::Split(vec![half, channels - half]);
    shuffled(Layer::Branches { feed, branches, join: Join::Concat })
}

/// Both halves of the output see the whole input and halve the image (figure 3d there).
fn downsampling_unit(inputs: usize, outputs: usize) -> Layer {
    let half = outputs / 2;
    let left = Layer::sequence([
        ("conv1", Conv::depthwise(3, inputs).stride(2).layer()),
        ("bn1", batch_norm(inputs)),
        ("conv2", Conv::new(1, inputs, half).layer()),
        ("bn2", batch_norm(half)),
        ("", Layer::Relu),
    ]);
    let right = Layer::sequence([
        ("conv3", Conv::new(1, inputs, half).layer()),
        ("bn3", batch_norm(half)),
        ("", Layer::Relu),
        ("conv4", Conv::depthwise(3, half).stride(2).layer()),
        ("bn4", batch_norm(half)),
        ("conv5", Conv::new(1, half, half).layer()),
        ("bn5", batch_norm(half)),
        ("", Layer::Relu),
    ]);
    shuffled(Layer::branches(Join::Concat, [("", left), ("", right)]))
}

fn shuffled(layer: Layer) -> Layer {
    Layer::sequence([("", layer), ("", Layer::ChannelShuffle { groups: 2 })])
}
