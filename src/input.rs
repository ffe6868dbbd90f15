//! Opening what a user names: a regular file, no larger than its kind can be, or a refusal before a byte of it is read.
//!
//! A pipe would be waited for, a device may never end, and a size that a file only claims can be any. So what is set
//! aside for a file follows the bytes that are there, and stays below half a gigabyte until the file has proved to be
//! what it is taken for.

use crate::error::{Error, Result};
use std::fs::{self, File, FileType};
use std::io::Read;
use std::path::Path;

/// What a file is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// TOML, a few lines of which are a run's configuration.
    Configuration,
    /// `metrics.jsonl`: some hundred bytes an epoch.
    Metrics,
    /// A line for each of a data set's files or classes; a few functions.
    List,
    /// One PNG or JPEG.
    Image,
    /// Binary records of images that are read into memory as a whole, one file of several.
    Records,
    /// Images or an archive of them, read front to back.
    DataSet,
    /// Safetensors, of which the header is read, and a tensor when it is asked for.
    Tensors,
}

impl Kind {
    /// The most bytes that a file of this kind can have: far above any real one, and little enough that what is made of
    /// them before they are believed fits into half a gigabyte.
    #[must_use]
    pub const fn limit(self) -> u64 {
        match self {
            Self::Configuration => 1 << 20,
            Self::List => 1 << 24,
            Self::Metrics => 1 << 26,
            Self::Image => 1 << 27,
            Self::Records => 1 << 28,
            Self::DataSet => 1 << 30,
            Self::Tensors => u64::MAX,
        }
    }
}

/// An open regular file and its size in bytes. Links are followed.
///
/// # Errors
/// [`Error::Io`] if it cannot be opened; [`Error::File`] if it is a folder, pipe, socket or device, or larger than a file
/// of its kind can be.
pub fn open(path: &Path, kind: Kind) -> Result<(File, u64)> {
    let failed = |error| Error::io(path, "read")(error);
    // Looked at before it is opened: opening a pipe waits for somebody to write into it.
    check_regular(path, fs::metadata(path).map_err(failed)?.file_type())?;
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    check_regular(path, metadata.file_type())?;
    check_size(path, kind, metadata.len())?;
    Ok((file, metadata.len()))
}

/// The whole content of a file.
///
/// # Errors
/// As [`open`]; [`Error::Io`] if it cannot be read.
pub fn read(path: &Path, kind: Kind) -> Result<Vec<u8>> {
    let (file, size) = open(path, kind)?;
    // A file may grow while it is read: what is read counts.
    let mut content = Vec::with_capacity(size as usize);
    file.take(kind.limit().saturating_add(1)).read_to_end(&mut content).map_err(Error::io(path, "read"))?;
    check_size(path, kind, content.len() as u64)?;
    Ok(content)
}

/// The first bytes of a file of any size, `count` of them or as many as there are.
///
/// # Errors
/// As [`open`]; [`Error::Io`] if it cannot be read.
pub fn beginning(path: &Path, count: u64) -> Result<Vec<u8>> {
    let (file, _) = open(path, Kind::Tensors)?;
    let mut bytes = Vec::new();
    file.take(count).read_to_end(&mut bytes).map_err(Error::io(path, "read"))?;
    Ok(bytes)
}

/// The whole content of a file of text.
///
/// # Errors
/// As [`read`]; [`Error::File`] with the byte that is not UTF-8.
pub fn read_text(path: &Path, kind: Kind) -> Result<String> {
    String::from_utf8(read(path, kind)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let byte = error.as_bytes().get(at).copied().unwrap_or_default();
        Error::file(path, format!("byte {at}"), "text in UTF-8", format!("0x{byte:02x}"))
    })
}

fn check_regular(path: &Path, found: FileType) -> Result<()> {
    if found.is_file() {
        return Ok(());
    }
    Err(Error::file(path, "file type", "a regular file", name(found)))
}

fn check_size(path: &Path, kind: Kind, size: u64) -> Result<()> {
    if size <= kind.limit() {
        return Ok(());
    }
    Err(Error::file(path, "file size", format!("at most {} bytes", kind.limit()), size))
}

/// What is at a path, for messages.
pub(crate) fn name(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "a pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    if kind.is_dir() {
        "a folder"
    } else if kind.is_file() {
        "a file"
    } else {
        "something else"
    }
}
