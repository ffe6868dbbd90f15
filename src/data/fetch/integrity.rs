//! Whether a file is the published one: its size, then its SHA-256.

use super::{BLOCK, RemoteFile};
use crate::error::{Error, Result};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// SHA-256 of everything that can be read of `path`, in lower-case hexadecimal. `go_on` is asked before each block, with
/// the number of bytes that have been read.
///
/// # Errors
/// [`Error::Io`], and those of `go_on`.
pub(super) fn sha256(mut reader: impl Read, path: &Path, go_on: &dyn Fn(u64) -> Result<()>) -> Result<String> {
    let (mut hash, mut block, mut done) = (Sha256::new(), vec![0; BLOCK], 0);
    loop {
        go_on(done)?;
        match reader.read(&mut block) {
            Ok(0) => return Ok(format!("{:x}", hash.finalize())),
            Ok(count) => {
                hash.update(&block[..count]);
                done += count as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::io(path, "read")(error)),
        }
    }
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
/// [`Error::Io`] if it is there and cannot be read; those of `go_on` ([`sha256`]).
pub(super) fn presence(path: &Path, file: &RemoteFile, go_on: &dyn Fn(u64) -> Result<()>) -> Result<Presence> {
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
    let found = sha256(File::open(path).map_err(Error::io(path, "read"))?, path, go_on)?;
    if found == file.sha256 { Ok(Presence::Right) } else { wrong("SHA-256", &file.sha256, &found) }
}
