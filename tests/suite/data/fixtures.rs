//! Small files in the data sets' formats, written independently of the readers.

use flate2::Compression;
use flate2::write::GzEncoder;
use gdstar::Error;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

/// An IDX file of unsigned bytes, whatever the sizes claim.
pub fn idx(sizes: &[u32], bytes: &[u8]) -> Vec<u8> {
    let header = [0, 0, 8, sizes.len() as u8];
    [&header[..], &sizes.iter().flat_map(|size| size.to_be_bytes()).collect::<Vec<u8>>(), bytes].concat()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The message, which has to be one line; panics with `what` if there is no error.
pub fn message<T>(outcome: Result<T, Error>, what: &str) -> String {
    let Err(error) = outcome else { panic!("{what} was accepted") };
    let message = error.to_string();
    assert_eq!(message.lines().count(), 1, "{message:?}");
    assert_eq!(error.exit_code(), 2, "{message}");
    message
}

/// A file in a folder that is made if need be.
pub fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// The header of a member of a tar archive (POSIX.1-1988, "ustar"), whatever size it claims.
pub fn tar_header(name: &str, size: u64, kind: u8) -> [u8; 512] {
    let mut header = [0; 512];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000644\0");
    put(124, &format!("{size:011o}\0"));
    put(148, "        "); // the checksum counts itself as spaces
    put(257, "ustar\x0000");
    header[156] = kind;
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    header
}

/// A member of a tar archive: header, content, zeros up to the next multiple of 512.
pub fn tar_member(name: &str, content: &[u8]) -> Vec<u8> {
    let padding = vec![0; content.len().next_multiple_of(512) - content.len()];
    [&tar_header(name, content.len() as u64, b'0')[..], content, &padding].concat()
}

/// Two blocks of zeros end an archive.
pub const TAR_END: [u8; 1024] = [0; 1024];

/// An image file whose pixels are `pixel(x, y)`.
pub fn encoded(format: ImageFormat, [width, height]: [u32; 2], mut pixel: impl FnMut(u32, u32) -> [u8; 3]) -> Vec<u8> {
    encode(&RgbImage::from_fn(width, height, |x, y| Rgb(pixel(x, y))).into(), format)
}

/// An image file.
pub fn encode(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    image.write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// A PNG of one colour.
pub fn plain_png(side: u32, colour: [u8; 3]) -> Vec<u8> {
    encoded(ImageFormat::Png, [side, side], |_, _| colour)
}
