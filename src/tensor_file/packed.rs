//! Files that gzip compressed, unpacked where tensors of them can be looked up.

use super::{LARGEST_HEADER, PREFIX, foreign, header::Header};
use crate::error::{Error, Result};
use crate::output;
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// What a compressed file begins with.
pub(super) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The content of the compressed safetensors file `packed`, and how many bytes it has, in a file without a name where the
/// system has its temporary ones.
///
/// No more is unpacked than the header says there is, and a byte: a file that holds something else is refused by what
/// reads the header next, and takes no room before.
///
/// # Errors
/// [`Error::File`] if it is no complete compressed file, or what is in it is no safetensors file; [`Error::Io`].
pub(super) fn unpack(path: &Path, packed: &mut File) -> Result<(File, u64)> {
    let folder = std::env::temp_dir();
    let file = output::unnamed_file(&folder).map_err(Error::io(&folder, "create a temporary file in"))?;
    let mut unpacked = Unpacked { path, folder: &folder, file: BufWriter::new(file), size: 0 };
    let mut content = MultiGzDecoder::new(BufReader::new(packed));
    let mut head = Vec::new();
    unpacked.take(&mut content, PREFIX, &mut head)?;
    let Ok(prefix) = <[u8; PREFIX as usize]>::try_from(head.as_slice()) else { return unpacked.finish() };
    let length = u64::from_le_bytes(prefix);
    if length > LARGEST_HEADER {
        return Err(foreign::refusal(path, prefix, content));
    }
    head.clear();
    unpacked.take(&mut content, length, &mut head)?;
    // A header that is none is told by what reads it next.
    let rest = Header::claimed(head.as_slice()).map_or(0, |data| data.saturating_add(1));
    drop(head);
    unpacked.copy(&mut content, rest)?;
    unpacked.finish()
}

/// A file on its way out of its compressed form.
struct Unpacked<'a> {
    path: &'a Path,
    folder: &'a Path,
    file: BufWriter<File>,
    size: u64,
}

impl Unpacked<'_> {
    /// The next `bytes`, or all that there are, into the file and into `kept`.
    fn take(&mut self, content: &mut impl Read, bytes: u64, kept: &mut Vec<u8>) -> Result<()> {
        content.take(bytes).read_to_end(kept).map_err(|error| self.damaged(&error))?;
        self.write(kept)
    }

    /// The next `bytes`, or all that there are.
    fn copy(&mut self, content: &mut impl Read, bytes: u64) -> Result<()> {
        let (mut content, mut piece) = (content.take(bytes), vec![0; 1 << 16]);
        loop {
            match content.read(&mut piece).map_err(|error| self.damaged(&error))? {
                0 => return Ok(()),
                read => self.write(&piece[..read])?,
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.size += bytes.len() as u64;
        self.file.write_all(bytes).map_err(Error::io(self.folder, "write"))
    }

    fn damaged(&self, error: &std::io::Error) -> Error {
        let found = format!("{error}, after {} bytes of content", self.size);
        Error::file(self.path, "content", "a complete file that gzip compressed", found)
    }

    fn finish(self) -> Result<(File, u64)> {
        let failed = |error| Error::io(self.folder, "write")(error);
        let mut file = self.file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        Ok((file, self.size))
    }
}
