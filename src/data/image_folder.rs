//! Folders of images: Tiny ImageNet as it is distributed, or a folder per class ([`layout`]).
//!
//! Images are decoded on all threads of the current rayon pool; what is read does not depend on how many these are.

pub mod annotations;
mod border;
mod decode;
mod jpeg;
pub mod layout;
mod listing;
mod memory;
mod reader;
mod whole;

pub use border::silence_decoders;
pub use decode::{Header, MAX_DECODED_BYTES, MAX_SIDE, MAX_WORKING_BYTES, decode, header};
pub use reader::{fit, grey};

use super::{Augmentation, Dataset, LoadOptions, Normalisation, Source};
use crate::error::Result;
use layout::Layout;
use reader::Reader;
use std::path::Path;

/// The padding of the random crop is the smaller side over this: 4 pixels for CIFAR's 32, as in its usual recipe.
const SIDE_PER_PADDING: usize = 8;
/// Unless `--channels` says otherwise: red, green and blue.
const CHANNELS: usize = 3;
/// The pixel value that maps to 1 before standardisation.
const SCALE: f64 = 255.0;

/// Reads the image folder `root`; see [`layout::find`] for where its images are and [`decode`] for what they may be.
///
/// Images keep their size, which must then be one for all, or become `image_size` x `image_size` ([`fit`]), and have three
/// channels, or one ([`grey`]). Mean and
/// standard deviation are those of the training images as they come out of that ([`Normalisation::of`]). The
/// augmentation is CIFAR's, scaled: a crop after padding by an eighth of the smaller side, and a flip.
///
/// # Errors
/// Those of [`layout::find`] and [`decode`]; [`Error::File`](crate::Error::File) naming the first image (training before test, in their
/// order) whose size is not that of the first one; [`Error::Domain`](crate::Error::Domain) as [`Source::check`] has it, or if the images do not
/// fit into memory.
pub fn load(root: &Path, options: LoadOptions) -> Result<Dataset> {
    Source::ImageFolder.check(&options)?;
    let Layout { classes, train, test, unlabelled } = layout::find(root)?;
    if let (Some(unlabelled), Some(tell)) = (unlabelled, options.on_remark) {
        tell(&format!("{}: no folder of a class, so no labels: tested on val", unlabelled.display()));
    }
    let reader = Reader::new(options, &train[0].path, train.len() + test.len())?;
    let (train, test) = (reader.images(&train)?, reader.images(&test)?);
    let [_, height, width] = train.shape;
    Ok(Dataset {
        name: Source::ImageFolder.name(),
        normalisation: Normalisation::of(&train, SCALE),
        train,
        test,
        classes: classes.iter().map(|class| class.to_string_lossy().into_owned()).collect(),
        augmentation: Some(Augmentation { padding: width.min(height) / SIDE_PER_PADDING }),
    })
}
