//! One process at a time in a run folder.

use crate::error::{Error, Result};
use std::fs::{File, TryLockError};
use std::path::Path;

/// The lock of a folder, released with its handle, also when the process is killed. `None` where the platform cannot
/// open folders or the file system cannot lock them: nobody is kept away there.
pub(super) type FolderLock = Option<File>;

/// Takes the folder for this process.
///
/// # Errors
/// [`Error::File`] if another process has it.
pub(super) fn lock(path: &Path) -> Result<FolderLock> {
    let Ok(folder) = File::open(path) else { return Ok(None) };
    match folder.try_lock() {
        Ok(()) => Ok(Some(folder)),
        Err(TryLockError::WouldBlock) => {
            let found = "one that trains in it; wait for it to end, or choose another --out";
            Err(Error::file(path, "run folder", "no other process", found))
        }
        Err(TryLockError::Error(_)) => Ok(None),
    }
}
