//! The data sets: read, checked, normalised, put in order, augmented.
//!
//! [`fetch`] downloads what is published. [`load`] reads one whole data set into memory as bytes ([`Images`]);
//! [`Dataset::batch`] makes a network's input of the samples asked for. Nothing here holds state: every random choice
//! comes from a generator that the caller passes in, so a [`Dataset`] can be shared between threads.

mod augmentation;
pub mod cifar10;
pub mod digits;
mod encoding;
#[cfg(feature = "cli")]
pub mod fetch;
pub mod file;
pub mod idx;
#[cfg(feature = "cli")]
pub mod image_folder;
mod loader;
pub mod mnist;
mod normalisation;
mod options;
mod order;
#[cfg(not(feature = "cli"))]
mod undecoded;

pub use augmentation::{Augmentation, Crop};
pub use encoding::{ENCODING_KEY, Encoding, numbered};
pub use loader::{Batch, Loader, Order, Out};
pub use normalisation::Normalisation;
pub use options::{FETCHED, LoadOptions, MAX_CLASSES, MAX_IMAGE_SIZE};
pub use order::{epoch_order, held_out};

use crate::choice::choice;
use crate::error::{Error, Result};
use crate::kernel;
use crate::kernel::buffer::{self, Buffer};
use crate::scalar::Scalar;
use ndarray::ArrayD;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};
use std::path::Path;
#[cfg(not(feature = "cli"))]
use undecoded::image_folder;

choice! {
    /// The data sets by name.
    Source, "data":
    /// The 1,797 digits that are part of the program: [`digits`].
    Digits = "digits",
    /// MNIST: [`mnist`].
    Mnist = "mnist",
    /// CIFAR-10: [`cifar10`].
    Cifar10 = "cifar10",
    /// Any folder of images, such as Tiny ImageNet's: [`image_folder`].
    ImageFolder = "image-folder",
}

choice! {
    /// The two parts of a data set.
    Split, "split":
    Train = "train",
    Test = "test",
}

/// Labelled images of one shape, as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    /// `[c,h,w]` of one image.
    pub shape: [usize; 3],
    /// `[n,c,h,w]`, row-major.
    pub pixels: Vec<u8>,
    /// `[n]`: the class of each image.
    pub labels: Vec<u16>,
}

impl Images {
    /// How many images there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The pixels `[c,h,w]` of image `i`.
    ///
    /// # Panics
    /// If there is no image `i`.
    #[must_use]
    pub fn image(&self, i: usize) -> &[u8] {
        let size: usize = self.shape.iter().product();
        &self.pixels[i * size..][..size]
    }

    /// Leaves the first `count` images.
    ///
    /// # Errors
    /// [`Error::Domain`] if there are fewer.
    pub fn keep_first(&mut self, count: usize) -> Result<()> {
        if count > self.len() {
            let expected = format!("at most {}, the training images", self.len());
            return Err(Error::domain("--subset", expected, count));
        }
        self.pixels.truncate(count * self.shape.iter().product::<usize>());
        self.labels.truncate(count);
        Ok(())
    }

    /// The images at these indices, in their order.
    ///
    /// # Panics
    /// If there is no image at an index.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        Self {
            shape: self.shape,
            pixels: indices.iter().flat_map(|&i| self.image(i)).copied().collect(),
            labels: indices.iter().map(|&i| self.labels[i]).collect(),
        }
    }
}

/// A data set in memory, and how its pixels become a network's input.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    pub name: &'static str,
    pub train: Images,
    pub test: Images,
    /// The name of the class of each label; labels are below their number.
    pub classes: Vec<String>,
    pub normalisation: Normalisation,
    /// What the usual training recipe does to training images, where it does anything. `None` switches it off.
    pub augmentation: Option<Augmentation>,
}

/// Loads a data set as it is; `dir` is the folder that holds its files (the digits need none, and look at none).
///
/// # Errors
/// [`Error::Domain`] if the data set needs a folder and none is given; those of the data set's own `load`.
///
/// ```
/// let digits = gdstar::data::load(gdstar::data::Source::Digits, None)?;
/// assert_eq!((digits.train.len(), digits.test.len()), (1442, 355));
/// # Ok::<(), gdstar::Error>(())
/// ```
pub fn load(source: Source, dir: Option<&Path>) -> Result<Dataset> {
    load_with(source, dir, LoadOptions::default())
}

/// Loads a data set; see [`load`].
///
/// # Errors
/// Those of [`load`] and of [`Source::check`].
pub fn load_with(source: Source, dir: Option<&Path>, options: LoadOptions) -> Result<Dataset> {
    source.check(&options)?;
    let missing =
        || Error::domain("--data-dir", format!("the folder with {source}'s files{}", source.remedy()), "none");
    let dir = || dir.ok_or_else(missing);
    let mut dataset = match source {
        Source::Digits => digits::load(),
        Source::Mnist => mnist::load(dir()?, options),
        Source::Cifar10 => cifar10::load(dir()?),
        Source::ImageFolder => image_folder::load(dir()?, options),
    }?;
    if let Some(count) = options.subset {
        dataset.train.keep_first(count)?;
    }
    Ok(dataset)
}

