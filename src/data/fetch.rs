//! Downloading the data sets: resumed where a connection broke, verified before a file gets its name.
//!
//! [`Fetchable::data_set`] says what is published and where; [`Fetch::run`] brings a [`DataSet`] into a folder. A file
//! grows as `<name>.part` beside its destination. Once it has the published size and SHA-256 it is synced and
//! renamed; under its final name there is never anything else. Whatever ends a download before that (a cut
//! connection, a full disk, an interruption) leaves the partial file, and the next call asks for the rest of it.
//!
//! The published SHA-256 alone decides whether bytes are right. So a partial file may be continued from another
//! address than the one it began with, and no entity tag is kept: a continued file that does not verify is thrown
//! away and downloaded once more from the start.

mod address;
mod arrivals;
mod catalogue;
mod download;
mod forward;
mod http;
mod integrity;
mod partial;
mod proxy;
mod room;
mod unpack;

pub use catalogue::Fetchable;

use crate::error::{Error, Result};
use address::{Address, masked};
use integrity::Presence;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How much is read and written at a time, in bytes.
const BLOCK: usize = 64 * 1024;

/// A data set as it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSet {
    /// Also the folder, below the one that [`Fetch::run`] is given, that its files go to.
    pub name: String,
    pub title: String,
    pub licence: String,
    pub files: Vec<RemoteFile>,
    /// The one of the files that has to be unpacked before the readers can use it.
    pub archive: Option<Archive>,
    /// The options of `gdstar train` for it.
    pub usage: String,
}

/// A published file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteFile {
    pub name: String,
    /// In bytes.
    pub size: u64,
    /// In lower-case hexadecimal.
    pub sha256: String,
    /// Its addresses, in the order in which they are tried; with `user:password@` before the host where a server wants
    /// them. No message shows these.
    pub sources: Vec<String>,
}

/// A zip archive that holds one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// The name of its file.
    pub name: String,
    /// The folder that everything in it is below.
    pub folder: String,
    /// How many files there are in it, none of them empty.
    pub files: usize,
}

impl DataSet {
    /// The same files below one or more other addresses, in their order, instead of the published ones.
    ///
    /// # Errors
    /// [`Error::Domain`] if one is not an `http` or `https` address.
    pub fn at_mirrors(mut self, mirrors: &[String]) -> Result<Self> {
        if mirrors.is_empty() {
            return Ok(self);
        }
        if let Some(wrong) = mirrors.iter().find(|mirror| Address::parse(mirror).is_none()) {
            let expected = "an address like https://host/folder/";
            return Err(Error::domain("--mirror", expected, format!("`{}`", masked(wrong))));
        }
        for file in &mut self.files {
            file.sources =
                mirrors.iter().map(|mirror| format!("{}/{}", mirror.trim_end_matches('/'), file.name)).collect();
        }
        Ok(self)
    }
}

/// How patient a download is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// How often each address is tried, at least once, as long as its failures may pass: a connection that breaks
    /// or stalls, an overloaded server. (Other failures, such as 404, lead to the next address at once.)
    pub attempts: u32,
    /// The wait before the second attempt; it doubles from each to the next, up to a minute.
    pub first_delay: Duration,
    /// The longest wait for a connection, then for the head of an answer, then for any byte of the file, of which 1000 a
    /// second have to arrive on average of this time.
    pub timeout: Duration,
    /// Whether `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are heeded, in lower case first.
    pub proxy_from_environment: bool,
}

impl Default for Network {
    /// Five attempts an address, after 1, 2, 4 and 8 seconds; 30 seconds for an answer.
    fn default() -> Self {
        Self {
            attempts: 5,
            first_delay: Duration::from_secs(1),
            timeout: Duration::from_secs(30),
            proxy_from_environment: true,
        }
    }
}

