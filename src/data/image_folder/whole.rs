//! Whether an image file is all there. Decoders make do with a file that was cut short, and fill in grey.

use crate::error::{Error, Result};
use image::ImageFormat;
use std::path::Path;

/// # Errors
/// [`Error::File`] if a PNG ends before its last chunk does, or a JPEG before its end-of-image marker.
pub fn check(path: &Path, format: ImageFormat, content: &[u8]) -> Result<()> {
    let (end, last) = match format {
        ImageFormat::Png => (png_end(content), "IEND chunk"),
        _ => (jpeg_end(content), "end-of-image marker"),
    };
    let place = || format!("byte {}", content.len());
    end.map(drop).ok_or_else(|| Error::file(path, place(), format!("more, up to the {last}"), "the end of the file"))
}

/// What follows the last chunk. PNG, third edition, section 5.2 and 5.3: eight bytes of signature, then chunks of
/// length, type, data and checksum.
fn png_end(content: &[u8]) -> Option<&[u8]> {
    let mut rest = content.get(8..)?;
    loop {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (kind, after) = after.split_first_chunk::<4>()?;
        let data_and_checksum = usize::try_from(u32::from_be_bytes(*length)).ok()?.checked_add(4)?;
        rest = after.get(data_and_checksum..)?;
        if kind == b"IEND" {
            return Some(rest);
        }
    }
}

/// What follows the end-of-image marker. ITU-T T.81, section B.1.1: a marker is 0xff and a byte other than 0 and
/// 0xff; most begin a segment that states its length, and coded data follow a segment up to the next marker.
fn jpeg_end(content: &[u8]) -> Option<&[u8]> {
    const END_OF_IMAGE: u8 = 0xd9;
    let mut rest = content;
    loop {
        let marker = rest.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xff))?;
        let code = rest[marker + 1];
        rest = &rest[marker + 2..];
        match code {
            END_OF_IMAGE => return Some(rest),
            // TEM, RST0 to RST7 and the start of the image stand alone.
            0x01 | 0xd0..=0xd8 => {}
            _ => rest = rest.get(usize::from(u16::from_be_bytes(*rest.first_chunk::<2>()?))..)?,
        }
    }
}
