//! JPEG files to pixels, as libjpeg gives them.
//!
//! The decoder is `jpeg-decoder`, in its portable form, whose arithmetic is of integers: the same bytes on every machine.
//! It agrees with libjpeg-turbo's default (the accurate inverse transform and the triangle filter for chroma) within
//! [`LEVELS`], for every subsampling, in one scan, several or progressively; `golden/images` holds the proof.

use image::RgbImage;
use jpeg_decoder::{Decoder, ImageInfo, PixelFormat};

/// The most bytes that decoding takes: for every sample two of its coefficient, one of its plane and one of the decoder's
/// answer, from which what has other channels than three is then converted.
pub fn working_bytes(info: ImageInfo) -> u64 {
    const BYTES_PER_SAMPLE: u64 = 4;
    let components = info.pixel_format.pixel_bytes() as u64; // 1, 3 or 4; 2 stands for deep grey, which is refused
    BYTES_PER_SAMPLE * components * u64::from(info.width) * u64::from(info.height) // at most 2^36
}

/// What the header says.
///
/// # Errors
/// The decoder's, in words.
pub fn info(content: &[u8]) -> Result<ImageInfo, String> {
    let mut decoder = Decoder::new(content);
    decoder.read_info().map_err(|error| error.to_string())?;
    decoder.info().ok_or_else(|| "no frame".to_string())
}

/// The pixels; grey is repeated, CMYK converted.
///
/// # Errors
/// The decoder's, in words; samples of more than 8 bits.
pub fn decode(content: &[u8]) -> Result<RgbImage, String> {
    let ImageInfo { width, height, pixel_format, .. } = info(content)?;
    let samples = Decoder::new(content).decode().map_err(|error| error.to_string())?;
    let pixels = match pixel_format {
        PixelFormat::RGB24 => samples,
        PixelFormat::L8 => samples.into_iter().flat_map(|grey| [grey; 3]).collect(),
        PixelFormat::CMYK32 => {
            let is_adobe = has_adobe(content);
            samples.as_chunks().0.iter().flat_map(|&inks| rgb(inks, is_adobe)).collect()
        }
        PixelFormat::L16 => return Err("samples of more than 8 bits".to_string()),
    };
    RgbImage::from_raw(width.into(), height.into(), pixels).ok_or_else(|| "too few pixels".to_string())
}

/// A pixel of four inks as Pillow converts it. The decoder takes inks for stored inverted, as Adobe's programs do and say
/// in a segment of their own.
fn rgb(inks: [u8; 4], is_adobe: bool) -> [u8; 3] {
    let [c, m, y, k] = if is_adobe { inks } else { inks.map(|ink| 255 - ink) };
    let light = u32::from(255 - k);
    [c, m, y].map(|ink| {
        let product = u32::from(ink) * light + 128; // rounded division by 255
        (light - (((product >> 8) + product) >> 8)) as u8
    })
}

/// Whether there is Adobe's segment: APP14 of this name.
fn has_adobe(content: &[u8]) -> bool {
    content.windows(9).any(|bytes| bytes.starts_with(&[0xff, 0xee]) && bytes.ends_with(b"Adobe"))
}
