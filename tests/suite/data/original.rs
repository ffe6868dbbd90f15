//! The original files: `GDSTAR_DATA` names a folder that has them (`mnist/`, `cifar-10-batches-bin/`), and CIFAR-10 as a
//! folder of JPEGs (`cifar10-jpeg.tar.xz`, which holds `train/CLASS/` and `test/CLASS/`). A plain run leaves these tests
//! out and says so; README.md has how to ask for them.

use super::bounds::{FOUR_DECIMALS, GREY_LEVEL};
use super::statistics::{assert_normalisation, histogram, sum};
use gdstar::data::{Dataset, Images, Source, cifar10, load};
use mnist::{Mnist, MnistBuilder};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The data folder, which must have `part`: without it a test that was asked for has not passed.
pub fn folder_with(part: &str) -> PathBuf {
    let root = std::env::var_os("GDSTAR_DATA").map(PathBuf::from);
    root.filter(|root| root.join(part).exists()).unwrap_or_else(|| panic!("GDSTAR_DATA names no folder with {part}"))
}

fn mnist() -> Dataset {
    load(Source::Mnist, Some(&folder_with("mnist"))).unwrap()
}

/// Counts and sums of the whole of MNIST, computed with numpy from the same files.
#[test]
#[ignore = "needs MNIST under GDSTAR_DATA"]
fn mnist_has_its_known_counts_and_sums() {
    let data = mnist();
    assert_eq!(histogram(&data.train), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    assert_eq!(histogram(&data.test), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    assert_eq!((sum(&data.train), sum(&data.test)), (1_567_298_545, 264_923_200));
    assert_eq!((&data.train.labels[..8], &data.test.labels[..4]), (&[5, 0, 4, 1, 9, 2, 1, 3][..], &[7, 2, 1, 0][..]));
}

#[test]
#[ignore = "needs MNIST under GDSTAR_DATA"]
fn mnist_normalisation_is_that_of_the_training_set() {
    let data = mnist();
    assert_normalisation(&data, FOUR_DECIMALS);
}

/// A second opinion on our IDX reader: the `mnist` crate reads the same bytes. It reads plain files only, so the
/// gzip ones are unpacked first, and it panics on anything unexpected, so the panic is caught and shown.
#[test]
#[ignore = "needs MNIST under GDSTAR_DATA"]
fn the_mnist_crate_reads_the_same() {
    let data = mnist();
    let packed = folder_with("mnist").join("mnist");
    let plain = tempfile::TempDir::new().unwrap();
    for name in
        ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]
    {
        unpack(&packed, name, plain.path());
    }
    let path = plain.path().to_str().unwrap().to_owned();
    let theirs = std::panic::catch_unwind(|| {
        MnistBuilder::new().base_path(&path).training_set_length(60_000).test_set_length(10_000).finalize()
    });
    let Mnist { trn_img, trn_lbl, tst_img, tst_lbl, .. } = theirs.expect("the mnist crate refuses the files");
    let images = |pixels, labels: Vec<u8>| Images {
        shape: [1, 28, 28],
        pixels,
        labels: labels.into_iter().map(u16::from).collect(),
    };
    // Not assert_eq!: it would print 55 MB.
    assert!(data.train == images(trn_img, trn_lbl), "training set");
    assert!(data.test == images(tst_img, tst_lbl), "test set");
}

/// Writes `from/name` or the content of `from/name.gz` to `to/name`.
fn unpack(from: &Path, name: &str, to: &Path) {
    let content = std::fs::read(from.join(name)).unwrap_or_else(|_| {
        let mut content = Vec::new();
        let packed = std::fs::File::open(from.join(format!("{name}.gz"))).unwrap();
        flate2::read::MultiGzDecoder::new(packed).read_to_end(&mut content).unwrap();
        content
    });
    super::fixtures::write(to, name, &content);
}

#[test]
#[ignore = "needs the CIFAR-10 batches under GDSTAR_DATA"]
fn the_cifar10_batches_have_their_known_counts_and_normalisation() {
    let root = folder_with("cifar-10-batches-bin");
    let data = load(Source::Cifar10, Some(&root)).unwrap();
    assert_eq!(histogram(&data.train), [5000; 10]);
    assert_eq!(histogram(&data.test), [1000; 10]);
    assert_normalisation(&data, GREY_LEVEL);
}

/// A real image folder, unpacked by the system's `tar`: this crate reads no xz.
#[test]
#[ignore = "needs CIFAR-10 as JPEGs under GDSTAR_DATA"]
fn the_cifar10_jpegs_have_their_known_counts_and_statistics() {
    let root = folder_with("cifar10-jpeg.tar.xz");
    let folder = tempfile::TempDir::new().unwrap();
    let mut tar = std::process::Command::new("tar");
    let unpacked = tar.arg("-xf").arg(root.join("cifar10-jpeg.tar.xz")).arg("-C").arg(folder.path()).status();
    assert!(unpacked.is_ok_and(|status| status.success()), "no `tar` here that unpacks xz");
    let data = load(Source::ImageFolder, Some(folder.path())).unwrap();
    assert_eq!((data.classes.len(), data.train.shape, data.test.shape), (10, cifar10::SHAPE, cifar10::SHAPE));
    assert_eq!((histogram(&data.train), histogram(&data.test)), ([5000; 10], [1000; 10]));
    for channel in 0..3 {
        let off_mean = (data.normalisation.mean[channel] - cifar10::MEAN[channel]).abs();
        let off_std = (data.normalisation.std[channel] - cifar10::STD[channel]).abs();
        assert!(off_mean <= GREY_LEVEL && off_std <= GREY_LEVEL, "channel {channel}: {:?}", data.normalisation);
    }
}
