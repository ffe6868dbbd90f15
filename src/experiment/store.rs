//! [`Store`]: where the jobs of all targets lie, each under its hash: what is finished is not done again, what was cut off goes
//! on, and targets share what they have in common.
//!
//! ```text
//! store.toml                   the version of what follows
//! lock                         held by whoever works here
//! data/<name>.json             the data set that runs here are of
//! asked/<target>-<scale>.json  a target that was asked for, and at which scale
//! runs/<hash>/                 a run folder, or an experiment's
//! runs/<hash>/finished.json    there when nothing is missing of it: whose results they are, and their SHA-256
//! ```

use super::Bench;
use super::job::Job;
use super::scale::Scale;
use crate::checksum::Checksum;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::input::{self, Kind};
use crate::output::{self, write_atomically};
use crate::train::Config;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Raised when the layout changes, what a hash is made of, or what a run of the same settings gives.
const VERSION: u32 = 2;

/// A folder of finished and unfinished jobs.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

/// The store is kept from others, or shared with those that only take single jobs of a list, as long as this lives; also one
/// whose process is killed is let go. `None` where the file system cannot lock: nobody is kept away there.
#[derive(Debug)]
pub struct Hold {
    _lock: Option<File>,
}

/// A target that runs were made for, and how much of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    pub target: String,
    pub scale: Scale,
}

/// What `finished.json` says: by it a reader tells results that were cut off, edited or brought from another run's folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    pub name: String,
    /// The job's.
    pub hash: String,
    /// Of [`Job::results`] as the job left them.
    pub results: Checksum,
}

impl Receipt {
    /// Of the results that a job left in its folder.
    fn of(job: &Job, folder: &Path) -> Result<Self> {
        let results = checksum(&job.results(folder))?;
        Ok(Self { name: job.name.clone(), hash: job.hash()?, results })
    }

    /// The receipt at this path.
    fn read(path: &Path) -> Result<Self> {
        let text = input::read_text(path, Kind::Configuration)?;
        let expected = format!("a finished run's name, hash and SHA-256; {AGAIN}");
        serde_json::from_str(&text).map_err(|e| Error::file(path, "receipt", expected, e))
    }

    /// Whether it lies at this path for this job, and for the results that are there.
    fn check(&self, path: &Path, job: &Job, folder: &Path) -> Result<()> {
        let hash = job.hash()?;
        if self.hash != hash {
            return Err(Error::file(path, "hash", format!("{hash}, this run's; {AGAIN}"), &self.hash));
        }
        let results = job.results(folder);
        let expected = || format!("the results that the run ended with (SHA-256 {}); {AGAIN}", self.results);
        if !results.exists() {
            return Err(Error::file(results, "results", expected(), "no file"));
        }
        let found = checksum(&results)?;
        if found != self.results {
            return Err(Error::file(results, "results", expected(), format!("SHA-256 {found}")));
        }
        Ok(())
    }
}

/// What to do about a finished job that is not as it was left.
pub(super) const AGAIN: &str = "remove the folder to train it again";

/// Of a file of results.
fn checksum(path: &Path) -> Result<Checksum> {
    Ok(Checksum::of(&Sha256::new_with_prefix(input::read(path, Kind::Metrics)?)))
}

impl Store {
    /// The store of this folder, to read; there need not be one yet.
    ///
    /// # Errors
    /// [`Error::File`] if the folder holds a store of another version; [`Error::Io`].
    pub fn at(folder: &Path) -> Result<Self> {
        let store = Self { folder: folder.to_path_buf() };
        let path = store.about();
        if path.exists() {
            let text = input::read_text(&path, Kind::Configuration)?;
            let wrong = |found: String| {
                Error::file(&path, "version", format!("{VERSION}; give another --store, or remove this one"), found)
            };
            let about: toml::Table = toml::from_str(&text).map_err(|e| wrong(e.message().to_string()))?;
            match about.get("version").and_then(toml::Value::as_integer) {
                Some(version) if version == i64::from(VERSION) => {}
                Some(version) => return Err(wrong(version.to_string())),
                None => return Err(wrong("none".to_string())),
            }
        }
        Ok(store)
    }

