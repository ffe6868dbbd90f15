//! CIFAR-10: 32x32 colour images from the six files of the official binary version, unpacked or in their archive.
//!
//! A file is a sequence of records of 3,073 bytes: the label, then 1,024 red, 1,024 green and 1,024 blue pixels,
//! row by row. A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009.

#[cfg(feature = "cli")]
pub mod archive;

#[cfg(not(feature = "cli"))]
use super::undecoded::archive;
use super::{Augmentation, Dataset, Images, Normalisation, Source, file};
use crate::error::{Error, Result};
use crate::input::{self, Kind};
use std::path::{Path, PathBuf};

/// Means of `pixel / 255` over the 50,000 training images per channel (red, green, blue), to four digits, as
/// everyone uses them.
pub const MEAN: [f64; 3] = [0.4914, 0.4822, 0.4465];
/// Their standard deviations. (Some recipes have 0.2023, 0.1994, 0.2010: the mean over images of each image's own
/// deviation.)
pub const STD: [f64; 3] = [0.2470, 0.2435, 0.2616];

/// `[c,h,w]` of an image.
pub const SHAPE: [usize; 3] = [3, 32, 32];
/// The official files: five for training, in this order, and the test set.
const FILES: [&str; 6] = [
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
    "test_batch.bin",
];
/// The folder that the official archive unpacks to.
const FOLDER: &str = "cifar-10-batches-bin";
/// The official archive.
const ARCHIVE: &str = "cifar-10-binary.tar.gz";
/// By which the version for Python is known: its archive, the folder that this unpacks to, and a file in it.
const PYTHON: [&str; 3] = ["cifar-10-python.tar.gz", "cifar-10-batches-py", "data_batch_1"];
/// As the archive's `batches.meta.txt` calls them.
const CLASSES: [&str; 10] = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
const PIXELS: usize = SHAPE[0] * SHAPE[1] * SHAPE[2];
const RECORD: usize = 1 + PIXELS;

/// One of the six files, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// For messages; a member of an archive is named as if the archive were a folder.
    pub path: PathBuf,
    pub images: Images,
}

/// Reads CIFAR-10 from the six files in `root` or `root/cifar-10-batches-bin` (the first of them that holds
/// `data_batch_1.bin`), else from the official archive `root/cifar-10-binary.tar.gz` as it is ([`archive::read`]).
/// `root` may also be that archive itself, by any name.
///
/// All six files must be there. Each may hold any number of records, but the five training files the same: they
/// do in the original (10,000) and in any even subset, and a file cut between two records shows that way.
///
/// The data set comes with its usual augmentation (padding 4); set the field to `None` to do without.
///
/// # Errors
/// [`Error::File`] naming the folder and a missing file; those of [`input::read`], [`archive::read`] and [`parse`];
/// training files of different length.
pub fn load(root: &Path) -> Result<Dataset> {
    let packed = if root.is_file() { root.to_path_buf() } else { root.join(ARCHIVE) };
    let batches = match file::find(root, &[FOLDER], &[FILES[0].to_string()]) {
        Ok(first) => read_folder(first.parent().unwrap_or(root))?,
        Err(_) if packed.is_file() && !PYTHON.iter().any(|name| packed.ends_with(name)) => archive::read(&packed)?,
        Err(_) => return Err(missing(root)),
    };
    let (train, test) = join(batches)?;
    Ok(Dataset {
        name: Source::Cifar10.name(),
        train,
        test,
        classes: CLASSES.map(str::to_string).to_vec(),
        normalisation: Normalisation { scale: 255.0, mean: MEAN.to_vec(), std: STD.to_vec() },
        augmentation: Some(Augmentation { padding: 4 }),
    })
}

/// The error of a folder without the files; where the version for Python is there instead, it is named.
fn missing(root: &Path) -> Error {
    let remedy = Source::Cifar10.remedy();
    if let Some(python) = PYTHON.into_iter().find(|name| root.ends_with(name) || root.join(name).exists()) {
        let expected = format!("the binary version, {} or {ARCHIVE}{remedy}", FILES[0]);
        return Error::file(root, "data set", expected, format!("the version for Python ({python})"));
    }
    file::missing(root, &[FOLDER], &[FILES[0].to_string(), ARCHIVE.to_string()], remedy)
}

fn read_folder(folder: &Path) -> Result<[Batch; 6]> {
    let read = |name: &str| {
        let path = file::find(folder, &[], &[name.to_string()])?;
        let images = parse(&path, &input::read(&path, Kind::Records)?)?;
        Ok(Batch { path, images })
    };
    let [one, two, three, four, five, test] = FILES.map(read);
    Ok([one?, two?, three?, four?, five?, test?])
}

/// (train, test) of the files in their order.
fn join([mut train, two, three, four, five, test]: [Batch; 6]) -> Result<(Images, Images)> {
    let records = train.images.len();
    for Batch { path, images } in [two, three, four, five] {
        if images.len() != records {
            let expected = format!("{records} records, as many as in {}", FILES[0]);
            return Err(Error::file(path, "number of records", expected, images.len()));
        }
        train.images.pixels.extend(images.pixels);
        train.images.labels.extend(images.labels);
    }
    Ok((train.images, test.images))
}

/// The images of one binary file. `path` is for messages only.
///
/// # Errors
/// [`Error::File`] with the record (from 0) and the byte: a label above 9, a last record that is cut short, or no
/// record at all.
pub fn parse(path: &Path, content: &[u8]) -> Result<Images> {
    let (records, rest) = content.as_chunks::<RECORD>();
    if !rest.is_empty() || records.is_empty() {
        let place = format!("record {} at byte {}", records.len(), RECORD * records.len());
        return Err(Error::file(path, place, format!("{RECORD} bytes"), rest.len()));
    }
    let mut images = Images {
        shape: SHAPE,
        pixels: Vec::with_capacity(PIXELS * records.len()),
        labels: Vec::with_capacity(records.len()),
    };
    for (i, [label, pixels @ ..]) in records.iter().enumerate() {
        if usize::from(*label) >= CLASSES.len() {
            let place = format!("record {i} at byte {}, label", RECORD * i);
            return Err(Error::file(path, place, format!("0 to {}", CLASSES.len() - 1), label));
        }
        images.labels.push(u16::from(*label));
        images.pixels.extend_from_slice(pixels);
    }
    Ok(images)
}
