//! Residual networks: He et al., "Deep Residual Learning for Image Recognition", 2016.
//!
//! ResNet-18, 34 and 50 are the ImageNet networks with the first convolution made 3x3 at stride 1 and no max pooling,
//! the usual form for CIFAR's small images; ResNet-20 is the paper's own CIFAR network (section 4.2).

use super::blocks::{Conv, batch_norm, numbered, pooled, projection, residual};
use crate::nn::{Layer, Network};

/// What one stage repeats.
#[derive(Clone, Copy)]
enum Block {
    /// Two 3x3 convolutions.
    Basic,
    /// A 3x3 convolution between two 1x1, the last of which has four times the channels.
    Bottleneck,
    /// [`Block::Basic`] with a shortcut without parameters (option A): every second pixel, and zero channels.
    OptionA,
}

/// 11,173,962 parameters for 10 classes.
pub(super) fn build_18(input: [usize; 3], classes: usize) -> Network {
    build("resnet18", Block::Basic, &[64, 128, 256, 512], &[2, 2, 2, 2], input, classes)
}

/// 21,282,122 parameters for 10 classes.
pub(super) fn build_34(input: [usize; 3], classes: usize) -> Network {
    build("resnet34", Block::Basic, &[64, 128, 256, 512], &[3, 4, 6, 3], input, classes)
}

/// 23,520,842 parameters for 10 classes.
pub(super) fn build_50(input: [usize; 3], classes: usize) -> Network {
    build("resnet50", Block::Bottleneck, &[64, 128, 256, 512], &[3, 4, 6, 3], input, classes)
}

/// 269,722 parameters for 10 classes.
pub(super) fn build_20(input: [usize; 3], classes: usize) -> Network {
    build("resnet20", Block::OptionA, &[16, 32, 64], &[3, 3, 3], input, classes)
}

const STAGES: [&str; 4] = ["layer1", "layer2", "layer3", "layer4"];

fn build(
    name: &'static str,
    block: Block,
    widths: &[usize],
    repeats: &[usize],
    input: [usize; 3],
    classes: usize,
) -> Network {
    let mut layers =
        vec![("conv1", Conv::new(3, input[0], widths[0]).layer()), ("bn1", batch_norm(widths[0])), ("", Layer::Relu)];
    let mut channels = widths[0];
    for (stage, (&width, &count)) in widths.iter().zip(repeats).enumerate() {
        let blocks = (0..count).map(|i| {
            // Every stage but the first begins by halving the image.
            let stride = if stage > 0 && i == 0 { 2 } else { 1 };
            let inputs = std::mem::replace(&mut channels, block.outputs(width));
            block.layer(inputs, width, stride)
        });
        layers.push((STAGES[stage], numbered(blocks)));
    }
    layers = pooled(layers);
    layers.push(("linear", Layer::Linear { inputs: channels, outputs: classes }));
    Network::new(name, input, classes, Layer::sequence(layers))
}

impl Block {
    fn outputs(self, width: usize) -> usize {
        match self {
            Self::Bottleneck => 4 * width,
            _ => width,
        }
    }

    fn layer(self, inputs: usize, width: usize, stride: usize) -> Layer {
        let outputs = self.outputs(width);
        let body = match self {
            Self::Bottleneck => vec![
                ("conv1", Conv::new(1, inputs, width).layer()),
                ("bn1", batch_norm(width)),
                ("", Layer::Relu),
                ("conv2", Conv::new(3, width, width).stride(stride).layer()),
                ("bn2", batch_norm(width)),
                ("", Layer::Relu),
                ("conv3", Conv::new(1, width, outputs).layer()),
                ("bn3", batch_norm(outputs)),
            ],
            _ => vec![
                ("conv1", Conv::new(3, inputs, width).stride(stride).layer()),
                ("bn1", batch_norm(width)),
                ("", Layer::Relu),
                ("conv2", Conv::new(3, width, outputs).layer()),
                ("bn2", batch_norm(outputs)),
            ],
        };
        let shortcut = match self {
            _ if stride == 1 && inputs == outputs => Layer::Identity,
            Self::OptionA => Layer::ZeroPaddedShortcut { step: stride, channels: (outputs - inputs) / 2 },
            _ => projection(inputs, outputs, stride),
        };
        Layer::sequence([("", residual(Layer::sequence(body), shortcut)), ("", Layer::Relu)])
    }
}
