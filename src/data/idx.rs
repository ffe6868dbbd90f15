//! The IDX format: an array of unsigned bytes with its shape in front, plain or gzip.
//!
//! | byte | content |
//! |---|---|
//! | 0, 1 | 0 |
//! | 2 | type: `0x08`, unsigned bytes (the other types are not read) |
//! | 3 | number of dimensions d |
//! | 4 .. 4 + 4d | the sizes, as 32-bit big-endian integers |
//! | 4 + 4d .. | the entries, row-major |
//!
//! Source: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits". Places in messages
//! count the bytes of the unpacked content.

use super::file::{self, MAX_BYTES};
use crate::error::{Error, Result};
use flate2::bufread::MultiGzDecoder;
use std::io::{self, Read};
use std::path::Path;

/// The first two bytes of a gzip file (RFC 1952, section 2.3.1). No IDX file starts with them.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// The type byte of unsigned bytes.
const UNSIGNED_BYTES: u8 = 0x08;

/// What a reader expects of one dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    /// Its name in messages: `number of images`, `rows`.
    pub name: &'static str,
    /// Its size, where only one will do; any but 0 otherwise.
    pub size: Option<u32>,
}

/// The content of an IDX file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idx {
    /// The sizes; none is 0.
    pub shape: Vec<usize>,
    /// The entries, row-major; as many as the product of the sizes.
    pub bytes: Vec<u8>,
}

/// Reads the IDX file at `path`; see [`parse`].
///
/// # Errors
/// Those of [`file::read`] and of [`parse`].
pub fn read(path: &Path, axes: &[Axis]) -> Result<Idx> {
    parse(path, &file::read(path)?, axes)
}

/// The array in the content of an IDX file, plain or gzip (told apart by the first two bytes, not by the name).
/// `path` is for messages only.
///
/// The file must hold exactly what its header says, of the dimensions that `axes` lists. Nothing is allocated
/// before the bytes for it have been seen.
///
/// # Errors
/// [`Error::File`] with the byte: a wrong start of the magic number, type, number of dimensions or size; sizes
/// whose product exceeds [`MAX_BYTES`]; content that ends early or goes on; a damaged or cut gzip stream.
pub fn parse(path: &Path, file: &[u8], axes: &[Axis]) -> Result<Idx> {
    if file.starts_with(&GZIP_MAGIC) {
        Content { path, reader: MultiGzDecoder::new(file), at: 0 }.array(axes)
    } else {
        Content { path, reader: file, at: 0 }.array(axes)
    }
}

/// Unpacked content, read front to back.
struct Content<'a, R> {
    path: &'a Path,
    reader: R,
    /// How many bytes have been read.
    at: u64,
}

impl<R: Read> Content<'_, R> {
    fn array(mut self, axes: &[Axis]) -> Result<Idx> {
        self.magic_number(axes.len())?;
        let sizes = axes.iter().map(|axis| self.size(axis)).collect::<Result<Vec<u32>>>()?;
        let product = sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" x ");
        let length = sizes
            .iter()
            .try_fold(1_u64, |length, &size| length.checked_mul(size.into()))
            .filter(|&length| length <= MAX_BYTES)
            .ok_or_else(|| self.error("byte 4, sizes", format!("a product of at most {MAX_BYTES}"), &product))?;
        // One byte more than there should be tells a file that goes on, and makes gzip verify its checksum.
        let bytes = self.take(length + 1)?;
        let found = bytes.len() as u64;
        if found < length {
            let expected = format!("{length} bytes after the header ({product})");
            return Err(self.error(format!("byte {}, end of data", self.at), expected, found));
        }
        if found > length {
            let end = self.at - 1;
            return Err(self.error(format!("byte {end}"), format!("the end after {product} bytes"), "more"));
        }
        Ok(Idx { shape: sizes.iter().map(|&size| size as usize).collect(), bytes })
    }

    fn magic_number(&mut self, dimensions: usize) -> Result<()> {
        let [zero, zero_too, kind, count] = self.word("magic number")?;
        if [zero, zero_too] != [0, 0] {
            let expected = format!("0x0000{UNSIGNED_BYTES:02x}{dimensions:02x}");
            let found = format!("0x{:08x}", u32::from_be_bytes([zero, zero_too, kind, count]));
            return Err(self.error("byte 0, magic number", expected, found));
        }
        if kind != UNSIGNED_BYTES {
            let expected = format!("0x{UNSIGNED_BYTES:02x} (unsigned bytes)");
            return Err(self.error("byte 2, type", expected, format!("0x{kind:02x}")));
        }
        if usize::from(count) != dimensions {
            return Err(self.error("byte 3, number of dimensions", dimensions.to_string(), count));
        }
        Ok(())
    }

    fn size(&mut self, axis: &Axis) -> Result<u32> {
        let place = format!("byte {}, {}", self.at, axis.name);
        let size = u32::from_be_bytes(self.word(axis.name)?);
        match axis.size {
            Some(expected) if size != expected => Err(self.error(place, expected.to_string(), size)),
            None if size == 0 => Err(self.error(place, "at least 1", size)),
            _ => Ok(size),
        }
    }

    /// The next four bytes.
    fn word(&mut self, name: &str) -> Result<[u8; 4]> {
        let place = format!("byte {}, {name}", self.at);
        let bytes = self.take(4)?;
        <[u8; 4]>::try_from(bytes.as_slice()).map_err(|_| self.error(place, "4 bytes", bytes.len()))
    }

    /// The next `count` bytes, or as many as there are.
    fn take(&mut self, count: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let outcome = file::read_at_most(&mut self.reader, count, &mut bytes);
        self.at += bytes.len() as u64;
        match outcome {
            Ok(()) => Ok(bytes),
            // A slice cannot fail to be read: this is the decoder's verdict on the gzip stream.
            Err(error) => {
                let found = match error.kind() {
                    io::ErrorKind::UnexpectedEof => "its end".into(),
                    _ => error.to_string(),
                };
                Err(self.error(format!("unpacked byte {}", self.at), "an intact gzip stream", found))
            }
        }
    }

    fn error(&self, place: impl Into<String>, expected: impl Into<String>, found: impl ToString) -> Error {
        Error::file(self.path, place, expected, found)
    }
}
