//! Many files into one array.

use super::layout::Labelled;
use super::memory::{Memory, Share};
use super::{CHANNELS, decode, header};
use crate::data::{Images, LoadOptions};
use crate::error::{Error, Result};
use crate::input::{self, Kind};
use crate::kernel::share;
use image::imageops::{FilterType, resize};
use image::{GrayImage, ImageBuffer, Luma, Pixel, RgbImage};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Bytes that are set aside for images before any of them is read; then as much again as has been read.
const FIRST: usize = 1 << 26;
/// The size in bytes from which on a file is read and decoded by itself.
const LARGE: u64 = 1 << 23;
/// Bytes that the filter takes for a pixel of its intermediate image, which is as wide as the source.
const FILTER_BYTES: u64 = 16;

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
pub fn fit<P: Pixel<Subpixel = u8> + 'static>(image: ImageBuffer<P, Vec<u8>>, side: u32) -> ImageBuffer<P, Vec<u8>> {
    if image.dimensions() == (side, side) { image } else { resize(&image, side, side, FilterType::Triangle) }
}

/// The image in grey, as Pillow's `convert("L")`: 0.299 R + 0.587 G + 0.114 B, in integers (ITU-R BT.601, luma). What is
/// grey keeps its value.
#[must_use]
pub fn grey(image: &RgbImage) -> GrayImage {
    let luma = |pixel: &image::Rgb<u8>| {
        let [r, g, b] = pixel.0.map(u32::from);
        ((19_595 * r + 38_470 * g + 7_471 * b + (1 << 15)) >> 16) as u8 // the weights' sum is 2^16
    };
    GrayImage::from_fn(image.width(), image.height(), |x, y| Luma([luma(image.get_pixel(x, y))]))
}

/// An image as it is wanted: [h,w,c], row-major.
struct Opened<'a> {
    /// (width, height).
    size: (u32, u32),
    samples: Vec<u8>,
    /// Of the memory, as long as the image is held.
    _share: Share<'a>,
}

/// Decodes files.
pub struct Reader<'a> {
    options: LoadOptions<'a>,
    /// The image that decides the size of all.
    first: &'a Path,
    /// (width, height).
    size: (u32, u32),
    decoded: AtomicUsize,
    /// Images in both parts.
    total: usize,
    memory: Memory,
}

impl<'a> Reader<'a> {
    /// For images of the size of the first, `total` in all parts.
    ///
    /// # Errors
    /// Those of [`decode`].
    pub fn new(options: LoadOptions<'a>, first: &'a Path, total: usize) -> Result<Self> {
        let decoded = AtomicUsize::new(0);
        let mut reader = Self { options, first, size: (0, 0), decoded, total, memory: Memory::new() };
        let size = reader.open(first)?.size;
        reader.size = size;
        Ok(reader)
    }

    fn channels(&self) -> usize {
        self.options.channels.unwrap_or(CHANNELS)
    }

    /// The images of these files, in their order. The error is the first one's in that order, too.
    ///
    /// What memory they take is not believed before they are there: one file of a large size says nothing of the others.
    ///
    /// # Errors
    /// Those of [`decode`]; [`Error::File`] for an image of another size than the first; [`Error::Domain`] if there is not
    /// the memory.
    pub fn images(&self, files: &[Labelled]) -> Result<Images> {
        let (width, height) = (self.size.0 as usize, self.size.1 as usize);
        let shape = [self.channels(), height, width];
        let bytes = shape.iter().product::<usize>();
        let mut pixels = Vec::new();
        let mut rest = files;
        while !rest.is_empty() {
            let read = pixels.len();
            let (files, later) = rest.split_at((read.max(FIRST) / bytes).clamp(1, rest.len()));
            extend(&mut pixels, files.len() * bytes)?;
            let failed: Mutex<Option<(usize, Error)>> = Mutex::default();
            let first = || failed.lock().unwrap_or_else(PoisonError::into_inner);
            share::chunks(&mut pixels[read..], bytes, share::ALWAYS, |i, pixels| {
                // What comes after a file that cannot be read is not read.
                if first().as_ref().is_some_and(|(failed, _)| *failed < i) {
                    return;
                }
                if let Err(error) = self.read(&files[i].path, pixels) {
                    let mut first = first();
                    if first.as_ref().is_none_or(|(failed, _)| i < *failed) {
                        *first = Some((i, error));
                    }
                }
            });
            if let Some((_, error)) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
                return Err(error);
            }
            rest = later;
        }
        Ok(Images { shape, pixels, labels: files.iter().map(|file| file.label).collect() })
    }

    /// One file to `pixels` `[c,h,w]`.
    fn read(&self, path: &Path, pixels: &mut [u8]) -> Result<()> {
        let image = self.open(path)?;
        if image.size != self.size {
            let ((width, height), (w, h)) = (self.size, image.size);
            let first = self.first.display();
            let expected = format!("{width} x {height}, as {first} has (or give --image-size to resize all)");
            return Err(Error::file(path, "width x height", expected, format!("{w} x {h}")));
        }
        let channels = self.channels();
        let plane = pixels.len() / channels;
        for (i, pixel) in image.samples.chunks_exact(channels).enumerate() {
            for (channel, &value) in pixel.iter().enumerate() {
                pixels[channel * plane + i] = value;
            }
        }
        let decoded = self.decoded.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(tell) = self.options.on_decoded {
            tell(decoded, self.total);
        }
        Ok(())
    }

    fn open(&self, path: &Path) -> Result<Opened<'_>> {
        // Decoders do not wait for memory with much of it in their hands: all would wait for each other.
        let is_large = std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > LARGE);
        let all = is_large.then(|| self.memory.share(u64::MAX));
        let content = input::read(path, Kind::Image)?;
        let header = header(path, &content)?;
        let side = self.options.image_size.unwrap_or(0) as u32; // at most data::MAX_IMAGE_SIZE
        let filter = FILTER_BYTES * u64::from(header.width) * u64::from(side);
        let bytes = content.len() as u64 + header.working_bytes + filter;
        let _share = all.unwrap_or_else(|| self.memory.share(bytes));
        let image = decode(path, &content)?;
        let (size, samples) = if self.channels() == 1 { sized(grey(&image), side) } else { sized(image, side) };
        Ok(Opened { size, samples, _share })
    }
}

/// (width, height) and samples of an image in the size that is wanted; its own if that is 0.
fn sized<P: Pixel<Subpixel = u8> + 'static>(image: ImageBuffer<P, Vec<u8>>, side: u32) -> ((u32, u32), Vec<u8>) {
    let image = if side == 0 { image } else { fit(image, side) };
    (image.dimensions(), image.into_raw())
}

/// Appends so many zeros.
fn extend(pixels: &mut Vec<u8>, bytes: usize) -> Result<()> {
    let length = pixels.len().saturating_add(bytes);
    if pixels.try_reserve_exact(bytes).is_err() {
        return Err(Error::domain("image folder", format!("memory for {length} bytes of pixels"), "too little of it"));
    }
    pixels.resize(length, 0);
    Ok(())
}
