//! [`Stage`]: one run of an experiment, in a folder of its own.

use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::train::{Beginning, Config, EpochRecord, Session, Watcher};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

/// Gives the run of this name its watchers.
pub type Watch<'a> = dyn Fn(&str, &Beginning) -> Vec<Box<dyn Watcher>> + Sync + 'a;

/// What the stages of an experiment share.
pub struct Bench<'a> {
    pub dataset: &'a Dataset,
    /// Set from outside (Ctrl-C) to stop after the current batch.
    pub stop: &'a AtomicBool,
    pub watch: &'a Watch<'a>,
    /// Is told of work that is no training: what it is, how much of it is done, and how much there is.
    pub progress: &'a (dyn Fn(&str, usize, usize) + Sync),
}

/// A run that an experiment is made of.
pub struct Stage {
    /// As it is called where progress is told.
    pub name: String,
    pub folder: PathBuf,
    pub config: Config,
}

impl Bench<'_> {
    /// The records of a stage: read where it is finished, else trained to the end, from where it was cut off.
    ///
    /// # Errors
    /// As [`Session::train`]; [`Error::File`] naming the options with which the folder's run did not begin;
    /// [`Error::InterruptedStage`].
    pub fn finish(&self, stage: &Stage) -> Result<Vec<EpochRecord>> {
        let session = match Session::resume(&stage.folder)? {
            Some(session) => session.with_config(stage.config.clone())?,
            None => Session::new(stage.config.clone())?.kept_in(&stage.folder)?,
        };
        self.train(&stage.name, session)
    }

    /// A run that leaves no folder, for the states that its outputs ask for.
    ///
    /// # Errors
    /// As [`Session::train`]; [`Error::InterruptedStage`].
    pub fn repeat(&self, name: &str, config: Config) -> Result<()> {
        self.train(name, Session::new(config)?).map(drop)
    }

    fn train<'s>(&'s self, name: &'s str, session: Session<'s>) -> Result<Vec<EpochRecord>> {
        let session = session.stopped_by(self.stop).watched(|beginning| (self.watch)(name, beginning));
        session.train(self.dataset).map_err(|error| match error {
            Error::Interrupted { epoch } => Error::InterruptedStage { stage: name.to_string(), epoch },
            other => other,
        })
    }

    /// Whether to go on.
    ///
    /// # Errors
    /// [`Error::InterruptedStage`] if not.
    pub fn go_on(&self, stage: &str, epoch: usize) -> Result<()> {
        match self.stop.load(Ordering::Relaxed) {
            true => Err(Error::InterruptedStage { stage: stage.to_string(), epoch }),
            false => Ok(()),
        }
    }
}
