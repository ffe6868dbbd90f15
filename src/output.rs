//! Writing what lasts: a file appears at its place when it is complete, or not at all.
//!
//! Each is written under a temporary name beside its place, `.gdstar-*.part`, and renamed. The temporary file is locked as
//! long as its process lives, so that one that a killed process left behind is known as such, and is removed by the next
//! that writes there. A place that is no regular file (a pipe, a device) is written into as it is, and a link is followed.

mod temporary;

pub use temporary::{NewFolder, exit};
pub(crate) use temporary::{remove_abandoned, unnamed_file};

use crate::error::{Error, Result};
use crate::input;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::path::{Path, PathBuf};
use temporary::TemporaryFile;

/// Creates or replaces `path` in one step: a temporary file beside it is written, synced and renamed, and the
/// directory synced, so that a crash at any instant leaves the old file or the new one. A file that is replaced keeps its
/// permissions, a new one has those that the umask leaves; links are followed, and what is no regular file is written into.
///
/// # Errors
/// [`Error::Io`] if any of these steps fails, [`Error::File`] if `path` is a folder.
pub fn write_atomically(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<()> {
    let (place, permissions) = match place(path)? {
        Place::Stream => return write_through(path, fill),
        Place::New(place) => (place, None),
        Place::Taken(place, permissions) => (place, Some(permissions)),
    };
    let mut temporary = TemporaryFile::beside(&place, permissions.clone())?;
    fill(temporary.file()).map_err(Error::io(path, "write"))?;
    if let Some(permissions) = permissions {
        temporary.file().set_permissions(permissions).map_err(Error::io(path, "set permissions of"))?;
    }
    temporary.file().sync_all().map_err(Error::io(path, "sync"))?;
    temporary.rename_into(&place)?;
    sync_directory_of(&place)
}

/// Creates or replaces `path` by the file `from`, which is complete and synced, as [`write_atomically`] does: in one step
/// where both are in one file system.
///
/// # Errors
/// As [`write_atomically`].
pub(crate) fn move_into(from: &Path, path: &Path) -> Result<()> {
    let (place, permissions) = match place(path)? {
        Place::New(place) => (place, None),
        Place::Taken(place, permissions) => (place, Some(permissions)),
        Place::Stream => return copy_into(from, path),
    };
    if let Some(permissions) = permissions {
        fs::set_permissions(from, permissions).map_err(Error::io(from, "set permissions of"))?;
    }
    match fs::rename(from, &place) {
        Ok(()) => sync_directory_of(&place),
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => copy_into(from, path),
        Err(error) => Err(Error::io(path, "rename into")(error)),
    }
}

fn copy_into(from: &Path, path: &Path) -> Result<()> {
    let mut content = File::open(from).map_err(Error::io(from, "open"))?;
    write_atomically(path, |file| io::copy(&mut content, file).map(drop))?;
    fs::remove_file(from).map_err(Error::io(from, "remove"))
}

/// Looks whether a result can be written at `path`, before the work that it takes: `path` is no folder, is none of
/// `others`, which are read or written as well, and its folder is there and can be written to. `option` is what named
/// `path`.
///
/// # Errors
/// [`Error::Domain`] naming `option` if `path` is one of `others`; [`Error::File`] if it is a folder; [`Error::Io`] if
/// nothing can be written there.
pub fn check(option: &str, path: &Path, others: &[impl AsRef<Path>]) -> Result<()> {
    let (Place::New(place) | Place::Taken(place, _)) = place(path)? else { return Ok(()) };
    check_distinct(option, path, others)?;
    unnamed_file(directory_of(&place)).map(drop).map_err(Error::io(path, "create a file beside"))
}

/// The part of [`check`] that can be said of a file in a folder that is not there yet: it is none of `others`.
///
/// # Errors
/// [`Error::Domain`] naming `option` if `path` is one of `others`; [`Error::Io`] if the system cannot say where it is.
pub fn check_distinct(option: &str, path: &Path, others: &[impl AsRef<Path>]) -> Result<()> {
    let place = |path: &Path| resolved(path).or_else(|_| std::path::absolute(path).map_err(Error::io(path, "find")));
    let own = place(path)?;
    if others.iter().any(|other| place(other.as_ref()).is_ok_and(|other| other == own)) {
        let expected = "a file other than those the command reads or writes besides";
        return Err(Error::domain(option, expected, path.display()));
    }
    Ok(())
}

/// [`check`] for a result that must not replace anything.
///
/// # Errors
/// As [`check`]; [`Error::Domain`] naming `option` if there is something at `path`.
pub fn check_new(option: &str, path: &Path, others: &[impl AsRef<Path>]) -> Result<()> {
    check(option, path, others)?;
    if let Place::New(_) = place(path)? {
        return Ok(());
    }
    let found = format!("{}, which is there; remove it, or give another name", path.display());
    Err(Error::domain(option, "a file that is not there yet", found))
}

/// Looks whether files can be written in a folder of this path, which is made if need be, before the work that they take.
///
/// # Errors
/// [`Error::File`] if something else has its name or a name above it; [`Error::Io`] if nothing can be written there.
pub fn check_folder(path: &Path) -> Result<()> {
    let there = path.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("."));
    let found = fs::metadata(there).map_err(Error::io(there, "look at"))?.file_type();
    if !found.is_dir() {
        return Err(Error::file(there, "file type", "a folder", input::name(found)));
    }
    unnamed_file(there).map(drop).map_err(Error::io(path, "create a file in"))
}

