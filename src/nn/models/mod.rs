//! The registered networks, one short file per family.

mod blocks;
mod densenet;
mod efficientnet;
mod inception;
mod lenet;
mod lenet300;
mod mobilenet;
mod resnet;
mod shufflenet;
mod vgg;

use super::Network;
use crate::choice::near;
use crate::error::{Error, Result};

/// One line of [`MODELS`].
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub name: &'static str,
    /// The images it is listed for, `[channels, height, width]`.
    pub input: [usize; 3],
    pub classes: usize,
    /// Where the architecture comes from, and what the paper uses it on.
    pub source: &'static str,
    /// C of the paper's runs (section 4): 2 for VGG19BN, ResNet34 and ResNet50, else 1.
    pub chunks: usize,
    /// The network for another input shape and number of classes.
    build: fn([usize; 3], usize) -> Network,
}

const CIFAR: [usize; 3] = [3, 32, 32];

/// Every network, by name.
pub const MODELS: &[Entry] = &[
    Entry {
        name: "lenet300",
        input: [1, 28, 28],
        classes: 10,
        source: "LeNet-300-100: LeCun et al. 1998, as in Frankle & Carbin 2018; the paper: MNIST",
        chunks: 1,
        build: lenet300::build,
    },
    Entry {
        name: "lenet",
        input: CIFAR,
        classes: 10,
        source: "LeNet-5 with ReLU and max pooling: LeCun et al. 1998, CIFAR form; the paper: CIFAR-10",
        chunks: 1,
        build: lenet::build,
    },
    Entry {
        name: "vgg16",
        input: CIFAR,
        classes: 10,
        source: "VGG configuration D with batch norm: Simonyan & Zisserman 2015, CIFAR form; the paper: CIFAR-10",
        chunks: 1,
        build: vgg::build_16,
    },
    Entry {
        name: "vgg19bn",
        input: CIFAR,
        classes: 10,
        source: "VGG configuration E with batch norm: Simonyan & Zisserman 2015, CIFAR form; the paper: CIFAR-10",
        chunks: 2,
        build: vgg::build_19,
    },
    Entry {
        name: "inceptionv3",
        input: CIFAR,
        classes: 10,
        source: "Inception v3 without auxiliary classifier: Szegedy et al. 2016, CIFAR stem; the paper: CIFAR-10",
        chunks: 1,
        build: inception::build,
    },
    Entry {
        name: "resnet18",
        input: CIFAR,
        classes: 10,
        source: "ResNet-18: He et al. 2016, CIFAR form; the paper: CIFAR-10",
        chunks: 1,
        build: resnet::build_18,
    },
    Entry {
        name: "resnet34",
        input: CIFAR,
        classes: 10,
        source: "ResNet-34: He et al. 2016, CIFAR form; the paper: CIFAR-10",
        chunks: 2,
        build: resnet::build_34,
    },
    Entry {
        name: "resnet50",
        input: CIFAR,
        classes: 10,
        source: "ResNet-50: He et al. 2016, CIFAR form; the paper: Tiny ImageNet",
        chunks: 2,
        build: resnet::build_50,
    },
    Entry {
        name: "resnet20",
        input: CIFAR,
        classes: 10,
        source: "ResNet-20, option A shortcuts: He et al. 2016, section 4.2; the paper: CIFAR-10",
        chunks: 1,
        build: resnet::build_20,
    },
    Entry {
        name: "shufflenetv2",
        input: CIFAR,
        classes: 10,
        source: "ShuffleNetV2 x1: Ma et al. 2018, CIFAR form; the paper: CIFAR-10",
        chunks: 1,
        build: shufflenet::build,
    },
    Entry {
        name: "efficientnetb0",
        input: CIFAR,
        classes: 10,
        source: "EfficientNet-B0: Tan & Le 2019, CIFAR form; the paper: CIFAR-10",
        chunks: 1,
        build: efficientnet::build,
    },
    Entry {
        name: "mobilenetv2",
        input: CIFAR,
        classes: 10,
        source: "MobileNetV2: Sandler et al. 2018, CIFAR form; the paper: CIFAR-10",
        chunks: 1,
        build: mobilenet::build,
    },
    Entry {
        name: "densenetc",
        input: CIFAR,
        classes: 10,
        source: "DenseNet-BC with growth 12: Huang et al. 2017, CIFAR form; the paper: CIFAR-10",
        chunks: 1,
        build: densenet::build_c,
    },
    Entry {
        name: "densenet121",
        input: CIFAR,
        classes: 10,
        source: "DenseNet-121 (growth 32): Huang et al. 2017, CIFAR form; the paper: section 3.1",
        chunks: 1,
        build: densenet::build_121,
    },
];

/// The most numbers of an image, so that no extent of a layer overflows, as many as 2048 x 2048 grey pixels.
const LARGEST_IMAGE: usize = 1 << 22;
/// The most classes: more than any collection of labelled images has.
const MOST_CLASSES: usize = 1 << 16;

/// The options that give an image's shape.
const IMAGE: &str = "image (--input, --image-size)";

impl Entry {
    /// The network for images of shape `input` `[channels, height, width]` and this many classes.
    ///
    /// # Errors
    /// [`Error::Domain`] for images or classes out of any range, and for images that the architecture cannot take.
    pub fn network(&self, input: [usize; 3], classes: usize) -> Result<Network> {
        let numbers = input.iter().try_fold(1_usize, |product, &extent| product.checked_mul(extent));
        if !numbers.is_some_and(|numbers| (1..=LARGEST_IMAGE).contains(&numbers)) {
            let expected = format!("[channels, height, width] of 1 to {LARGEST_IMAGE} numbers");
            return Err(Error::domain(IMAGE, expected, format!("{input:?}")));
        }
        if !(1..=MOST_CLASSES).contains(&classes) {
            return Err(Error::domain("--classes", format!("1 to {MOST_CLASSES}"), classes));
        }
        let network = (self.build)(input, classes);
        // Two samples, so that batch norm has something to average even where one pixel is left.
        network.summary::<f32>(2).map_err(|error| {
            Error::domain(IMAGE, format!("one that {} can take", self.name), format!("{input:?} ({error})"))
        })?;
        Ok(network)
    }
}

/// The entry of this name.
///
/// # Errors
/// [`Error::Domain`] naming the known models.
pub fn find(name: &str) -> Result<&'static Entry> {
    MODELS.iter().find(|entry| entry.name == name).ok_or_else(|| {
        let known: Vec<&str> = MODELS.iter().map(|entry| entry.name).collect();
        let near = near(name, &known).map_or_else(String::new, |near| format!("; is it {near}?"));
        Error::domain("--model", known.join(" | "), format!("`{name}`{near}"))
    })
}
