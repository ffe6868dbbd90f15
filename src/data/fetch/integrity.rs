//! Whether a file is the published one: its size, then its SHA-256.

use super::RemoteFile;
use crate::error::{Error, Result};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// SHA-256 of everything that can be read, in lower-case hexadecimal.
///
/// # Errors
/// The reader's.
pub(super) fn sha256(mut reader: impl Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut reader, &mut hash)?;
    Ok(format!("{:x}", hash.finalize()))
}

/// What is at a path where a file is to be.
pub(super) enum Presence {
    Absent,
    /// The published file.
    Right,
    /// Something else: what should be there and what is.
    Wrong {
        property: &'static str,
        expected: String,
        found: String,
    },
}

/// Whether `path` is the published `file`.
///
/// # Errors
/// [`Error::Io`] if it is there and cannot be read.
pub(super) fn presence(path: &Path, file: &RemoteFile) -> Result<Presence> {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Presence::Absent),
        Err(error) => return Err(Error::io(path, "look for")(error)),
    };
    let wrong = |property, expected: &dyn ToString, found: &dyn ToString| {
        Ok(Presence::Wrong { property, expected: expected.to_string(), found: found.to_string() })
    };
    if !metadata.is_file() {
        return wrong("kind", &"a file", &"something else");
    }
    if metadata.len() != file.size {
        return wrong("size in bytes", &file.size, &metadata.len());
    }
    let found = File::open(path).and_then(sha256).map_err(Error::io(path, "read"))?;
    if found == file.sha256 { Ok(Presence::Right) } else { wrong("SHA-256", &file.sha256, &found) }
}
