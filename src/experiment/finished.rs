//! [`Finished`]: what a store knows of jobs.

use super::exhibit::{RunRef, Sample};
use super::job::Job;
use super::lmc::{CandidateRecord, Connectivity};
use super::lottery::{LevelRecord, Lottery};
use super::store::Store;
use crate::error::Result;
use crate::train::{EpochRecord, StoredRun};
use std::path::PathBuf;

/// Reads what is finished of a store; what is not is `None`.
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
    /// As [`Job::hash`].
    pub fn folder(&self, job: &Job) -> Result<Option<PathBuf>> {
        Ok(if self.0.is_finished(job)? { Some(self.0.folder_of(job)?) } else { None })
    }

    /// The epochs of a run.
    ///
    /// # Errors
    /// As [`StoredRun::read`].
    pub fn records(&self, job: &Job) -> Result<Option<Vec<EpochRecord>>> {
        Ok(self.folder(job)?.map(|folder| StoredRun::read(&folder)).transpose()?.map(|run| run.records))
    }

    /// The levels of a lottery.
    ///
    /// # Errors
    /// As [`Lottery::records`].
    pub fn levels(&self, job: &Job) -> Result<Option<Vec<LevelRecord>>> {
        self.folder(job)?.map(|folder| Lottery::records(&folder)).transpose()
    }

    /// The candidates of a search for the step from which on runs are connected.
    ///
    /// # Errors
    /// As [`Connectivity::records`].
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
    /// As [`Job::hash`].
    pub fn run(&self, job: &Job) -> Result<Option<RunRef>> {
        if !self.0.is_finished(job)? {
            return Ok(None);
        }
        let reading = job.config().departures()?.iter().map(ToString::to_string).collect();
        Ok(Some(RunRef { hash: job.hash()?, name: job.name.clone(), command: job.command()?, reading }))
    }
}
