//! He et al.'s residual networks for CIFAR: three stages of n blocks with 16, 32 and 64 channels, 6n + 2 layers.

use crate::kernel::Window;
use crate::nn::layer::he_uniform;
use crate::nn::{Layer, Network};

/// ResNet-20 (n = 3): 269,722 trained parameters on CIFAR-10.
pub(super) fn build_20(input: [usize; 3], classes: usize) -> Network {
    build("resnet20", 3, input, classes)
}

fn build(name: &'static str, n: usize, input: [usize; 3], classes: usize) -> Network {
    let layer = Layer::sequence([
        ("conv1", conv3x3(input[0], 16, 1)),
        ("bn1", Layer::BatchNorm { channels: 16 }),
        ("", Layer::Relu),
        ("layer1", stage(n, 16, 16)),
        ("layer2", stage(n, 16, 32)),
        ("layer3", stage(n, 32, 64)),
        ("", Layer::GlobalAveragePool),
        ("linear", Layer::Linear { inputs: 64, outputs: classes }),
    ]);
    Network { name, input, classes, layer, unused: &[] }
}

/// `n` blocks; the first halves the image where it widens the channels.
fn stage(n: usize, inputs: usize, outputs: usize) -> Layer {
    let first = block(inputs, outputs, if inputs == outputs { 1 } else { 2 });
    let rest = std::iter::repeat_with(|| block(outputs, outputs, 1)).take(n - 1);
    Layer::sequence(std::iter::once(first).chain(rest).enumerate().map(|(i, block)| (i.to_string(), block)))
}

/// Two 3x3 convolutions with batch norm, and a shortcut without parameters (option A of He et al.).
fn block(inputs: usize, outputs: usize, stride: usize) -> Layer {
    let body = Layer::sequence([
        ("conv1", conv3x3(inputs, outputs, stride)),
        ("bn1", Layer::BatchNorm { channels: outputs }),
        ("", Layer::Relu),
        ("conv2", conv3x3(outputs, outputs, 1)),
        ("bn2", Layer::BatchNorm { channels: outputs }),
    ]);
    let shortcut = if stride == 1 && inputs == outputs {
        Layer::Identity
    } else {
        Layer::ZeroPaddedShortcut { step: stride, channels: (outputs - inputs) / 2 }
    };
    Layer::Residual { body: Box::new(body), shortcut: Box::new(shortcut) }
}

fn conv3x3(inputs: usize, outputs: usize, stride: usize) -> Layer {
    let window = Window { stride: [stride; 2], padding: [1; 2], dilation: [1; 2], groups: 1 };
    Layer::Conv2d { inputs, outputs, kernel: [3; 2], window, bias: false, init: he_uniform(inputs * 9) }
}
