//! MNIST: 28x28 handwritten digits from the four IDX files, as distributed or unpacked, whole or a subset.
//!
//! Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", 1998 (CC BY-SA 3.0).

use super::idx::{self, Axis};
use super::{Dataset, Images, Normalisation, Source, file, numbered};
use crate::error::{Error, Result};
use std::path::Path;

/// Mean and standard deviation of `pixel / 255` over the 60,000 training images, to four digits, as everyone
/// uses them; the test `data::original::mnist_normalisation_is_that_of_the_training_set` recomputes them from the files.
pub const MEAN_AND_STD: (f64, f64) = (0.1307, 0.3081);

/// Where else than in the folder itself the files may be: below a folder of data sets, or as torchvision leaves
/// them.
const SUBFOLDERS: [&str; 2] = ["mnist", "MNIST/raw"];
const CLASSES: usize = 10;
const SIDE: u32 = 28;
const IMAGES: [Axis; 3] = [
    Axis { name: "number of images", size: None },
    Axis { name: "rows", size: Some(SIDE) },
    Axis { name: "columns", size: Some(SIDE) },
];
const LABELS: [Axis; 1] = [Axis { name: "number of labels", size: None }];
/// Where the labels start in their file.
const LABELS_START: usize = 8;

/// Reads MNIST from `root`, `root/mnist` or `root/MNIST/raw`: the first of them that holds the training images.
///
/// Files are named `train-images-idx3-ubyte` or `train-images.idx3-ubyte`, with or without `.gz`, and so on; a file
/// may be plain or gzip whatever its name. Any number of images will do, as long as there are as many labels.
///
/// # Errors
/// [`Error::File`] naming the folder and the names tried if a file is missing; those of [`idx::read`]; counts of
/// images and labels that differ; a label above 9, with its byte.
pub fn load(root: &Path) -> Result<Dataset> {
    let first = file::find(root, &SUBFOLDERS, &names("train", "images-idx3"))?;
    let folder = first.parent().unwrap_or(root);
    Ok(Dataset {
        name: Source::Mnist.name(),
        train: read_split(folder, "train")?,
        test: read_split(folder, "t10k")?,
        classes: numbered(CLASSES),
        normalisation: Normalisation { scale: 255.0, mean: vec![MEAN_AND_STD.0], std: vec![MEAN_AND_STD.1] },
        augmentation: None,
    })
}

/// The names that a file goes by: `train-images-idx3-ubyte` and its variations.
fn names(split: &str, content: &str) -> [String; 4] {
    let dashed = format!("{split}-{content}-ubyte");
    let dotted = dashed.replace("-idx", ".idx");
    [dashed.clone(), format!("{dashed}.gz"), dotted.clone(), format!("{dotted}.gz")]
}

fn read_split(folder: &Path, split: &str) -> Result<Images> {
    let images_path = file::find(folder, &[], &names(split, "images-idx3"))?;
    let labels_path = file::find(folder, &[], &names(split, "labels-idx1"))?;
    let images = idx::read(&images_path, &IMAGES)?;
    let labels = idx::read(&labels_path, &LABELS)?.bytes;
    let count = images.shape[0];
    if labels.len() != count {
        let expected = format!("{count}, the number of images in {}", images_path.display());
        return Err(Error::file(labels_path, "byte 4, number of labels", expected, labels.len()));
    }
    if let Some(i) = labels.iter().position(|&label| usize::from(label) >= CLASSES) {
        let place = format!("byte {}, label {i}", LABELS_START + i);
        return Err(Error::file(labels_path, place, format!("0 to {}", CLASSES - 1), labels[i]));
    }
    let labels = labels.into_iter().map(u16::from).collect();
    Ok(Images { shape: [1, images.shape[1], images.shape[2]], pixels: images.bytes, labels })
}
