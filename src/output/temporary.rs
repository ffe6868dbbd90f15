//! Temporary files and folders: locked while they are filled, removed however the process ends, or by the next one.

use super::{directory_of, sync_directory_of};
use crate::error::{Error, Result};
use std::collections::BTreeSet;
use std::fs::{self, File, Permissions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tempfile::{Builder, NamedTempFile, TempDir};

const PREFIX: &str = ".gdstar-";
const SUFFIX: &str = ".part";

/// Those of this process.
static LIVE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn live() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    // A set of paths is as good after another thread's panic as before.
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the process at once with this exit code, as a second Ctrl-C asks, after removing its temporary files and folders.
pub fn exit(code: i32) -> ! {
    // Held to the end, so that no other thread makes a new one.
    let live = live();
    for path in live.iter() {
        // Whatever cannot be removed now, the next process that writes there tries again.
        let _ = remove(path);
    }
    std::process::exit(code)
}

fn remove(path: &Path) -> std::io::Result<()> {
    if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

/// A name in [`LIVE`], as long as this lives.
struct Live(PathBuf);

impl Drop for Live {
    fn drop(&mut self) {
        live().remove(&self.0);
    }
}

/// What `make` makes in `directory`, registered, and the lock on it that says that its process lives.
fn registered<T>(
    directory: &Path,
    make: impl Fn() -> std::io::Result<T>,
    path: impl Fn(&T) -> &Path,
    handle: impl Fn(&T) -> std::io::Result<File>,
) -> std::io::Result<(T, Live, File)> {
    remove_abandoned(directory);
    loop {
        let mut live = live();
        let made = make()?;
        let (path, lock) = (path(&made).to_path_buf(), handle(&made)?);
        // In the instant before it is locked, another process takes it for abandoned. Where the file system has no locks,
        // nobody does.
        let is_taken = matches!(lock.try_lock(), Err(TryLockError::WouldBlock));
        if !is_taken && path.exists() {
            live.insert(path.clone());
            return Ok((made, Live(path), lock));
        }
    }
}

/// Removes what killed processes left in `directory`.
pub(crate) fn remove_abandoned(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_ours = name.starts_with(PREFIX) && name.ends_with(SUFFIX);
        if is_ours && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            // It is somebody else's to remove, if not ours.
            let _ = remove(&entry.path());
        }
    }
}

/// A temporary file, removed when it is dropped without having been renamed.
pub(super) struct TemporaryFile {
    file: NamedTempFile,
    live: Live,
    _lock: File,
}

impl TemporaryFile {
    /// Beside `place`, with no more permissions than these; without any, with those that the umask leaves.
    pub fn beside(place: &Path, permissions: Option<Permissions>) -> Result<Self> {
        let directory = directory_of(place);
        let mut builder = Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX);
        // Temporary files are private to their owner unless one says otherwise; the umask still applies.
        #[cfg(unix)]
        builder.permissions(permissions.unwrap_or_else(|| std::os::unix::fs::PermissionsExt::from_mode(0o666)));
        #[cfg(not(unix))]
        drop(permissions);
        let made =
            registered(directory, || builder.tempfile_in(directory), NamedTempFile::path, |f| f.as_file().try_clone());
        let (file, live, _lock) = made.map_err(Error::io(place, "create a temporary file beside"))?;
        Ok(Self { file, live, _lock })
    }

    pub fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    pub fn rename_into(self, place: &Path) -> Result<()> {
        let Self { file, live, .. } = self;
        file.persist(place).map_err(|e| Error::io(place, "rename into")(e.error))?;
        drop(live);
        Ok(())
    }
}

/// A folder under a temporary name, beside its place; removed when it is dropped without having been completed.
pub(crate) struct NewFolder {
    folder: TempDir,
    live: Live,
    _lock: File,
    place: PathBuf,
}

impl NewFolder {
    /// Makes the folder that is to be `place`, and the folders above it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn beside(place: &Path) -> Result<Self> {
        let parent = directory_of(place);
        fs::create_dir_all(parent).map_err(Error::io(parent, "create"))?;
        let mut builder = Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX);
        // As readable as any other folder: the umask still applies.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let made = registered(parent, || builder.tempdir_in(parent), TempDir::path, |folder| File::open(folder.path()));
        let (folder, live, _lock) = made.map_err(Error::io(place, "create a temporary folder beside"))?;
        Ok(Self { folder, live, _lock, place: place.to_path_buf() })
    }

    /// Where it is until it is complete.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Gives the folder its name.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn complete(self) -> Result<()> {
        let Self { folder, live, place, .. } = self;
        fs::rename(folder.path(), &place).map_err(Error::io(&place, "rename into"))?;
        // Nothing is left under the temporary name to be removed.
        let _ = folder.keep();
        drop(live);
        sync_directory_of(&place)
    }
}
