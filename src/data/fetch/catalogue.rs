//! What can be downloaded: addresses, sizes and SHA-256 of the official files.
//!
//! The sizes and sums are those that the publishers' own loaders and many public ones pin (TensorFlow Datasets,
//! MLDatasets.jl, GoMLX and others agree on each); a file with another sum is not the published one.

use super::{Archive, DataSet, RemoteFile};
use crate::choice::choice;

choice! {
    /// The data sets that can be downloaded, by name.
    Fetchable, "data set":
    /// MNIST, the four original IDX files.
    Mnist = "mnist",
    /// CIFAR-10, the binary version.
    Cifar10 = "cifar10",
    /// Tiny ImageNet, 200 classes of 64x64 images.
    TinyImageNet = "tiny-imagenet",
}

impl Fetchable {
    /// Its files, where they are, and how `gdstar train` uses them.
    #[must_use]
    pub fn data_set(self) -> DataSet {
        match self {
            Self::Mnist => mnist(),
            Self::Cifar10 => cifar10(),
            Self::TinyImageNet => tiny_imagenet(),
        }
    }
}

/// A file at `name` below each of these addresses.
fn file(name: &str, size: u64, sha256: &str, addresses: &[&str]) -> RemoteFile {
    RemoteFile {
        name: name.to_string(),
        size,
        sha256: sha256.to_string(),
        sources: addresses.iter().map(|base| format!("{base}{name}")).collect(),
    }
}

fn mnist() -> DataSet {
    let addresses = [
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
    ];
    let files = [
        ("train-images-idx3-ubyte.gz", 9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        ("train-labels-idx1-ubyte.gz", 28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        ("t10k-images-idx3-ubyte.gz", 1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        ("t10k-labels-idx1-ubyte.gz", 4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    ];
    DataSet {
        name: Fetchable::Mnist.name().to_string(),
        title: "MNIST, 70,000 handwritten digits of 28x28 (LeCun, Cortes, Burges 1998)".to_string(),
        licence: "CC BY-SA 3.0".to_string(),
        files: files.into_iter().map(|(name, size, sha256)| file(name, size, sha256, &addresses)).collect(),
        archive: None,
        usage: "--model lenet300 --data mnist".to_string(),
    }
}

fn cifar10() -> DataSet {
    let archive = file(
        "cifar-10-binary.tar.gz",
        170_052_171,
        "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        &["https://www.cs.toronto.edu/~kriz/", "https://cave.cs.toronto.edu/kriz/"],
    );
    DataSet {
        name: Fetchable::Cifar10.name().to_string(),
        title: "CIFAR-10, 60,000 colour images of 32x32 in 10 classes (Krizhevsky 2009)".to_string(),
        licence: "none stated; cite Krizhevsky, Learning multiple layers of features from tiny images, 2009"
            .to_string(),
        files: vec![archive],
        archive: None,
        usage: "--model resnet20 --data cifar10".to_string(),
    }
}

fn tiny_imagenet() -> DataSet {
    let zip = file(
        "tiny-imagenet-200.zip",
        248_100_043,
        "6198c8ae015e2b3e007c7841da39ec069199b9aa3bfa943a462022fe5e43c821",
        &["http://cs231n.stanford.edu/", "https://image-net.org/data/"],
    );
    DataSet {
        name: Fetchable::TinyImageNet.name().to_string(),
        title: "Tiny ImageNet, 110,000 labelled colour images of 64x64 in 200 classes (Stanford CS231n)".to_string(),
        licence: "ImageNet's terms of access: non-commercial research and education".to_string(),
        files: vec![zip],
        archive: Some(Archive {
            name: "tiny-imagenet-200.zip".to_string(),
            folder: "tiny-imagenet-200".to_string(),
            // 200 classes of 500 images and a list of boxes; 10,000 images and one list to validate; 10,000 images
            // without labels; wnids.txt and words.txt.
            files: 200 * (500 + 1) + 10_000 + 1 + 10_000 + 2,
        }),
        usage: "--model resnet50 --data image-folder".to_string(),
    }
}
