//! [`LoadOptions`]: how a data set is read, where there is a choice.

use super::Source;
use crate::error::{Error, Result};
use std::path::{Path, PathBuf};

/// Where data sets are fetched to, and looked for where no place is given.
pub const FETCHED: &str = "data";

/// The largest `--image-size`. The paper's networks take 32 and 64, ImageNet's 224 and 299.
pub const MAX_IMAGE_SIZE: usize = 1024;
/// The most that `--classes` may be: a label is a byte.
pub const MAX_CLASSES: usize = 256;

/// How a data set is read, where there is a choice; [`Source::check`] says where there is one.
#[derive(Clone, Copy, Default)]
pub struct LoadOptions<'a> {
    /// Resize every image to this many pixels in width and height.
    pub image_size: Option<usize>,
    /// Read images as red, green and blue (3, which is usual) or as grey (1).
    pub channels: Option<usize>,
    /// How many classes there are, where labels do not go from 0 to 9.
    pub classes: Option<usize>,
    /// Of the training images only the first so many, in the data set's own order.
    pub subset: Option<usize>,
    /// Told how many images are decoded, and of how many, after each one; by any thread, so not always in order.
    pub on_decoded: Option<&'a (dyn Fn(usize, usize) + Sync)>,
    /// Told, in a line, what is read otherwise than one might expect.
    pub on_remark: Option<&'a (dyn Fn(&str) + Sync)>,
}

impl Source {
    /// Checks the options `--image-size`, `--channels`, `--classes` and `--subset`; how many training images there are,
    /// of which a subset is, is seen when they are loaded.
    ///
    /// # Errors
    /// [`Error::Domain`] if one is given for a data set that has no choice there, or is out of its range.
    pub fn check(self, options: &LoadOptions) -> Result<()> {
        let folder = Self::ImageFolder;
        let LoadOptions { image_size, channels, classes, subset, .. } = *options;
        if subset == Some(0) {
            return Err(Error::domain("--subset", "at least 1 training image", 0));
        }
        let ranges = [
            ("--image-size", image_size, folder, 1..=MAX_IMAGE_SIZE, "whose images have one size"),
            ("--channels", channels, folder, 1..=3, "whose images have one form"),
            ("--classes", classes, Self::Mnist, 1..=MAX_CLASSES, "whose classes are known"),
        ];
        for (name, value, chosen_by, range, reason) in ranges {
            let Some(value) = value else { continue };
            if self != chosen_by {
                let expected = format!("none with {self}, {reason} ({chosen_by} only)");
                return Err(Error::domain(name, expected, value));
            }
            if !range.contains(&value) {
                return Err(Error::domain(name, format!("{} to {}", range.start(), range.end()), value));
            }
        }
        match channels {
            Some(2) => Err(Error::domain("--channels", "1 (grey) or 3 (red, green, blue)", 2)),
            _ => Ok(()),
        }
    }

    /// The folder that `gdstar data fetch` leaves this data set in, if it is there.
    #[must_use]
    pub fn fetched(self) -> Option<PathBuf> {
        let folder = match self {
            Self::Digits | Self::ImageFolder => return None,
            Self::Mnist | Self::Cifar10 => Path::new(FETCHED).join(self.name()),
        };
        folder.is_dir().then_some(folder)
    }

    /// How to come by its files, for the end of what a message says is expected.
    pub(super) fn remedy(self) -> &'static str {
        match self {
            Self::Digits => "",
            Self::Mnist => " (`gdstar data fetch mnist` downloads them)",
            Self::Cifar10 => " (`gdstar data fetch cifar10` downloads them)",
            Self::ImageFolder => " (train/CLASS/*.png and so on: docs/data.md)",
        }
    }
}
