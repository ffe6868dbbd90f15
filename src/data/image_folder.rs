//! Folders of PNG and JPEG images: Tiny ImageNet as it is distributed, or a folder per class ([`layout`]).
//!
//! Images are decoded on all threads of the current rayon pool; what is read does not depend on how many these are.

pub mod annotations;
mod decode;
pub mod layout;
mod whole;

pub use decode::{MAX_DECODED_BYTES, MAX_SIDE, decode};

use super::{Augmentation, Dataset, Images, LoadOptions, Normalisation, Source};
use crate::error::{Error, Result};
use crate::input::{self, Kind};
use image::RgbImage;
use image::imageops::{FilterType, resize};
use layout::{Labelled, Layout};
use rayon::prelude::*;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The largest `--image-size`. The paper's networks take 32 and 64, ImageNet's 224 and 299.
pub const MAX_IMAGE_SIZE: usize = 1024;
/// The padding of the random crop is the smaller side over this: 4 pixels for CIFAR's 32, as in its usual recipe.
const SIDE_PER_PADDING: usize = 8;
const CHANNELS: usize = 3;
/// The pixel value that maps to 1 before standardisation.
const SCALE: f64 = 255.0;

/// Reads the image folder `root`; see [`layout::find`] for where its images are and [`decode`] for what they may be.
///
/// Images keep their size, which must then be one for all, or become `image_size` x `image_size` ([`fit`]). Mean and
/// standard deviation are those of the training images as they come out of that ([`Normalisation::of`]). The
/// augmentation is CIFAR's, scaled: a crop after padding by an eighth of the smaller side, and a flip.
///
/// # Errors
/// Those of [`layout::find`] and [`decode`]; [`Error::File`] naming the first image (training before test, in their
/// order) whose size is not that of the first one; [`Error::Domain`] if `image_size` is 0 or above [`MAX_IMAGE_SIZE`],
/// or if the images do not fit into memory.
pub fn load(root: &Path, options: LoadOptions) -> Result<Dataset> {
    Source::ImageFolder.check_image_size(options.image_size)?;
    let Layout { classes, train, test } = layout::find(root)?;
    let total = train.len() + test.len();
    let first = &train[0].path;
    let image = open(first, options.image_size)?;
    let size = (image.width(), image.height());
    let reader = Reader { options, first, size, decoded: AtomicUsize::new(0), total };
    let (train, test) = (reader.images(&train)?, reader.images(&test)?);
    let smaller_side = size.0.min(size.1) as usize;
    Ok(Dataset {
        name: Source::ImageFolder.name(),
        normalisation: Normalisation::of(&train, SCALE),
        train,
        test,
        classes: classes.iter().map(|class| class.to_string_lossy().into_owned()).collect(),
        augmentation: Some(Augmentation { padding: smaller_side / SIDE_PER_PADDING }),
    })
}

fn open(path: &Path, image_size: Option<usize>) -> Result<RgbImage> {
    let image = decode(path, &input::read(path, Kind::Image)?)?;
    Ok(match image_size {
        Some(side) => fit(image, side as u32), // at most MAX_IMAGE_SIZE
        None => image,
    })
}

/// The image resized to `side` x `side`, whatever its proportions were; one that has this size stays as it is.
///
/// A pixel is the weighted mean of the source's pixels under a triangle whose half-width is one target pixel (one
/// source pixel where the image grows): bilinear interpolation that averages when it shrinks, as Pillow's and
/// torchvision's `Resize((N, N))`. It needs sums and products only, so it gives the same bytes on every machine; a
/// Lanczos window needs a sine.
///
/// Proportions are given up rather than margins: a crop could lose the object that the label names, and where images
/// are square, as in Tiny ImageNet and CIFAR-10, there is nothing to decide.
#[must_use]
pub fn fit(image: RgbImage, side: u32) -> RgbImage {
    if image.dimensions() == (side, side) { image } else { resize(&image, side, side, FilterType::Triangle) }
}

/// Decodes many files into one array.
struct Reader<'a> {
    options: LoadOptions<'a>,
    /// The image that decides the size of all.
    first: &'a Path,
    /// (width, height).
    size: (u32, u32),
    decoded: AtomicUsize,
    /// Images in both parts.
    total: usize,
}

impl Reader<'_> {
    /// The images of these files, in their order. The error is the first one's in that order, too.
    fn images(&self, files: &[Labelled]) -> Result<Images> {
        let (width, height) = (self.size.0 as usize, self.size.1 as usize);
        let bytes = CHANNELS * width * height;
        // An image of this size has been decoded, and the files are there: no claim is believed here.
        let mut pixels = zeros(files.len(), bytes)?;
        let failed = pixels
            .par_chunks_exact_mut(bytes)
            .zip(files)
            .find_map_first(|(pixels, file)| self.read(&file.path, pixels).err());
        match failed {
            Some(error) => Err(error),
            None => {
                let labels = files.iter().map(|file| file.label).collect();
                Ok(Images { shape: [CHANNELS, height, width], pixels, labels })
            }
        }
    }

    /// One file to `pixels` `[c,h,w]`.
    fn read(&self, path: &Path, pixels: &mut [u8]) -> Result<()> {
        let image = open(path, self.options.image_size)?;
        if image.dimensions() != self.size {
            let ((width, height), (w, h)) = (self.size, image.dimensions());
            let first = self.first.display();
            let expected = format!("{width} x {height}, as {first} has (or give --image-size to resize all)");
            return Err(Error::file(path, "width x height", expected, format!("{w} x {h}")));
        }
        let plane = pixels.len() / CHANNELS;
        for (i, pixel) in image.pixels().enumerate() {
            for (channel, &value) in pixel.0.iter().enumerate() {
                pixels[channel * plane + i] = value;
            }
        }
        let decoded = self.decoded.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(tell) = self.options.on_decoded {
            tell(decoded, self.total);
        }
        Ok(())
    }
}

/// `images` times `bytes` zeros.
fn zeros(images: usize, bytes: usize) -> Result<Vec<u8>> {
    let mut pixels = Vec::new();
    let length = images.checked_mul(bytes).filter(|&length| pixels.try_reserve_exact(length).is_ok());
    let expected = format!("what memory can hold of {images} images of {bytes} bytes each");
    pixels.resize(length.ok_or_else(|| Error::domain("image folder", expected, "too little of it"))?, 0);
    Ok(pixels)
}
