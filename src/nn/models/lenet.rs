//! LeNet-5 in the form used on CIFAR-10: 5x5 convolutions without padding, ReLU, 2x2 max pooling.

use crate::kernel::Window;
use crate::nn::layer::pytorch_default;
use crate::nn::{Layer, Network};

/// `conv1 (6), relu, pool, conv2 (16), relu, pool, fc1 (120), relu, fc2 (84), relu, fc3`; 62,006 parameters on CIFAR-10.
pub(super) fn build(input: [usize; 3], classes: usize) -> Network {
    // Two rounds of "5x5 window, then halve" leave this many pixels of a side.
    let side = |pixels: usize| (pixels.saturating_sub(4) / 2).saturating_sub(4) / 2;
    let features = 16 * side(input[1]) * side(input[2]);
    let pool = || Layer::MaxPool { kernel: 2, stride: 2 };
    let layer = Layer::sequence([
        ("conv1", conv5x5(input[0], 6)),
        ("", Layer::Relu),
        ("", pool()),
        ("conv2", conv5x5(6, 16)),
        ("", Layer::Relu),
        ("", pool()),
        ("", Layer::Flatten),
        ("fc1", Layer::Linear { inputs: features, outputs: 120 }),
        ("", Layer::Relu),
        ("fc2", Layer::Linear { inputs: 120, outputs: 84 }),
        ("", Layer::Relu),
        ("fc3", Layer::Linear { inputs: 84, outputs: classes }),
    ]);
    Network::new("lenet", input, classes, layer)
}

fn conv5x5(inputs: usize, outputs: usize) -> Layer {
    let window = Window { stride: [1; 2], padding: [0; 2], dilation: [1; 2], groups: 1 };
    Layer::Conv2d { inputs, outputs, kernel: [5; 2], window, bias: true, init: pytorch_default(inputs * 25) }
}