/// What happens, as it happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// The file is there already and verified, or the folder and complete.
    Present { path: &'a Path },
    /// The file is about to be downloaded from byte `from` on.
    Started { path: &'a Path, from: u64, size: u64 },
    /// So many bytes of the file have arrived, or of the archive's content have been unpacked.
    At(u64),
    /// The address, shown without user and password, is tried again after `delay`.
    Retry { url: &'a str, reason: &'a str, delay: Duration },
    /// The address is given up.
    GivenUp { url: &'a str, reason: &'a str },
    /// The file is complete, verified and in place.
    Verified { path: &'a Path },
    /// The archive is about to be unpacked to so many bytes.
    Unpacking { path: &'a Path, bytes: u64 },
    /// The folder is complete and in place.
    Unpacked { path: &'a Path },
}

/// How a data set is fetched.
pub struct Fetch<'a> {
    pub network: Network,
    /// Whether what is there and wrong is replaced, once what replaces it is verified.
    pub replace: bool,
    /// Ends the download when it becomes true. It is looked at after every block, and while waiting 20 times a second.
    pub stop: &'a AtomicBool,
    /// Told of every step.
    pub tell: &'a mut dyn FnMut(Event<'_>),
}

impl Fetch<'_> {
    /// Brings a data set into the folder of its name below `root`, and returns the folder that holds the data: that
    /// one, or the one unpacked in it.
    ///
    /// What is there and right is left alone.
    ///
    /// # Errors
    /// [`Error::Domain`] for a proxy in the environment that is none; [`Error::Fetch`] if no address gives the published file (it names each and why), if the disk is full or the
    /// download is interrupted, and for an archive that cannot be unpacked; [`Error::File`] for a file that is there
    /// and wrong, unless [`Fetch::replace`]; [`Error::Io`] if a folder or file cannot be made, read or written.
    pub fn run(&mut self, set: &DataSet, root: &Path) -> Result<PathBuf> {
        let folder = root.join(&set.name);
        let unpacked = set.archive.as_ref().map(|archive| folder.join(&archive.folder));
        if let (Some(archive), Some(unpacked)) = (&set.archive, &unpacked)
            && self.has_unpacked(unpacked, archive)?
        {
            return Ok(unpacked.clone());
        }
        fs::create_dir_all(&folder).map_err(Error::io(&folder, "create"))?;
        for file in &set.files {
            self.file(file, &folder.join(&file.name))?;
        }
        if let (Some(archive), Some(unpacked)) = (&set.archive, &unpacked) {
            unpack::unpack(self, &folder.join(&archive.name), archive, unpacked)?;
        }
        Ok(unpacked.unwrap_or(folder))
    }

    /// One file: left alone if it is there and right, downloaded otherwise.
    fn file(&mut self, file: &RemoteFile, path: &Path) -> Result<()> {
        match integrity::presence(path, file, &|done| self.check_stop(path, done, file.size))? {
            Presence::Right => (self.tell)(Event::Present { path }),
            Presence::Wrong { property, expected, found } if !self.replace => {
                return Err(Error::file(path, property, or_replace(&expected), found));
            }
            Presence::Absent | Presence::Wrong { .. } => {
                download::download(self, file, path)?;
                (self.tell)(Event::Verified { path });
            }
        }
        Ok(())
    }

    /// Whether the folder of an archive is there and complete.
    fn has_unpacked(&mut self, path: &Path, archive: &Archive) -> Result<bool> {
        if !path.try_exists().map_err(Error::io(path, "look for"))? {
            return Ok(false);
        }
        let found = unpack::count_files(path)?;
        if found == archive.files {
            (self.tell)(Event::Present { path });
            return Ok(true);
        }
        if self.replace {
            return Ok(false);
        }
        Err(Error::file(path, "number of files that are not empty", or_replace(&archive.files.to_string()), found))
    }

    /// # Errors
    /// [`Error::Fetch`] if the download is to end; `done` of `total` bytes of `path` are there.
    fn check_stop(&self, path: &Path, done: u64, total: u64) -> Result<()> {
        if !self.stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        let found = format!("{done} when interrupted");
        Err(Error::fetch(path.display(), format!("{total} bytes"), found, "the same command continues"))
    }
}

/// What is expected of something that is there, and what to do if it is not so.
fn or_replace(expected: &str) -> String {
    format!("{expected} (move it away, or let --force replace it)")
}

impl Error {
    /// A [`Error::Fetch`] from anything printable.
    pub(super) fn fetch(
        place: impl ToString,
        expected: impl Into<String>,
        found: impl ToString,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Fetch {
            place: place.to_string(),
            expected: expected.into(),
            found: found.to_string(),
            remedy: remedy.into(),
        }
    }
}
