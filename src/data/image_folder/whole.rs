//! Whether an image file is all there. Decoders make do with a file that was cut short, and fill in grey.

use crate::error::{Error, Result};
use image::ImageFormat;
use std::path::Path;

/// # Errors
/// [`Error::File`] if a PNG ends before its last chunk does, or a JPEG before its end-of-image marker; or if a PNG's
/// palette is no list of colours. (Other formats' decoders tell a cut themselves.)
pub fn check(path: &Path, format: ImageFormat, content: &[u8]) -> Result<()> {
    let (end, last) = match format {
        ImageFormat::Png => {
            check_palette(path, content)?;
            (png_end(content), "IEND chunk")
        }
        ImageFormat::Jpeg => (jpeg_end(content), "end-of-image marker"),
        _ => return Ok(()),
    };
    let place = || format!("byte {}", content.len());
    end.map(drop).ok_or_else(|| Error::file(path, place(), format!("more, up to the {last}"), "the end of the file"))
}

/// The chunks of a PNG, as (type, data, what follows). PNG, third edition, section 5.2 and 5.3: eight bytes of signature,
/// then chunks of length, type, data and checksum.
fn png_chunks(content: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8], &[u8])> {
    let mut rest = content.get(8..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (kind, after) = after.split_first_chunk::<4>()?;
        let (data, after) = after.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        rest = after.get(4..)?;
        Some((kind, data, rest))
    })
}

/// What follows the last chunk.
fn png_end(content: &[u8]) -> Option<&[u8]> {
    png_chunks(content).find_map(|(kind, _, rest)| (kind == b"IEND").then_some(rest))
}

/// Section 11.2.2: three bytes for each of 1 to 256 colours.
fn check_palette(path: &Path, content: &[u8]) -> Result<()> {
    let palette = png_chunks(content).find(|(kind, ..)| *kind == b"PLTE");
    match palette.map(|(_, data, _)| data.len()) {
        Some(bytes) if bytes % 3 != 0 || !(3..=768).contains(&bytes) => {
            Err(Error::file(path, "PLTE chunk", "3 bytes for each of 1 to 256 colours", format!("{bytes} bytes")))
        }
        _ => Ok(()),
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
