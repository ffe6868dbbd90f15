//! Inception v3: Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", 2016, in torchvision's layout,
//! without the auxiliary classifier; files that hold it load all the same ([`Network::unused`]).
//!
//! The published stem reduces 299x299 images to 35x35 before the first inception block, and needs 75x75 at the least. For
//! smaller images (CIFAR's, Tiny ImageNet's) its convolutions keep the image's size (stride 1, padding 1) and its two max
//! poolings are left out, as in adaptations to CIFAR: same parameters, and the first block sees the image at full size.

use super::blocks::pooled;
use crate::kernel::Window;
use crate::nn::layer::he_uniform;
use crate::nn::{Join, Layer, Network};

/// The smallest image for the published stem.
const SMALLEST: usize = 75;
const BATCH_NORM_EPS: f64 = 1e-3;
/// Dropout before the classifier.
const DROP: f64 = 0.5;

/// 21,806,058 parameters for 10 classes.
pub(super) fn build(input: [usize; 3], classes: usize) -> Network {
    let mut layers = stem(input);
    layers.extend([
        ("Mixed_5b", block_a(192, 32)),
        ("Mixed_5c", block_a(256, 64)),
        ("Mixed_5d", block_a(288, 64)),
        ("Mixed_6a", block_b(288)),
        ("Mixed_6b", block_c(128)),
        ("Mixed_6c", block_c(160)),
        ("Mixed_6d", block_c(160)),
        ("Mixed_6e", block_c(192)),
        ("Mixed_7a", block_d(768)),
        ("Mixed_7b", block_e(1280)),
        ("Mixed_7c", block_e(2048)),
    ]);
    layers = pooled(layers);
    layers.extend([("", Layer::Dropout { p: DROP }), ("fc", Layer::Linear { inputs: 2048, outputs: classes })]);
    Network { unused: &["AuxLogits."], ..Network::new("inceptionv3", input, classes, Layer::sequence(layers)) }
}

fn stem(input: [usize; 3]) -> Vec<(&'static str, Layer)> {
    let published = input[1].min(input[2]) >= SMALLEST;
    let (stride, padding) = if published { (2, 0) } else { (1, 1) };
    let pool = || if published { Layer::MaxPool { kernel: 3, stride: 2 } } else { Layer::Identity };
    vec![
        ("Conv2d_1a_3x3", Conv { stride, padding: [padding; 2], ..square(3, input[0], 32) }.layer()),
        ("Conv2d_2a_3x3", Conv { padding: [padding; 2], ..square(3, 32, 32) }.layer()),
        ("Conv2d_2b_3x3", square(3, 32, 64).layer()),
        ("maxpool1", pool()),
        ("Conv2d_3b_1x1", square(1, 64, 80).layer()),
        ("Conv2d_4a_3x3", Conv { padding: [padding; 2], ..square(3, 80, 192) }.layer()),
        ("maxpool2", pool()),
    ]
}

/// A convolution without bias, batch norm, ReLU.
#[derive(Debug, Clone, Copy)]
struct Conv {
    inputs: usize,
    outputs: usize,
    kernel: [usize; 2],
    stride: usize,
    padding: [usize; 2],
}

/// A convolution that keeps the image's size.
fn rectangle(kernel: [usize; 2], inputs: usize, outputs: usize) -> Conv {
    Conv { inputs, outputs, kernel, stride: 1, padding: kernel.map(|taps| taps / 2) }
}

fn square(kernel: usize, inputs: usize, outputs: usize) -> Conv {
    rectangle([kernel; 2], inputs, outputs)
}

/// A 3x3 convolution that halves the image, without padding.
fn halving(inputs: usize, outputs: usize) -> Conv {
    Conv { stride: 2, padding: [0; 2], ..square(3, inputs, outputs) }
}

impl Conv {
    fn layer(self) -> Layer {
        let Self { inputs, outputs, kernel, stride, padding } = self;
        let window = Window { stride: [stride; 2], padding, ..Window::PLAIN };
        let init = he_uniform(inputs * kernel[0] * kernel[1]);
        Layer::sequence([
            ("conv", Layer::Conv2d { inputs, outputs, kernel, window, bias: false, init }),
            ("bn", Layer::BatchNorm { channels: outputs, eps: BATCH_NORM_EPS }),
            ("", Layer::Relu),
        ])
    }
}

