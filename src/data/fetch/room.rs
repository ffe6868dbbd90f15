//! Room on the disk: asked for before it is needed, and named when it runs out.

use crate::error::{Error, Result, is_out_of_space};
use crate::output;
use std::io;
use std::path::Path;

const REMEDY: &str = "make room, then the same command continues";

/// That the file system of `path`'s folder has room for `bytes` more. Where the system does not say what is free,
/// writing will show.
///
/// # Errors
/// [`Error::Fetch`] naming `path`, what it needs and what is free.
pub(super) fn require(path: &Path, bytes: u64) -> Result<()> {
    match output::free_bytes(path) {
        Some(free) if free < bytes => {
            let found = format!("{free} bytes free");
            Err(Error::fetch(path.display(), needed(bytes), found, REMEDY))
        }
        _ => Ok(()),
    }
}

/// Why writing failed with `bytes` left to write: a disk (or a quota, or a limit on file sizes) that is full, or
/// anything else the system says.
pub(super) fn write_error(path: &Path, bytes: u64, source: io::Error) -> Error {
    if !is_out_of_space(&source) {
        return Error::io(path, "write")(source);
    }
    let free = output::free_bytes(path).map_or(String::new(), |free| format!(" ({free} bytes free)"));
    Error::fetch(path.display(), needed(bytes), format!("{source}{free}"), REMEDY)
}

fn needed(bytes: u64) -> String {
    format!("room for {bytes} more bytes")
}
