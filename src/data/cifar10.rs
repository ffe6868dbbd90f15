//! CIFAR-10: 32x32 colour images from the six files of the official binary version.
//!
//! A file is a sequence of records of 3,073 bytes: the label, then 1,024 red, 1,024 green and 1,024 blue pixels,
//! row by row. A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009.

use super::{Augmentation, Dataset, Images, Normalisation, Source, file};
use crate::error::{Error, Result};
use std::path::Path;

/// Means of `pixel / 255` over the 50,000 training images per channel (red, green, blue), to four digits, as
/// everyone uses them.
pub const MEAN: [f64; 3] = [0.4914, 0.4822, 0.4465];
/// Their standard deviations. (Some recipes have 0.2023, 0.1994, 0.2010: the mean over images of each image's own
/// deviation.)
pub const STD: [f64; 3] = [0.2470, 0.2435, 0.2616];

/// `[c,h,w]` of an image.
pub const SHAPE: [usize; 3] = [3, 32, 32];
/// The training files, read in this order.
const TRAIN: [&str; 5] =
    ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"];
const TEST: &str = "test_batch.bin";
/// Where else than in the folder itself the files may be: the folder that the official archive unpacks to.
const SUBFOLDERS: [&str; 1] = ["cifar-10-batches-bin"];
const CLASSES: usize = 10;
const PIXELS: usize = SHAPE[0] * SHAPE[1] * SHAPE[2];
const RECORD: usize = 1 + PIXELS;

/// Reads CIFAR-10 from `root` or `root/cifar-10-batches-bin`: the first of them that holds `data_batch_1.bin`.
///
/// All six files must be there. Each may hold any number of records, but the five training files the same: they
/// do in the original (10,000) and in any even subset, and a file cut between two records shows that way.
///
/// The data set comes with its usual augmentation (padding 4); set the field to `None` to do without.
///
/// # Errors
/// [`Error::File`] naming the folder and a missing file; those of [`file::read`] and of [`parse`]; training files
/// of different length.
pub fn load(root: &Path) -> Result<Dataset> {
    let first = file::find(root, &SUBFOLDERS, &[TRAIN[0].to_string()])?;
    let folder = first.parent().unwrap_or(root);
    Ok(Dataset {
        name: Source::Cifar10.name(),
        train: read_training(folder)?,
        test: read_batch(folder, TEST)?,
        classes: CLASSES,
        normalisation: Normalisation { scale: 255.0, mean: MEAN.to_vec(), std: STD.to_vec() },
        augmentation: Some(Augmentation { padding: 4 }),
    })
}

fn read_training(folder: &Path) -> Result<Images> {
    let mut train = read_batch(folder, TRAIN[0])?;
    let records = train.len();
    for name in &TRAIN[1..] {
        let batch = read_batch(folder, name)?;
        if batch.len() != records {
            let expected = format!("{records} records, as many as in {}", TRAIN[0]);
            return Err(Error::file(folder.join(name), "number of records", expected, batch.len()));
        }
        train.pixels.extend(batch.pixels);
        train.labels.extend(batch.labels);
    }
    Ok(train)
}

fn read_batch(folder: &Path, name: &str) -> Result<Images> {
    let path = file::find(folder, &[], &[name.to_string()])?;
    parse(&path, &file::read(&path)?)
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
        if usize::from(*label) >= CLASSES {
            let place = format!("record {i} at byte {}, label", RECORD * i);
            return Err(Error::file(path, place, format!("0 to {}", CLASSES - 1), label));
        }
        images.labels.push(*label);
        images.pixels.extend_from_slice(pixels);
    }
    Ok(images)
}