    /// The store of this folder, to work in; it is made if there is none.
    ///
    /// # Errors
    /// As [`Store::at`]; [`Error::File`] if the folder has other files; [`Error::Io`] if nothing can be written there.
    pub fn create(folder: &Path) -> Result<Self> {
        let store = Self::at(folder)?;
        output::check_folder(folder)?;
        let is_new = !store.about().exists();
        // Another process may have made it in the meantime.
        if is_new && !is_empty(folder)? && !store.about().exists() {
            let expected = "nothing, or a store (store.toml); give another --store";
            return Err(Error::file(folder, "folder", expected, "other files"));
        }
        fs::create_dir_all(store.runs()).map_err(Error::io(store.runs(), "create"))?;
        if is_new {
            let about = format!("# What `gdstar reproduce` keeps here.\nversion = {VERSION}\n");
            write_atomically(&store.about(), |file| file.write_all(about.as_bytes()))?;
        }
        Ok(store)
    }

    /// Removes a store in which nothing was begun.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn discard_unused(&self) -> Result<()> {
        let is_used = ["asked", "data"].iter().any(|part| self.folder.join(part).exists()) || !is_empty(&self.runs())?;
        if is_used {
            return Ok(());
        }
        for file in [self.about(), self.folder.join("lock")] {
            fs::remove_file(&file).map_err(Error::io(&file, "remove"))?;
        }
        for folder in [self.runs(), self.folder.clone()] {
            fs::remove_dir(&folder).map_err(Error::io(&folder, "remove"))?;
        }
        Ok(())
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn about(&self) -> PathBuf {
        self.folder.join("store.toml")
    }

    fn runs(&self) -> PathBuf {
        self.folder.join("runs")
    }

    /// Where a job's files are, or will be.
    ///
    /// # Errors
    /// As [`Job::hash`].
    pub fn folder_of(&self, job: &Job) -> Result<PathBuf> {
        Ok(self.runs().join(job.hash()?))
    }

    /// Keeps everybody else from working here.
    ///
    /// # Errors
    /// [`Error::File`] if somebody does; [`Error::Io`].
    pub fn hold(&self) -> Result<Hold> {
        self.lock(File::try_lock)
    }

    /// Keeps those away that would have the store to themselves, and lets others in that take single jobs.
    ///
    /// # Errors
    /// As [`Store::hold`].
    pub fn share(&self) -> Result<Hold> {
        self.lock(File::try_lock_shared)
    }

    fn lock(&self, lock: fn(&File) -> std::result::Result<(), TryLockError>) -> Result<Hold> {
        let path = self.folder.join("lock");
        let open = fs::OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
        let file = open.map_err(Error::io(&path, "open"))?;
        match lock(&file) {
            Ok(()) => Ok(Hold { _lock: Some(file) }),
            Err(TryLockError::WouldBlock) => {
                let expected = "no other process at work here";
                let found = "one; wait for it to end, give another --store, or share the work by --list";
                Err(Error::file(&self.folder, "store", expected, found))
            }
            Err(TryLockError::Error(_)) => Ok(Hold { _lock: None }),
        }
    }

    /// Checks that what is trained here is trained on the same data: what is finished is not looked at again.
    ///
    /// # Errors
    /// [`Error::File`] if the store's runs are of other data; [`Error::Io`].
    pub fn check_data(&self, config: &Config, dataset: &Dataset) -> Result<()> {
        let options = [
            ("image-size", config.image_size),
            ("channels", config.channels),
            ("classes", config.classes),
            ("subset", config.subset),
        ];
        let given = options.into_iter().filter_map(|(name, value)| Some(format!("-{name}-{}", value?)));
        let folder = self.folder.join("data");
        let path = folder.join(format!("{}{}.json", config.data, given.collect::<String>()));
        let here = serde_json::json!({ "sha256": dataset.fingerprint() }).to_string() + "\n";
        if path.exists() {
            let there = input::read_text(&path, Kind::Configuration)?;
            if there == here {
                return Ok(());
            }
            let expected = format!("the {} of the runs in this store; give another --store", config.data);
            return Err(Error::file(&path, "data", expected, here.trim_end()));
        }
        fs::create_dir_all(&folder).map_err(Error::io(&folder, "create"))?;
        write_atomically(&path, |file| file.write_all(here.as_bytes()))
    }

