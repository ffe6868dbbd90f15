//! Unpacking a zip archive into the folder that the readers expect, without believing it: nothing outside that
//! folder, no links, no more than it claims, and no claim beyond a limit.

use super::{Archive, BLOCK, Event, Fetch, partial, room};
use crate::data::file::MAX_BYTES;
use crate::error::{Error, Result};
use crate::output::sync_directory_of;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use zip::ZipArchive;
use zip::read::ZipFile;

/// Unpacks the archive at `path` into a folder beside `target`, which is renamed to `target` once it is complete.
///
/// # Errors
/// [`Error::Fetch`] if the disk is full, the work is interrupted or another process does it; [`Error::File`] naming
/// the entry for an archive that is damaged, holds anything that is not a file or folder below its own folder, or
/// claims more than [`MAX_BYTES`] or another number of files than it should; [`Error::Io`].
pub(super) fn unpack(fetch: &mut Fetch<'_>, path: &Path, archive: &Archive, target: &Path) -> Result<()> {
    let file = File::open(path).map_err(Error::io(path, "open"))?;
    partial::lock(&file, path)?;
    let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|e| damaged(path, "directory", e))?;
    let bytes = claimed_bytes(&mut zip, path)?;
    room::require(target, bytes)?;
    let staging = Staging::new(target)?;
    (fetch.tell)(Event::Unpacking { path, bytes });
    let mut unpacking = Unpacking { fetch, path, archive, staging: &staging.0, bytes, done: 0, block: vec![0; BLOCK] };
    for index in 0..zip.len() {
        let entry = zip.by_index(index).map_err(|e| damaged(path, &format!("entry {index}"), e))?;
        unpacking.entry(entry)?;
    }
    let complete = staging.0.join(&archive.folder);
    let found = count_files(&complete)?;
    if found != archive.files {
        return Err(Error::file(path, "number of files that are not empty", archive.files.to_string(), found));
    }
    if target.try_exists().map_err(Error::io(target, "look for"))? {
        fs::rename(target, staging.0.join("replaced")).map_err(Error::io(target, "move away"))?;
    }
    fs::rename(&complete, target).map_err(Error::io(target, "rename into"))?;
    sync_directory_of(target)?;
    (fetch.tell)(Event::Unpacked { path: target });
    Ok(())
}

/// How many files that are not empty are below a folder. (Nothing in the archives is empty; after a crash of the
/// system, a file may be.)
///
/// # Errors
/// [`Error::Io`], also if `folder` is not a folder.
pub(super) fn count_files(folder: &Path) -> Result<usize> {
    let mut count = 0;
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(Error::io(&folder, "list"))? {
            let entry = entry.map_err(Error::io(&folder, "list"))?;
            let metadata = entry.metadata().map_err(Error::io(entry.path(), "look at"))?;
            if metadata.is_dir() {
                folders.push(entry.path());
            } else if metadata.is_file() && metadata.len() > 0 {
                count += 1;
            }
        }
    }
    Ok(count)
}

/// The sum of the sizes that the archive's directory claims.
fn claimed_bytes(zip: &mut ZipArchive<BufReader<File>>, path: &Path) -> Result<u64> {
    let mut total = 0u64;
    for index in 0..zip.len() {
        let entry = zip.by_index_raw(index).map_err(|e| damaged(path, &format!("entry {index}"), e))?;
        total = total.saturating_add(entry.size());
    }
    if total > MAX_BYTES {
        return Err(Error::file(path, "unpacked size", format!("at most {MAX_BYTES} bytes"), total));
    }
    Ok(total)
}

fn damaged(path: &Path, place: &str, error: impl std::fmt::Display) -> Error {
    Error::file(path, place, "a zip archive that can be unpacked", error)
}

/// The folder that an archive is unpacked in; what is in it at the end goes with it.
struct Staging(PathBuf);

impl Staging {
    /// An empty folder beside `target`; one that a killed process left is removed.
    fn new(target: &Path) -> Result<Self> {
        let path = partial::Partial::path_of(target);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::io(path, "remove")(error)),
            _ => {}
        }
        fs::create_dir(&path).map_err(Error::io(&path, "create"))?;
        Ok(Self(path))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Nothing depends on it, and the next call removes what is left.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The work on one archive's entries.
struct Unpacking<'a, 'b> {
    fetch: &'a mut Fetch<'b>,
    path: &'a Path,
    archive: &'a Archive,
    staging: &'a Path,
    bytes: u64,
    done: u64,
    block: Vec<u8>,
}

impl Unpacking<'_, '_> {
    /// Unpacks one file or makes one folder.
    fn entry(&mut self, entry: ZipFile<'_, impl Read>) -> Result<()> {
        let target = self.target(&entry)?;
        if entry.is_dir() {
            return fs::create_dir_all(&target).map_err(Error::io(&target, "create"));
        }
        let (name, claimed) = (entry.name().to_string(), entry.size());
        let mut file = create(&target)?;
        // One byte more than there should be is enough to know.
        let mut content = entry.take(claimed.saturating_add(1));
        let mut written = 0;
        loop {
            self.fetch.check_stop(self.path, self.done, self.bytes)?;
            let count =
                content.read(&mut self.block).map_err(|e| self.wrong(&name, "bytes that fit its checksum", e))?;
            if count == 0 {
                break;
            }
            written += count as u64;
            if written > claimed {
                break;
            }
            let missing = self.bytes - self.done;
            file.write_all(&self.block[..count]).map_err(|e| room::write_error(&target, missing, e))?;
        }
        if written != claimed {
            return Err(self.wrong(&name, format!("{claimed} bytes, as the directory says"), "another number"));
        }
        self.done += claimed;
        (self.fetch.tell)(Event::At(self.done));
        Ok(())
    }

    /// Where an entry goes: its own path, if that stays below the archive's folder.
    fn target(&self, entry: &ZipFile<'_, impl Read>) -> Result<PathBuf> {
        let name = entry.name();
        let parts: Vec<&str> = name.strip_suffix('/').unwrap_or(name).split('/').collect();
        let plain = |part: &&str| !matches!(*part, "" | "." | "..") && !part.contains(['\\', ':', '\0']);
        if parts.first() != Some(&self.archive.folder.as_str()) || !parts.iter().all(plain) {
            return Err(self.wrong(name, format!("a path below {}", self.archive.folder), "another path"));
        }
        if entry.is_symlink() {
            return Err(self.wrong(name, "a file or a folder", "a link"));
        }
        Ok(self.staging.join(parts.iter().collect::<PathBuf>()))
    }

    fn wrong(&self, name: &str, expected: impl Into<String>, found: impl ToString) -> Error {
        Error::file(self.path, format!("entry `{name}`"), expected, found)
    }
}

/// A new file, in folders that are made if need be.
fn create(path: &Path) -> Result<File> {
    let new = || File::create_new(path);
    match new() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().unwrap_or(path);
            fs::create_dir_all(folder).map_err(Error::io(folder, "create"))?;
            new().map_err(Error::io(path, "create"))
        }
        outcome => outcome.map_err(Error::io(path, "create")),
    }
}
