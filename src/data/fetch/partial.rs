//! The file that a download grows in, `<name>.part` beside its destination: whatever has arrived stays there until
//! it is whole, verified, synced and renamed.

use super::{integrity, room};
use crate::error::{Error, Result};
use crate::output::sync_directory_of;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A partial file, open and locked, with the position at its end.
pub(super) struct Partial {
    path: PathBuf,
    target: PathBuf,
    file: File,
    length: u64,
    size: u64,
}

impl Partial {
    /// Where the parts of `target` are kept.
    pub(super) fn path_of(target: &Path) -> PathBuf {
        let mut path = target.as_os_str().to_owned();
        path.push(".part");
        path.into()
    }

    /// Opens what there is of `target`, which will have `size` bytes; one that is already longer starts over.
    ///
    /// # Errors
    /// [`Error::File`] if something else has its name, [`Error::Io`] if it cannot be opened or written,
    /// [`Error::Fetch`] if another process is downloading to it.
    pub(super) fn open(target: &Path, size: u64) -> Result<Self> {
        let path = Self::path_of(target);
        if fs::symlink_metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(Error::file(path, "partial file", "a regular file or none", "something else of this name"));
        }
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(Error::io(&path, "create"))?;
        lock(&file, &path)?;
        let mut partial = Self { path, target: target.to_path_buf(), file, length: 0, size };
        partial.length = partial.file.seek(SeekFrom::End(0)).map_err(Error::io(&partial.path, "read"))?;
        if partial.length > size {
            partial.clear()?;
        }
        Ok(partial)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes have arrived.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// How many bytes are missing.
    pub(super) fn missing(&self) -> u64 {
        self.size - self.length
    }

    /// Adds bytes, which are no more than are missing.
    ///
    /// # Errors
    /// A full disk as [`Error::Fetch`], anything else as [`Error::Io`]. What was written stays.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| room::write_error(&self.path, self.missing(), error))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Throws everything away.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn clear(&mut self) -> Result<()> {
        self.file.set_len(0).and_then(|()| self.file.rewind()).map_err(Error::io(&self.path, "truncate"))?;
        self.length = 0;
        Ok(())
    }

    /// SHA-256 of what is on the disk, not of what was meant to be written.
    ///
    /// # Errors
    /// [`Error::Io`]; those of `go_on` ([`integrity::sha256`]).
    pub(super) fn sha256(&mut self, go_on: &dyn Fn(u64) -> Result<()>) -> Result<String> {
        self.file.rewind().map_err(Error::io(&self.path, "read"))?;
        integrity::sha256(&self.file, &self.path, go_on)
    }

    /// Syncs the verified file and gives it its name, replacing what had it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn put_in_place(self) -> Result<()> {
        self.file.sync_all().map_err(Error::io(&self.path, "sync"))?;
        fs::rename(&self.path, &self.target).map_err(Error::io(&self.target, "rename into"))?;
        sync_directory_of(&self.target)
    }
}

impl Drop for Partial {
    /// A partial file without a byte is of no use to anyone.
    fn drop(&mut self) {
        if self.size > 0 && self.file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
            // Nothing depends on it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Takes the lock that keeps a second process away, where the file system has locks. It ends with the handle.
///
/// # Errors
/// [`Error::Fetch`] if another process holds it.
pub(super) fn lock(file: &File, path: &Path) -> Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Error::fetch(
            path.display(),
            "no other process to use it",
            "one that does",
            "wait for it to end, or choose another folder with --to",
        )),
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}
