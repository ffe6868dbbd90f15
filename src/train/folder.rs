//! The run folder: `config.toml`, `metrics.jsonl`, `checkpoint.safetensors`, and the checkpoints that are kept.

mod kept;
mod lock;

pub use kept::KeptCheckpoints;

use super::{Checkpoint, Config, EpochEvent, EpochRecord, Metrics, Observer, Outputs, Run, State};
use crate::error::{Error, Result};
use crate::input::{self, Kind};
use crate::output::{self, write_atomically};
use crate::scalar::Scalar;
use crate::tensor_file::{Element, StreamExtent, TensorFile};
use lock::FolderLock;
use std::cell::Cell;
use std::ffi::OsStr;
use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

/// What stands before an epoch in the name of the checkpoint that is kept of it, and behind it.
const KEPT: [&str; 2] = ["checkpoint-", ".safetensors"];

/// Where a run keeps what it writes.
#[derive(Debug, Clone)]
pub struct RunFolder {
    path: PathBuf,
    /// Held by who writes.
    _lock: Arc<FolderLock>,
}

impl RunFolder {
    fn at(path: &Path, lock: FolderLock) -> Self {
        Self { path: path.to_path_buf(), _lock: Arc::new(lock) }
    }

    /// A new folder for this configuration, which no other process can train in while it is used.
    ///
    /// # Errors
    /// [`Error::File`] if files of a run are there already or another process has the folder, [`Error::Io`] if it
    /// cannot be made.
    pub fn create(path: &Path, config: &Config) -> Result<Self> {
        let text = config.to_toml()?;
        std::fs::create_dir_all(path).map_err(Error::io(path, "create"))?;
        let folder = Self::at(path, lock::lock(path)?);
        folder.check_unused()?;
        output::remove_abandoned(&folder.path);
        folder.write_config(&text)?;
        Ok(folder)
    }

    /// Whether a run was begun in this folder.
    pub fn holds_run(path: &Path) -> bool {
        Self::at(path, None).config().exists()
    }

    /// Refuses to have a result written where a run keeps a file of its own, which would be gone. `option` is what named
    /// `path`.
    ///
    /// # Errors
    /// [`Error::Domain`] naming `option`.
    pub fn check_foreign(option: &str, path: &Path) -> Result<()> {
        let place = output::resolved(path).unwrap_or_else(|_| path.to_path_buf());
        let folder = output::directory_of(&place);
        let is_its_own =
            |name: &OsStr| Self::is_kept(name) || Self::files(folder).iter().any(|file| file.file_name() == Some(name));
        if Self::holds_run(folder) && place.file_name().is_some_and(is_its_own) {
            return Err(Error::domain(option, "a file other than those of a run", path.display()));
        }
        Ok(())
    }

    /// Takes back what [`RunFolder::create`] did, for a run that cannot begin after all.
    pub fn abandon(self) {
        // What is not removed is a folder that is empty, or one that says what it was for.
        let _ = std::fs::remove_file(self.config());
        let _ = std::fs::remove_dir(&self.path);
    }

    /// Whether a new run can begin in the folder of this path.
    ///
    /// # Errors
    /// [`Error::File`] if files of a run are there.
    pub fn check_new(path: &Path) -> Result<()> {
        Self::at(path, None).check_unused()
    }

    fn check_unused(&self) -> Result<()> {
        let (config, checkpoint, metrics) = (self.config(), self.checkpoint(), self.metrics());
        let found = if config.exists() {
            return Err(Error::file(config, "run folder", "no earlier run", "one; continue it with --resume"));
        } else if checkpoint.exists() {
            "a checkpoint without its config.toml; --resume writes that again, or choose another --out"
        } else if metrics.exists() {
            "metrics.jsonl without the run's config.toml; move it away, or choose another --out"
        } else {
            return Ok(());
        };
        Err(Error::file(&self.path, "run folder", "no files of an earlier run", found))
    }

    /// An existing folder and its configuration, to read; `None` if no run was begun there.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::File`] if its configuration cannot be read.
    pub fn open(path: &Path) -> Result<Option<(Self, Config)>> {
        let folder = Self::at(path, None);
        if !folder.config().exists() {
            return Ok(None);
        }
        let config = Config::load(&folder.config())?;
        Ok(Some((folder, config)))
    }

    /// An existing folder and its configuration, to go on in: no other process can while it is used, and what killed
    /// ones left is removed. The configuration of a `config.toml` that is lost is the checkpoint's; [`store`](Self::store)
    /// writes it again.
    ///
    /// # Errors
    /// As [`RunFolder::open`]; [`Error::File`] if another process has the folder, or holds files of a run that neither
    /// configuration nor checkpoint tells.
    pub fn resume(path: &Path) -> Result<Option<(Self, Config)>> {
        if !path.is_dir() {
            return Ok(None);
        }
        let folder = Self::at(path, lock::lock(path)?);
        output::remove_abandoned(&folder.path);
        let config = if folder.config().exists() {
            Config::load(&folder.config())?
        } else if folder.checkpoint().exists() {
            Checkpoint::header(&TensorFile::open(&folder.checkpoint())?)?.config
        } else {
            folder.check_unused()?;
            return Ok(None);
        };
        Ok(Some((folder, config)))
    }