    /// Notes that a target is made here at this scale, so that reports find it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn note(&self, target: &str, scale: &Scale) -> Result<()> {
        let text = line(&Asked { target: target.to_string(), scale: scale.clone() })?;
        let hash = Sha256::digest(&text);
        let name: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let folder = self.asked_folder();
        let path = folder.join(format!("{target}-{name}.json"));
        if path.exists() {
            return Ok(());
        }
        fs::create_dir_all(&folder).map_err(Error::io(&folder, "create"))?;
        write_atomically(&path, |file| file.write_all(text.as_bytes()))
    }

    /// Every target that was asked for here, at each of its scales, by name.
    ///
    /// # Errors
    /// [`Error::File`] naming what is no such note; [`Error::Io`].
    pub fn asked(&self) -> Result<Vec<Asked>> {
        let folder = self.asked_folder();
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let entries = folder.read_dir().map_err(Error::io(&folder, "read"))?;
        let mut paths =
            entries.map(|entry| Ok(entry.map_err(Error::io(&folder, "read"))?.path())).collect::<Result<Vec<_>>>()?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        paths.sort();
        let read = |path: &PathBuf| {
            let text = input::read_text(path, Kind::Configuration)?;
            serde_json::from_str(&text).map_err(|e| Error::file(path, "note", "a target and its scale", e))
        };
        paths.iter().map(read).collect()
    }

    fn asked_folder(&self) -> PathBuf {
        self.folder.join("asked")
    }

    /// Whether nothing is missing of a job; its results are not looked at, so that long lists are quick.
    ///
    /// # Errors
    /// As [`Job::hash`].
    pub fn is_finished(&self, job: &Job) -> Result<bool> {
        Ok(self.folder_of(job)?.join(RECEIPT).exists())
    }

    /// The folder of a job that is finished, to read its results; `None` if it is not.
    ///
    /// # Errors
    /// [`Error::File`] naming the receipt that is not this job's, or the results that are not those it ended with;
    /// [`Error::Io`].
    pub fn finished(&self, job: &Job) -> Result<Option<PathBuf>> {
        let folder = self.folder_of(job)?;
        let path = folder.join(RECEIPT);
        if !path.exists() {
            return Ok(None);
        }
        Receipt::read(&path)?.check(&path, job, &folder)?;
        Ok(Some(folder))
    }

    /// Does what is missing of a job.
    ///
    /// # Errors
    /// Those of the job; [`Error::Io`].
    pub fn finish(&self, job: &Job, bench: &Bench) -> Result<()> {
        if self.is_finished(job)? {
            return Ok(());
        }
        let folder = self.folder_of(job)?;
        job.finish(&folder, bench)?;
        let text = line(&Receipt::of(job, &folder)?)?;
        write_atomically(&folder.join(RECEIPT), |file| file.write_all(text.as_bytes()))
    }
}

/// One JSON object.
fn line(value: &impl Serialize) -> Result<String> {
    let unwritten = |e| Error::domain("store", "values that JSON can hold", e);
    Ok(serde_json::to_string(value).map_err(unwritten)? + "\n")
}

const RECEIPT: &str = "finished.json";

/// Whether a folder has nothing in it, or is not there; what the lock left is nothing.
fn is_empty(folder: &Path) -> Result<bool> {
    if !folder.exists() {
        return Ok(true);
    }
    let mut entries = folder.read_dir().map_err(Error::io(folder, "read"))?;
    let is_ours = |name: &std::ffi::OsStr| ["lock", "runs"].iter().any(|own| name == *own) || is_temporary(name);
    Ok(entries.all(|entry| entry.is_ok_and(|entry| is_ours(&entry.file_name()))))
}

/// Whether it is what a killed process left of a file that it wrote.
fn is_temporary(name: &std::ffi::OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(".gdstar-"))
}