impl Dataset {
    /// One part of the data set.
    #[must_use]
    pub fn images(&self, split: Split) -> &Images {
        match split {
            Split::Train => &self.train,
            Split::Test => &self.test,
        }
    }

    /// The images at `indices`, normalised: x `[n,c,h,w]` and their labels `[n]`, in the order of `indices`.
    ///
    /// With `augment`, each image is first cropped and flipped as [`Dataset::augmentation`] says, drawing from the
    /// generator image by image in the order of `indices` ([`Augmentation::draw`]); where the data set has no
    /// augmentation, the generator is left untouched.
    ///
    /// # Panics
    /// If an index is not below the part's length.
    #[must_use]
    pub fn batch<S: Scalar>(
        &self,
        split: Split,
        indices: &[usize],
        mut augment: Option<&mut ChaCha8Rng>,
    ) -> (ArrayD<S>, Vec<usize>) {
        let images = self.images(split);
        /// How many images are fetched from memory ahead: they lie anywhere.
        const AHEAD: usize = 8;
        let size = images.shape.iter().product::<usize>();
        // Copies: memory is read in one go along an image, and not from one to the next.
        let mut pixels = Buffer::stale(indices.len() * size);
        for ((at, &i), copy) in indices.iter().enumerate().zip(pixels.chunks_exact_mut(size.max(1))) {
            if let Some(&ahead) = indices.get(at + AHEAD) {
                kernel::prefetch(images.image(ahead));
            }
            match (self.augmentation, augment.as_deref_mut()) {
                (Some(augmentation), Some(rng)) => {
                    copy.copy_from_slice(&augmentation.apply(augmentation.draw(rng), images.shape, images.image(i)));
                }
                _ => copy.copy_from_slice(images.image(i)),
            }
        }
        let x = self.normalised(images.shape, indices.len(), &pixels);
        (x, indices.iter().map(|&i| usize::from(images.labels[i])).collect())
    }

    /// `n` images of one shape, normalised: `[n,c,h,w]`, in the batch-innermost memory that [`Kernel::Fast`] reads.
    ///
    /// [`Kernel::Fast`]: crate::kernel::Kernel::Fast
    fn normalised<S: Scalar>(&self, [c, h, w]: [usize; 3], n: usize, images: &[u8]) -> ArrayD<S> {
        /// Pixels of all images that are read, and rows that are written, while they stay in cache: a cache line.
        const BLOCK: usize = 64;
        let mut rows = buffer::stale(n * c * h * w); // [h,w,c,n]
        for (channel, table) in self.normalisation.tables::<S>().iter().enumerate() {
            for block in (0..h * w).step_by(BLOCK) {
                for (i, image) in images.chunks_exact((c * h * w).max(1)).enumerate() {
                    let pixels = &image[channel * h * w..][block..(h * w).min(block + BLOCK)];
                    let places = rows[(block * c + channel) * n + i..].iter_mut().step_by(c * n);
                    places.zip(pixels).for_each(|(x, &pixel)| *x = table[usize::from(pixel)]);
                }
            }
        }
        kernel::images([n, c, h, w], rows).into_dyn()
    }

    /// SHA-256, in hexadecimal, of the data: the name, the number of classes, both parts' shapes, pixels and
    /// labels, and the normalisation. (The augmentation is an option of the run and not part of it, and what classes are
    /// called changes no number.)
    ///
    /// A run stores it, so that one resumed on other data is told. Every list is preceded by its length in bytes and
    /// every integer is 64 bits little-endian, so that no two data sets feed the hash the same bytes. A label is one
    /// byte with up to 256 classes, and two, little-endian, with more.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        let integer = |hash: &mut Sha256, value: usize| hash.update((value as u64).to_le_bytes());
        let bytes = |hash: &mut Sha256, bytes: &[u8]| {
            integer(hash, bytes.len());
            hash.update(bytes);
        };
        bytes(&mut hash, self.name.as_bytes());
        integer(&mut hash, self.classes.len());
        for images in [&self.train, &self.test] {
            images.shape.iter().for_each(|&size| integer(&mut hash, size));
            bytes(&mut hash, &images.pixels);
            bytes(&mut hash, &self.label_bytes(&images.labels));
        }
        let Normalisation { scale, mean, std } = &self.normalisation;
        for values in [std::slice::from_ref(scale), mean, std] {
            bytes(&mut hash, &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>());
        }
        format!("{:x}", hash.finalize())
    }

    /// The labels as the fingerprint takes them.
    fn label_bytes(&self, labels: &[u16]) -> Vec<u8> {
        let width = if self.classes.len() <= 256 { 1 } else { 2 };
        labels.iter().flat_map(|label| label.to_le_bytes().into_iter().take(width)).collect()
    }
}