    /// Writes the configuration anew, if it is another than the one there.
    ///
    /// # Errors
    /// [`Error::Domain`] if it has no TOML form; [`Error::Io`].
    pub fn store(&self, config: &Config) -> Result<()> {
        let text = config.to_toml()?;
        if input::read_text(&self.config(), Kind::Configuration).is_ok_and(|there| there == text) {
            return Ok(());
        }
        self.write_config(&text)
    }

    fn write_config(&self, text: &str) -> Result<()> {
        write_atomically(&self.config(), |out| out.write_all(text.as_bytes()))
    }

    /// The checkpoint of an epoch that is kept.
    fn kept(&self, epoch: impl Display) -> PathBuf {
        let [before, behind] = KEPT;
        self.path.join(format!("{before}{epoch}{behind}"))
    }

    /// Whether this may be the name of an epoch that is kept.
    pub fn is_kept(file: &OsStr) -> bool {
        let [before, behind] = KEPT;
        file.to_str().is_some_and(|name| name.starts_with(before) && name.ends_with(behind))
    }

    /// The files of a run in the folder of this path.
    pub fn files(path: &Path) -> [PathBuf; 3] {
        let folder = Self::at(path, None);
        [folder.config(), folder.metrics(), folder.checkpoint()]
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `config.toml`.
    pub fn config(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// `metrics.jsonl`.
    pub fn metrics(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// `checkpoint.safetensors`.
    pub fn checkpoint(&self) -> PathBuf {
        self.path.join("checkpoint.safetensors")
    }

    /// The state to continue from, and how far the trace was then: the checkpoint's, or a fresh one if the run was
    /// stopped before its first.
    ///
    /// # Errors
    /// As [`Checkpoint::read`] and [`Metrics::read_so_far`]; [`Error::File`] if the checkpoint is lost.
    pub fn state<S: Scalar + Element>(&self, run: &Run) -> Result<(State<S>, Option<StreamExtent>)> {
        if !self.checkpoint().exists() {
            // The epoch that a run was killed in may have its record already; all before it had a checkpoint.
            let recorded = Metrics::read_so_far(&self.metrics())?.len();
            if recorded > 1 {
                let expected =
                    format!("that of the {recorded} epochs in metrics.jsonl; without it, choose another --out");
                return Err(Error::file(self.checkpoint(), "checkpoint", expected, "none"));
            }
            return Ok((run.start()?, None));
        }
        let (header, state) = Checkpoint::read(&self.checkpoint(), run)?;
        Ok((state, header.trace))
    }

    /// In which form the run's trace was begun, if its checkpoint says so.
    ///
    /// # Errors
    /// As [`Checkpoint::claim`]; [`Error::Io`].
    pub fn trace_outputs(&self) -> Result<Option<Outputs>> {
        match self.checkpoint().exists() {
            true => Ok(Checkpoint::claim(&TensorFile::open(&self.checkpoint())?)?.trace_outputs),
            false => Ok(None),
        }
    }

    /// The records of the folder's run, of which `completed` epochs are done, with those before its
    /// [start](super::Start).
    ///
    /// # Errors
    /// As [`Metrics::read`] and [`Metrics::check_order`].
    pub fn records(&self, config: &Config, completed: usize) -> Result<Vec<EpochRecord>> {
        let own = completed.saturating_sub(config.first_epoch());
        if own == 0 {
            return Ok(Vec::new());
        }
        let records = Metrics::read(&self.metrics(), own)?;
        Metrics::check_order(&self.metrics(), &records, config.first_k())?;
        Ok(records)
    }

    /// The observer that keeps the metrics of the run's own epochs from the `completed`-th on.
    ///
    /// # Errors
    /// As [`Metrics::open`].
    pub fn observe_metrics(&self, completed: usize) -> Result<Metrics> {
        Metrics::open(&self.metrics(), completed)
    }
}

/// Writes a checkpoint after every epoch. Must come after the observers whose files it vouches for.
pub struct Checkpointer<'a> {
    path: PathBuf,
    run: &'a Run<'a>,
    /// How much of the trace is on disk, as the trace's writer reports it.
    trace: Option<Rc<Cell<StreamExtent>>>,
}

impl<'a> Checkpointer<'a> {
    /// For this run, in its folder.
    pub fn new(folder: &RunFolder, run: &'a Run<'a>, trace: Option<Rc<Cell<StreamExtent>>>) -> Self {
        Self { path: folder.checkpoint(), run, trace }
    }
}

impl<S: Scalar + Element> Observer<S> for Checkpointer<'_> {
    fn on_epoch(&mut self, event: &EpochEvent<S>) -> Result<()> {
        Checkpoint::write(&self.path, self.run, event.state, self.trace.as_ref().map(|written| written.get()))
    }
}
