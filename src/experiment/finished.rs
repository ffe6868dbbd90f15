//! [`Finished`]: what a store knows of jobs.

use super::exhibit::{RunRef, Sample};
use super::job::Job;
use super::lmc::{CandidateRecord, Connectivity};
use super::lottery::{LevelRecord, Lottery};
use super::store::{AGAIN, Store};
use crate::error::{Error, Result};
use crate::train::{Config, EpochRecord, RunFolder, StoredRun};
use std::path::{Path, PathBuf};

/// Reads what is finished of a store; what is not is `None`, and what is not as it was left is an error.
#[derive(Debug, Clone, Copy)]
pub struct Finished<'a>(&'a Store);

impl<'a> Finished<'a> {
    /// What is finished in this store.
    pub fn of(store: &'a Store) -> Self {
        Self(store)
    }

    /// The folder of a job.
    ///
    /// # Errors
    /// As [`Store::finished`].
    pub fn folder(&self, job: &Job) -> Result<Option<PathBuf>> {
        self.0.finished(job)
    }

    /// The epochs of a run.
    ///
    /// # Errors
    /// As [`Store::finished`] and [`StoredRun::read`]; [`Error::File`] if the folder's settings are not the job's.
    pub fn records(&self, job: &Job) -> Result<Option<Vec<EpochRecord>>> {
        let Some(folder) = self.folder(job)? else { return Ok(None) };
        let run = StoredRun::read(&folder)?;
        check_settings(&folder, run.config, job)?;
        Ok(Some(run.records))
    }

    /// The levels of a lottery.
    ///
    /// # Errors
    /// As [`Store::finished`] and [`Lottery::records`].
    pub fn levels(&self, job: &Job) -> Result<Option<Vec<LevelRecord>>> {
        self.folder(job)?.map(|folder| Lottery::records(&folder)).transpose()
    }

    /// The candidates of a search for the step from which on runs are connected.
    ///
    /// # Errors
    /// As [`Store::finished`] and [`Connectivity::records`].
    pub fn candidates(&self, job: &Job) -> Result<Option<Vec<CandidateRecord>>> {
        self.folder(job)?.map(|folder| Connectivity::records(&folder)).transpose()
    }

    /// What `value` makes of the epochs of each of these runs that is finished; none where that is no finite number.
    ///
    /// # Errors
    /// As [`Finished::records`].
    pub fn samples(
        &self,
        jobs: impl IntoIterator<Item = Job>,
        value: impl Fn(&[EpochRecord]) -> Option<f64>,
    ) -> Result<Vec<Sample>> {
        let mut samples = Vec::new();
        for job in jobs {
            let value = self.records(&job)?.and_then(|records| value(&records)).filter(|value| value.is_finite());
            if let Some(value) = value {
                samples.push(Sample { seed: job.config().seed, value, hash: job.hash()? });
            }
        }
        Ok(samples)
    }

    /// A finished job as an exhibit names it.
    ///
    /// # Errors
    /// As [`Store::finished`].
    pub fn run(&self, job: &Job) -> Result<Option<RunRef>> {
        if self.folder(job)?.is_none() {
            return Ok(None);
        }
        let reading = job.config().departures()?.iter().map(ToString::to_string).collect();
        Ok(Some(RunRef { hash: job.hash()?, name: job.name.clone(), command: job.command()?, reading }))
    }
}

/// Whether the settings in a job's folder, which were edited or another's if they are not, make the job.
fn check_settings(folder: &Path, there: Config, job: &Job) -> Result<()> {
    let (here, there) = (job.hash()?, Job::train(there).hash()?);
    if here == there {
        return Ok(());
    }
    let [config, ..] = RunFolder::files(folder);
    let expected = format!("those of the run {here}; {AGAIN}");
    Err(Error::file(config, "settings", expected, format!("those of the run {there}")))
}
