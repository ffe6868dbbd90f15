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
use crate::input::{self, Kind};
use flate2::bufread::MultiGzDecoder;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek};
use std::path::Path;

/// The first two bytes of a gzip file (RFC 1952, section 2.3.1). No IDX file starts with them.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// The type byte of unsigned bytes.
const UNSIGNED_BYTES: u8 = 0x08;
/// Longer data are read twice, the first time without being kept: a gigabyte of zeros is a gzip file of one megabyte, and
/// whether all of it is there and nothing more shows at its end.
const MOST_UNPROVEN: u64 = 1 << 28;

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
/// Those of [`input::open`] and of [`parse`]; [`Error::Io`].
pub fn read(path: &Path, axes: &[Axis]) -> Result<Idx> {
    let (file, _) = input::open(path, Kind::DataSet)?;
    unpack(path, BufReader::new(file), axes)
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
    unpack(path, Cursor::new(file), axes)
}

fn unpack(path: &Path, mut file: impl BufRead + Seek, axes: &[Axis]) -> Result<Idx> {
    let failed = |error| Error::io(path, "read")(error);
    let packed = file.fill_buf().map_err(failed)?.starts_with(&GZIP_MAGIC);
    content(path, &mut file, packed).prove(axes)?;
    file.rewind().map_err(failed)?;
    content(path, &mut file, packed).array(axes)
}

fn content<'a>(path: &'a Path, file: &'a mut impl BufRead, packed: bool) -> Content<'a, Box<dyn Read + 'a>> {
    let reader: Box<dyn Read> = if packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    Content { path, reader, at: 0 }
}

/// What a header says.
struct Header {
    shape: Vec<usize>,
    /// The product of the sizes, as it is written, and as a number.
    product: String,
    length: u64,
}

/// Unpacked content, read front to back.
struct Content<'a, R> {
    path: &'a Path,
    reader: R,
    /// How many bytes have been read.
    at: u64,
}

impl<R: Read> Content<'_, R> {
    /// Reads data without keeping them, where they are long.
    fn prove(mut self, axes: &[Axis]) -> Result<()> {
        let header = self.header(axes)?;
        if header.length <= MOST_UNPROVEN {
            return Ok(());
        }
        let mut counted = self.reader.by_ref().take(header.length + 1);
        let outcome = io::copy(&mut counted, &mut io::sink());
        let found = header.length + 1 - counted.limit();
        self.at += found;
        outcome.map_err(|error| self.unreadable(&error))?;
        self.check_length(&header, found)
    }

    fn array(mut self, axes: &[Axis]) -> Result<Idx> {
        let header = self.header(axes)?;
        // One byte more than there should be tells a file that goes on, and makes gzip verify its checksum.
        let bytes = self.take(header.length + 1)?;
        self.check_length(&header, bytes.len() as u64)?;
        Ok(Idx { shape: header.shape, bytes })
    }

    fn header(&mut self, axes: &[Axis]) -> Result<Header> {
        self.magic_number(axes.len())?;
        let sizes = axes.iter().map(|axis| self.size(axis)).collect::<Result<Vec<u32>>>()?;
        let product = sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" x ");
        let length = sizes
            .iter()
            .try_fold(1_u64, |length, &size| length.checked_mul(size.into()))
            .filter(|&length| length <= MAX_BYTES)
            .ok_or_else(|| self.error("byte 4, sizes", format!("a product of at most {MAX_BYTES}"), &product))?;
        Ok(Header { shape: sizes.iter().map(|&size| size as usize).collect(), product, length })
    }

    /// That `found` bytes follow the header, as it says, of one more that were asked for.
    fn check_length(&self, Header { product, length, .. }: &Header, found: u64) -> Result<()> {
        if found < *length {
            let expected = format!("{length} bytes after the header ({product})");
            return Err(self.error(format!("byte {}, end of data", self.at), expected, found));
        }
        if found > *length {
            let end = self.at - 1;
            return Err(self.error(format!("byte {end}"), format!("the end after {product} bytes"), "more"));
        }
        Ok(())
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
        outcome.map(|()| bytes).map_err(|error| self.unreadable(&error))
    }

    /// Why the content cannot be read on: it is the gzip decoder that finds fault with it, or the system.
    fn unreadable(&self, error: &io::Error) -> Error {
        let found = match error.kind() {
            io::ErrorKind::UnexpectedEof => "its end".into(),
            _ => error.to_string(),
        };
        self.error(format!("unpacked byte {}", self.at), "an intact gzip stream", found)
    }

    fn error(&self, place: impl Into<String>, expected: impl Into<String>, found: impl ToString) -> Error {
        Error::file(self.path, place, expected, found)
    }
}