/// Convolutions one after another.
fn chain<const N: usize>(convolutions: [(&str, Conv); N]) -> Layer {
    Layer::sequence(convolutions.map(|(name, conv)| (name, conv.layer())))
}

fn concat<const N: usize>(branches: [Layer; N]) -> Layer {
    Layer::branches(Join::Concat, branches.map(|branch| ("", branch)))
}

/// The mean over 3x3 windows, then a 1x1 convolution.
fn pool_branch(inputs: usize, outputs: usize) -> Layer {
    let pool = Layer::AvgPool { kernel: 3, stride: 1, padding: 1 };
    Layer::sequence([("", pool), ("branch_pool", square(1, inputs, outputs).layer())])
}

/// Figure 5 there.
fn block_a(inputs: usize, pool: usize) -> Layer {
    concat([
        chain([("branch1x1", square(1, inputs, 64))]),
        chain([("branch5x5_1", square(1, inputs, 48)), ("branch5x5_2", square(5, 48, 64))]),
        chain([
            ("branch3x3dbl_1", square(1, inputs, 64)),
            ("branch3x3dbl_2", square(3, 64, 96)),
            ("branch3x3dbl_3", square(3, 96, 96)),
        ]),
        pool_branch(inputs, pool),
    ])
}

/// Halves the image (figure 10 there).
fn block_b(inputs: usize) -> Layer {
    concat([
        chain([("branch3x3", halving(inputs, 384))]),
        chain([
            ("branch3x3dbl_1", square(1, inputs, 64)),
            ("branch3x3dbl_2", square(3, 64, 96)),
            ("branch3x3dbl_3", halving(96, 96)),
        ]),
        Layer::MaxPool { kernel: 3, stride: 2 },
    ])
}

/// 7x7 convolutions as 1x7 and 7x1, by way of `width` channels (figure 6 there).
fn block_c(width: usize) -> Layer {
    const CHANNELS: usize = 768;
    const OUTPUTS: usize = 192;
    concat([
        chain([("branch1x1", square(1, CHANNELS, OUTPUTS))]),
        chain([
            ("branch7x7_1", square(1, CHANNELS, width)),
            ("branch7x7_2", rectangle([1, 7], width, width)),
            ("branch7x7_3", rectangle([7, 1], width, OUTPUTS)),
        ]),
        chain([
            ("branch7x7dbl_1", square(1, CHANNELS, width)),
            ("branch7x7dbl_2", rectangle([7, 1], width, width)),
            ("branch7x7dbl_3", rectangle([1, 7], width, width)),
            ("branch7x7dbl_4", rectangle([7, 1], width, width)),
            ("branch7x7dbl_5", rectangle([1, 7], width, OUTPUTS)),
        ]),
        pool_branch(CHANNELS, OUTPUTS),
    ])
}

/// Halves the image again.
fn block_d(inputs: usize) -> Layer {
    concat([
        chain([("branch3x3_1", square(1, inputs, 192)), ("branch3x3_2", halving(192, 320))]),
        chain([
            ("branch7x7x3_1", square(1, inputs, 192)),
            ("branch7x7x3_2", rectangle([1, 7], 192, 192)),
            ("branch7x7x3_3", rectangle([7, 1], 192, 192)),
            ("branch7x7x3_4", halving(192, 192)),
        ]),
        Layer::MaxPool { kernel: 3, stride: 2 },
    ])
}

/// 1x3 and 3x1 convolutions side by side (figure 7 there).
fn block_e(inputs: usize) -> Layer {
    let fork = |names: [&'static str; 2]| {
        Layer::branches(
            Join::Concat,
            names.into_iter().zip([[1, 3], [3, 1]]).map(|(name, kernel)| (name, rectangle(kernel, 384, 384).layer())),
        )
    };
    let double = [("branch3x3dbl_1", square(1, inputs, 448)), ("branch3x3dbl_2", square(3, 448, 384))];
    concat([
        chain([("branch1x1", square(1, inputs, 320))]),
        Layer::sequence([
            ("branch3x3_1", square(1, inputs, 384).layer()),
            ("", fork(["branch3x3_2a", "branch3x3_2b"])),
        ]),
        Layer::sequence([("", chain(double)), ("", fork(["branch3x3dbl_3a", "branch3x3dbl_3b"]))]),
        pool_branch(inputs, 192),
    ])
}
