//! The run folder: `config.toml`, `metrics.jsonl`, `checkpoint.safetensors`.

use super::{Checkpoint, Config, EpochEvent, Metrics, Observer, Run, State};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::tensor_file::{Element, StreamExtent, write_atomically};
use std::cell::Cell;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Where a run keeps what it writes.
#[derive(Debug, Clone)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// A new folder for this configuration.
    ///
    /// # Errors
    /// [`Error::File`] if a run is there already, [`Error::Io`] if the folder cannot be made.
    pub fn create(path: &Path, config: &Config) -> Result<Self> {
        let folder = Self { path: path.to_path_buf() };
        let file = folder.config();
        if file.exists() {
            return Err(Error::file(file, "run folder", "no earlier run", "one; continue it with --resume"));
        }
        std::fs::create_dir_all(path).map_err(Error::io(path, "create"))?;
        let text = config.to_toml()?;
        write_atomically(&file, |out| out.write_all(text.as_bytes()))?;
        Ok(folder)
    }

    /// Whether a run was begun in this folder.
    pub fn holds_run(path: &Path) -> bool {
        Self { path: path.to_path_buf() }.config().exists()
    }

    /// An existing folder and its configuration; `None` if no run was begun there.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::File`] if its configuration cannot be read.
    pub fn open(path: &Path) -> Result<Option<(Self, Config)>> {
        let folder = Self { path: path.to_path_buf() };
        if !folder.config().exists() {
            return Ok(None);
        }
        let config = Config::load(&folder.config())?;
        Ok(Some((folder, config)))
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
    /// As [`Checkpoint::read`].
    pub fn state<S: Scalar + Element>(&self, run: &Run) -> Result<(State<S>, Option<StreamExtent>)> {
        if !self.checkpoint().exists() {
            return Ok((run.start()?, None));
        }
        let (header, state) = Checkpoint::read(&self.checkpoint(), run)?;
        Ok((state, header.trace))
    }

    /// The observer that keeps the metrics of the epochs from the `completed`-th on.
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
