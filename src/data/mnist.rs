//! MNIST: 28x28 handwritten digits from the four IDX files, as distributed or unpacked, whole or a subset.
//!
//! Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", 1998 (CC BY-SA 3.0).

use super::idx::{self, Axis};
use super::{Dataset, Images, LoadOptions, Normalisation, Source, file, numbered};
use crate::error::{Error, Result};
use std::path::{Path, PathBuf};

/// Mean and standard deviation of `pixel / 255` over the 60,000 training images, to four digits, as everyone
/// uses them; the test `data::original::mnist_normalisation_is_that_of_the_training_set` recomputes them from the files.
pub const MEAN_AND_STD: (f64, f64) = (0.1307, 0.3081);

/// Where else than in the folder itself the files may be: below a folder of data sets, or as torchvision leaves
/// them.
const SUBFOLDERS: [&str; 2] = ["mnist", "MNIST/raw"];
/// How the name of the training images begins, whatever comes before it.
const TRAINING_IMAGES: &str = "train-images";
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
/// may be plain or gzip whatever its name, and lie in a folder of its own name. Any number of images will do, as long as
/// there are as many labels.
///
/// `root` may also be the file of training images itself, whose name then says those of the others: what comes before
/// `train-images` comes before each, as in `emnist-letters-train-images-idx3-ubyte.gz`; and `test` may stand for `t10k`.
/// Labels are below 10, or below [`LoadOptions::classes`].
///
/// # Errors
/// [`Error::File`] naming the folder and the names tried if a file is missing; those of [`idx::read`]; counts of
/// images and labels that differ; a label that is too large, with its byte.
pub fn load(root: &Path, options: LoadOptions) -> Result<Dataset> {
    Source::Mnist.check(&options)?;
    let classes = options.classes.unwrap_or(CLASSES);
    let Files { train, test } = files(root)?;
    Ok(Dataset {
        name: Source::Mnist.name(),
        train: read(&train, classes)?,
        test: read(&test, classes)?,
        classes: numbered(classes),
        normalisation: Normalisation { scale: 255.0, mean: vec![MEAN_AND_STD.0], std: vec![MEAN_AND_STD.1] },
        augmentation: None,
    })
}

/// Where the four files are: of each part, images and labels.
struct Files {
    train: [PathBuf; 2],
    test: [PathBuf; 2],
}

fn files(root: &Path) -> Result<Files> {
    let mut folder = root.to_path_buf();
    let mut before = String::new();
    let name = root.file_name().unwrap_or_default().to_string_lossy();
    if let (true, Some(at)) = (root.is_file(), name.find(TRAINING_IMAGES)) {
        folder.pop();
        before = name[..at].to_string();
    } else {
        let below = SUBFOLDERS.iter().map(|subfolder| root.join(subfolder));
        let folders = std::iter::once(root.to_path_buf()).chain(below);
        let first = names(&["train"], "images-idx3");
        folder = { folders }
            .find(|folder| file::find_file(folder, &first).is_some())
            .ok_or_else(|| file::missing(root, &SUBFOLDERS, &first, Source::Mnist.remedy()))?;
    }
    let find = |splits: &[&str], content| {
        let splits: Vec<String> = splits.iter().map(|split| format!("{before}{split}")).collect();
        let names = names(&splits, content);
        file::find_file(&folder, &names).ok_or_else(|| file::missing(&folder, &[], &names, Source::Mnist.remedy()))
    };
    // EMNIST has `test` where MNIST has `t10k`.
    let tested: &[&str] = if before.is_empty() { &["t10k"] } else { &["test", "t10k"] };
    let both = |splits| Ok([find(splits, "images-idx3")?, find(splits, "labels-idx1")?]);
    Ok(Files { train: both(&["train"])?, test: both(tested)? })
}

/// The names that a file goes by: `train-images-idx3-ubyte` and its variations.
fn names(splits: &[impl std::fmt::Display], content: &str) -> Vec<String> {
    let of_split = |split| {
        let dashed = format!("{split}-{content}-ubyte");
        let dotted = dashed.replace("-idx", ".idx");
        [dashed.clone(), format!("{dashed}.gz"), dotted.clone(), format!("{dotted}.gz")]
    };
    splits.iter().flat_map(of_split).collect()
}

fn read([images_path, labels_path]: &[PathBuf; 2], classes: usize) -> Result<Images> {
    let images = idx::read(images_path, &IMAGES)?;
    let labels = idx::read(labels_path, &LABELS)?.bytes;
    let count = images.shape[0];
    if labels.len() != count {
        let expected = format!("{count}, the number of images in {}", images_path.display());
        return Err(Error::file(labels_path, "byte 4, number of labels", expected, labels.len()));
    }
    if let Some(i) = labels.iter().position(|&label| usize::from(label) >= classes) {
        let place = format!("byte {}, label {i}", LABELS_START + i);
        let expected = format!("0 to {} (or --classes to have more, as EMNIST does)", classes - 1);
        return Err(Error::file(labels_path, place, expected, labels[i]));
    }
    let labels = labels.into_iter().map(u16::from).collect();
    Ok(Images { shape: [1, images.shape[1], images.shape[2]], pixels: images.bytes, labels })
}
