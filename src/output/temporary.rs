//! Temporary files and folders: locked while they are filled, removed however the process ends, or by the next one.

use super::{directory_of, sync_directory_of};
use crate::error::{Error, Result};
use std::collections::BTreeSet;
use std::collections::hash_map::RandomState;
use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::hash::{BuildHasher, Hasher};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

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

fn remove(path: &Path) -> io::Result<()> {
    if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
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

/// Something under a name of [`LIVE`], removed when it is dropped without having got another.
struct Temporary {
    path: PathBuf,
    /// Locked, which says that its process lives.
    handle: File,
    is_kept: bool,
}

impl Temporary {
    /// What `make` makes under a name in `directory` that nothing has.
    fn new(directory: &Path, make: impl Fn(&Path) -> io::Result<File>) -> io::Result<Self> {
        remove_abandoned(directory);
        loop {
            // Seeded by the system, so that no two processes try the same names, whatever machine they are on.
            let number = RandomState::new().build_hasher().finish();
            let path = directory.join(format!("{PREFIX}{number:016x}{SUFFIX}"));
            let mut live = live();
            let handle = match make(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                made => made?,
            };
            // In the instant before it is locked, another process takes it for abandoned. Where the file system has no
            // locks, nobody does.
            let is_taken = matches!(handle.try_lock(), Err(TryLockError::WouldBlock));
            if !is_taken && path.exists() {
                live.insert(path.clone());
                return Ok(Self { path, handle, is_kept: false });
            }
        }
    }

    /// Gives it its name.
    fn rename_into(mut self, place: &Path) -> Result<()> {
        fs::rename(&self.path, place).map_err(Error::io(place, "rename into"))?;
        self.is_kept = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_kept {
            // The next process that writes there tries again.
            let _ = remove(&self.path);
        }
        live().remove(&self.path);
    }
}

/// A file, to be read and written, whose name is gone already: nothing is left of it when it is closed.
///
/// # Errors
/// The system's, if nothing can be written in `directory`.
pub(crate) fn unnamed_file(directory: &Path) -> io::Result<File> {
    if let Some(file) = never_named(directory) {
        return Ok(file);
    }
    let named =
        Temporary::new(directory, |path| OpenOptions::new().read(true).write(true).create_new(true).open(path))?;
    named.handle.try_clone()
}

/// The same without a name from the beginning, where system and file system know such files: nobody sees it come and go.
#[cfg(all(feature = "cli", target_os = "linux"))]
fn never_named(directory: &Path) -> Option<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600).custom_flags(libc::O_TMPFILE);
    options.open(directory).ok()
}

#[cfg(not(all(feature = "cli", target_os = "linux")))]
fn never_named(_: &Path) -> Option<File> {
    None
}

/// A temporary file, removed when it is dropped without having been renamed.
pub(super) struct TemporaryFile(Temporary);

impl TemporaryFile {
    /// Beside `place`, with no more permissions than these; without any, with those that the umask leaves.
    pub fn beside(place: &Path, permissions: Option<Permissions>) -> Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        if let Some(permissions) = permissions {
            use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
            options.mode(permissions.mode());
        }
        #[cfg(not(unix))]
        drop(permissions);
        let made = Temporary::new(directory_of(place), |path| options.open(path));
        made.map(Self).map_err(Error::io(place, "create a temporary file beside"))
    }

    pub fn file(&mut self) -> &mut File {
        &mut self.0.handle
    }

    pub fn rename_into(self, place: &Path) -> Result<()> {
        self.0.rename_into(place)
    }
}

/// A folder under a temporary name, beside its place; removed when it is dropped without having been completed.
pub struct NewFolder {
    folder: Temporary,
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
        let make = |path: &Path| {
            fs::create_dir(path)?;
            File::open(path).inspect_err(|_| drop(fs::remove_dir(path)))
        };
        let folder = Temporary::new(parent, make).map_err(Error::io(place, "create a temporary folder beside"))?;
        Ok(Self { folder, place: place.to_path_buf() })
    }

    /// Where it is until it is complete.
    pub fn path(&self) -> &Path {
        &self.folder.path
    }

    /// Gives the folder its name.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn complete(self) -> Result<()> {
        self.folder.rename_into(&self.place)?;
        sync_directory_of(&self.place)
    }
}
