//! LeNet-300-100: three linear layers.

use crate::nn::{Layer, Network};

/// `flatten, fc1 (300), relu, fc2 (100), relu, fc3 (classes)`; 266,610 parameters on MNIST.
pub(super) fn build(input: [usize; 3], classes: usize) -> Network {
    let pixels = input.iter().product();
    let layer = Layer::sequence([
        ("", Layer::Flatten),
        ("fc1", Layer::Linear { inputs: pixels, outputs: 300 }),
        ("", Layer::Relu),
        ("fc2", Layer::Linear { inputs: 300, outputs: 100 }),
        ("", Layer::Relu),
        ("fc3", Layer::Linear { inputs: 100, outputs: classes }),
    ]);
    Network::new("lenet300", input, classes, layer)
}
