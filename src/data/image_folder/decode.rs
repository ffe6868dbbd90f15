//! One image file to pixels.

use super::border::contain;
use super::{jpeg, whole};
use crate::error::{Error, Result};
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};
use std::io::Cursor;
use std::path::Path;

/// A decoder's answer, or what it says instead, in words.
type Answer<T> = std::result::Result<T, String>;

/// The widest and the highest image that is decoded.
pub const MAX_SIDE: u32 = 8192;
/// The most bytes that an image may decode to: 128 MiB, 44 million pixels in colour. This and the other limits are looked
/// at before memory is set aside, so that a header cannot ask for more.
pub const MAX_DECODED_BYTES: u64 = 1 << 27;
/// The most bytes that a decoder may take to get there: 384 MiB, a JPEG of 33 million pixels, or 25 million of four inks.
pub const MAX_WORKING_BYTES: u64 = 3 << 27;

/// What an image file says of itself, within the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    format: ImageFormat,
    pub width: u32,
    pub height: u32,
    /// The most bytes that decoding takes, beside the file's own.
    pub working_bytes: u64,
}

/// Reads the header of a file ([`decode`]), and checks that the file ends where it should. `path` is for messages only.
///
/// # Errors
/// [`Error::File`] if the content is no image that is read, is cut short, has no pixels, or is larger than [`MAX_SIDE`],
/// [`MAX_DECODED_BYTES`] and [`MAX_WORKING_BYTES`] allow.
pub fn header(path: &Path, content: &[u8]) -> Result<Header> {
    let format = format(path, content)?;
    whole::check(path, format, content)?;
    let found = contain(|| match format {
        ImageFormat::Jpeg => jpeg::info(content).map(|info| {
            let (width, height) = (info.width.into(), info.height.into());
            (width, height, 3 * pixels(width, height), jpeg::working_bytes(info)) // at most 2^32 pixels
        }),
        _ => decoder(format, content).map_err(|error| error.to_string()).map(|decoder| {
            let (width, height) = decoder.dimensions();
            let (bytes, rgb) = (decoder.total_bytes(), pixels(width, height).saturating_mul(3));
            (width, height, bytes, bytes.saturating_add(rgb))
        }),
    });
    let (width, height, bytes, working_bytes) =
        found.unwrap_or_else(panicked).map_err(|e| undecodable(path, format, e))?;
    if width == 0 || height == 0 {
        return Err(Error::file(path, "width x height", "at least 1 x 1", format!("{width} x {height}")));
    }
    if width.max(height) > MAX_SIDE || bytes > MAX_DECODED_BYTES || working_bytes > MAX_WORKING_BYTES {
        let expected = format!("at most {MAX_SIDE} x {MAX_SIDE} pixels and {MAX_DECODED_BYTES} bytes");
        let found = format!("{width} x {height}, {bytes} bytes, {working_bytes} to decode");
        return Err(Error::file(path, "image", expected, found));
    }
    Ok(Header { format, width, height, working_bytes })
}

/// The pixels of a PNG, JPEG, BMP or PNM file, told apart by content and not by name, as three channels of bytes. `path`
/// is for messages only.
///
/// Grey is repeated, a palette is looked up, CMYK is converted, 16 bits are rounded to 8, transparency is dropped (the
/// colour under it stays), and an orientation that a camera noted is not applied. But for 16-bit samples, of which it
/// keeps the upper 8 bits (in colour) or cuts them off at 255 (in grey), that is what Pillow's `convert("RGB")` and so
/// torchvision's `ImageFolder` do.
///
/// Two JPEG decoders may differ by a grey level or so: the standard allows it. A JPEG has no checksums; damage that
/// leaves it decodable goes unseen, a cut does not.
///
/// # Errors
/// Those of [`header`]; [`Error::File`] if the content cannot be decoded.
pub fn decode(path: &Path, content: &[u8]) -> Result<RgbImage> {
    let Header { format, .. } = header(path, content)?;
    let image = contain(|| match format {
        ImageFormat::Jpeg => jpeg::decode(content),
        _ => decoder(format, content)
            .and_then(DynamicImage::from_decoder)
            .map(DynamicImage::into_rgb8)
            .map_err(|error| error.to_string()),
    });
    image.unwrap_or_else(panicked).map_err(|error| undecodable(path, format, error))
}

/// The decoder of a file that is no JPEG, its header read.
fn decoder(format: ImageFormat, content: &[u8]) -> std::result::Result<impl ImageDecoder, ImageError> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_WORKING_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(content), format);
    reader.limits(limits);
    reader.into_decoder()
}

fn pixels(width: u32, height: u32) -> u64 {
    u64::from(width) * u64::from(height)
}

fn panicked<T>() -> Answer<T> {
    Err("damage that its decoder cannot cope with".to_string())
}

fn undecodable(path: &Path, format: ImageFormat, found: String) -> Error {
    Error::file(path, "image", format!("a {} image that can be decoded", name(format)), found)
}

fn format(path: &Path, content: &[u8]) -> Result<ImageFormat> {
    /// So many bytes of a file that is no image are shown.
    const SHOWN: usize = 8;
    let found = match image::guess_format(content) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Bmp | ImageFormat::Pnm)) => return Ok(format),
        Ok(format) => name(format),
        Err(_) if content.is_empty() => "an empty file".to_string(),
        Err(_) => format!("`{}`", content[..content.len().min(SHOWN)].escape_ascii()),
    };
    Err(Error::file(path, "byte 0", "a PNG, JPEG, BMP or PNM image", found))
}

/// `PNG`, `JPEG`, `GIF`, ..
fn name(format: ImageFormat) -> String {
    format!("{format:?}").to_uppercase()
}
