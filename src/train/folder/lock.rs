//! One process at a time in a run folder, and what killed ones left there.

use crate::error::{Error, Result};
use crate::tensor_file::is_part;
use std::fs::{self, File, TryLockError};
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

/// Removes the files that processes were writing here when they were killed. Only for who has the lock.
///
/// # Errors
/// [`Error::Io`].
pub(super) fn remove_parts(path: &Path) -> Result<()> {
    for entry in fs::read_dir(path).map_err(Error::io(path, "list"))? {
        let entry = entry.map_err(Error::io(path, "list"))?;
        if is_part(&entry.file_name()) && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            fs::remove_file(entry.path()).map_err(Error::io(entry.path(), "remove"))?;
        }
    }
    Ok(())
}
