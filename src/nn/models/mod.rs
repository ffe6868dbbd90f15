//! The registered networks, one short file per family.

mod lenet;
mod lenet300;
mod resnet_cifar;

use super::Network;
use crate::error::{Error, Result};

/// One line of [`MODELS`].
pub struct Entry {
    pub name: &'static str,
    /// The input the paper uses it on, `[channels, height, width]`.
    pub input: [usize; 3],
    pub classes: usize,
    /// Where the architecture comes from.
    pub source: &'static str,
    /// The network for another input shape and number of classes.
    build: fn([usize; 3], usize) -> Network,
}

/// Every network, by name.
pub const MODELS: &[Entry] = &[
    Entry {
        name: "lenet300",
        input: [1, 28, 28],
        classes: 10,
        source: "LeNet-300-100: LeCun et al. 1998, as in Frankle & Carbin 2018",
        build: lenet300::build,
    },
    Entry {
        name: "lenet",
        input: [3, 32, 32],
        classes: 10,
        source: "LeNet-5 with ReLU and max pooling: LeCun et al. 1998, CIFAR form",
        build: lenet::build,
    },
    Entry {
        name: "resnet20",
        input: [3, 32, 32],
        classes: 10,
        source: "ResNet-20 for CIFAR, option A shortcuts: He et al. 2016, section 4.2",
        build: resnet_cifar::build_20,
    },
];

impl Entry {
    /// The network for images of shape `input` and this many classes.
    ///
    /// # Errors
    /// [`Error::Shape`] if the architecture cannot take such images.
    pub fn network(&self, input: [usize; 3], classes: usize) -> Result<Network> {
        let network = (self.build)(input, classes);
        network.summary()?;
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
        Error::domain("--model", known.join(" | "), format!("`{name}`"))
    })
}
