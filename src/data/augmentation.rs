//! Random crops and flips of training images: the usual CIFAR recipe.

use crate::random::uniform;
use rand::RngCore;

/// A random crop of the image's own size out of the image padded with zeros, then a horizontal flip with
/// probability 1/2.
///
/// As torchvision's `RandomCrop(size, padding)` and `RandomHorizontalFlip()` before `ToTensor` and `Normalize`:
/// the padding is black (pixel value 0), which normalisation then maps like any other pixel.
///
/// The paper names no augmentation; this is the one of He et al., "Deep Residual Learning for Image Recognition",
/// 2016, section 4.2, from which its CIFAR-10 networks come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Augmentation {
    /// Zeros added on each of the four sides.
    pub padding: usize,
}

/// One draw: where the crop is, and whether it is mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crop {
    /// The crop's first row in the padded image, `0..=2 padding`.
    pub top: usize,
    /// The crop's first column in the padded image, `0..=2 padding`.
    pub left: usize,
    /// Whether the crop's columns are reversed.
    pub flipped: bool,
}

impl Augmentation {
    /// Draws from `rng`, in this order: `top`, `left`, `flipped` (0 or 1), each by [`uniform`]. A batch draws
    /// for its images one after the other, before any work is shared out, so the result does not depend on
    /// threads.
    pub fn draw(self, rng: &mut impl RngCore) -> Crop {
        let offsets = 2 * self.padding as u64 + 1;
        let mut offset = || uniform(rng, offsets) as usize; // at most 2 padding
        let (top, left) = (offset(), offset());
        Crop { top, left, flipped: uniform(rng, 2) == 1 }
    }

    /// The crop of one image: pixels `[c,h,w]` row-major -> `[c,h,w]`.
    #[must_use]
    pub fn apply(self, crop: Crop, shape: [usize; 3], pixels: &[u8]) -> Vec<u8> {
        let [channels, height, width] = shape;
        // Position `at` of a crop from `first` in the padded image, as a position in the image; None in the padding.
        let inside = |first: usize, at: usize, size: usize| {
            (first + at).checked_sub(self.padding).filter(|&position| position < size)
        };
        let mut cropped = vec![0; pixels.len()];
        for channel in 0..channels {
            for y in 0..height {
                let Some(from_y) = inside(crop.top, y, height) else { continue };
                for x in 0..width {
                    let column = if crop.flipped { width - 1 - x } else { x };
                    let Some(from_x) = inside(crop.left, column, width) else { continue };
                    cropped[(channel * height + y) * width + x] = pixels[(channel * height + from_y) * width + from_x];
                }
            }
        }
        cropped
    }
}
