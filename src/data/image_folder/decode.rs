//! One image file to pixels.

use super::whole;
use crate::error::{Error, Result};
use image::{ImageError, ImageFormat, ImageReader, Limits, RgbImage};
use std::io::Cursor;
use std::path::Path;

/// The widest and the highest image that is decoded.
pub const MAX_SIDE: u32 = 8192;
/// The most bytes that an image may decode to: 128 MiB, 44 million pixels in colour. This and [`MAX_SIDE`] are looked
/// at before memory is set aside, so that a header cannot ask for more.
pub const MAX_DECODED_BYTES: u64 = 1 << 27;

/// The pixels of a PNG or JPEG file, told apart by content and not by name, as three channels of bytes. `path` is for
/// messages only.
///
/// Grey is repeated, a palette is looked up, CMYK is converted, 16 bits are rounded to 8, transparency is dropped (the
/// colour under it stays), and an orientation that a camera noted is not applied. But for 16-bit grey, which it cuts
/// off at 255, that is what Pillow's `convert("RGB")` and so torchvision's `ImageFolder` do.
///
/// Two JPEG decoders may differ by a grey level or so: the standard allows it. A JPEG has no checksums; damage that
/// leaves it decodable goes unseen, a cut does not.
///
/// # Errors
/// [`Error::File`] if the content is neither, is cut short, cannot be decoded, has no pixels, or is larger than
/// [`MAX_SIDE`] and [`MAX_DECODED_BYTES`] allow.
pub fn decode(path: &Path, content: &[u8]) -> Result<RgbImage> {
    let format = format(path, content)?;
    whole::check(path, format, content)?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(content), format);
    reader.limits(limits);
    let image = reader.decode().map_err(|error| {
        let expected = match error {
            ImageError::Limits(_) => format!("at most {MAX_SIDE} x {MAX_SIDE} pixels and {MAX_DECODED_BYTES} bytes"),
            _ => format!("a {} image that can be decoded", name(format)),
        };
        Error::file(path, "image", expected, error)
    })?;
    if image.width() == 0 || image.height() == 0 {
        let found = format!("{} x {}", image.width(), image.height());
        return Err(Error::file(path, "width x height", "at least 1 x 1", found));
    }
    Ok(image.into_rgb8())
}

fn format(path: &Path, content: &[u8]) -> Result<ImageFormat> {
    /// So many bytes of a file that is no image are shown.
    const SHOWN: usize = 8;
    let found = match image::guess_format(content) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) => return Ok(format),
        Ok(format) => name(format),
        Err(_) if content.is_empty() => "an empty file".to_string(),
        Err(_) => format!("`{}`", content[..content.len().min(SHOWN)].escape_ascii()),
    };
    Err(Error::file(path, "byte 0", "a PNG or JPEG image", found))
}

/// `PNG`, `JPEG`, `GIF`, ..
fn name(format: ImageFormat) -> String {
    format!("{format:?}").to_uppercase()
}