/// What is where something is to be written; links are followed.
enum Place {
    New(PathBuf),
    /// A regular file, which will be replaced.
    Taken(PathBuf, Permissions),
    /// A pipe, a device: something that is written into.
    Stream,
}

fn place(path: &Path) -> Result<Place> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() => Ok(Place::Taken(resolved(path)?, found.permissions())),
        Ok(found) if found.is_dir() => {
            Err(Error::file(path, "file type", "a file, or nothing yet", input::name(found.file_type())))
        }
        Ok(_) => Ok(Place::Stream),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Place::New(resolved(path)?)),
        Err(error) => Err(Error::io(path, "look at")(error)),
    }
}

fn write_through(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<()> {
    let mut stream = OpenOptions::new().write(true).open(path).map_err(Error::io(path, "open"))?;
    fill(&mut stream).map_err(Error::io(path, "write"))
}

/// Where a file is or will be when all links are followed, as one absolute path.
///
/// # Errors
/// [`Error::Io`] if its folder is not there, or links go in a circle.
pub fn resolved(path: &Path) -> Result<PathBuf> {
    /// As many as Linux follows.
    const MOST_LINKS: usize = 40;
    let mut place = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        let Some(name) = place.file_name() else { break };
        place = directory_of(&place).canonicalize().map_err(Error::io(path, "find its folder"))?.join(name);
        match fs::read_link(&place) {
            Ok(target) => place = directory_of(&place).join(target),
            Err(_) => return Ok(place),
        }
    }
    // It ends in `..` or in a circle of links; whatever that is, the system says it.
    path.canonicalize().map_err(Error::io(path, "find"))
}

/// Makes a rename to `path` durable: it is once its directory is. Platforms that cannot open a directory have
/// nothing to sync.
///
/// # Errors
/// [`Error::Io`] if syncing fails.
pub(crate) fn sync_directory_of(path: &Path) -> Result<()> {
    match File::open(directory_of(path)) {
        Ok(directory) => directory.sync_all().map_err(Error::io(path, "sync the directory of")),
        Err(_) => Ok(()),
    }
}

/// The bytes that are free for this file beside what it has; `None` where the system does not say.
#[cfg(feature = "cli")]
pub(crate) fn free_bytes(path: &Path) -> Option<u64> {
    fs4::available_space(directory_of(path)).ok()
}

/// The same without what asks the system: writing will show.
#[cfg(not(feature = "cli"))]
pub(crate) fn free_bytes(_: &Path) -> Option<u64> {
    None
}

/// Where a file is, or will be.
pub(crate) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
