//! The paper's tables and figures, and what its readers asked, each a [`Target`]: which runs it takes, and what is made of
//! them.

mod arm;
mod table2;
mod table4;
mod table6;

use super::exhibit::Exhibit;
use super::{Finished, Job, Scale, Store};
use crate::error::{Error, Result};
use std::collections::BTreeSet;

/// A table, a figure or a question.
pub struct Target {
    /// As `gdstar reproduce` calls it.
    pub name: &'static str,
    pub title: &'static str,
    /// Where it stands in the paper, or who asked.
    pub source: &'static str,
    /// Its runs, in the order in which they are worth having.
    pub jobs: fn(&Scale) -> Result<Vec<Job>>,
    /// What those come to that are finished: tables, charts, departures and notes. [`Target::show`] adds the rest.
    pub exhibit: fn(&Scale, &Finished) -> Result<Exhibit>,
}

/// Every target, in the paper's order.
pub static TARGETS: &[&Target] = &[&table2::TARGET, &table4::TARGET, &table6::TARGET];

/// The target of this name.
///
/// # Errors
/// [`Error::Domain`] naming those that there are.
pub fn find(name: &str) -> Result<&'static Target> {
    TARGETS.iter().copied().find(|target| target.name == name).ok_or_else(|| {
        let known: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        Error::domain("TARGET", known.join(" | "), format!("`{name}`"))
    })
}

impl Target {
    /// Its runs, each once.
    ///
    /// # Errors
    /// [`Error::Domain`] naming the option whose value is impossible.
    pub fn runs(&self, scale: &Scale) -> Result<Vec<Job>> {
        scale.validate()?;
        let mut seen = BTreeSet::new();
        let mut jobs = Vec::new();
        for job in (self.jobs)(scale)? {
            job.validate()?;
            if seen.insert(job.hash()?) {
                jobs.push(job);
            }
        }
        Ok(jobs)
    }

    /// What there is of it in a store.
    ///
    /// # Errors
    /// As [`Target::runs`]; those of reading a store.
    pub fn show(&self, scale: &Scale, store: &Store) -> Result<Exhibit> {
        let finished = Finished::of(store);
        let exhibit = (self.exhibit)(scale, &finished)?;
        let runs = self.runs(scale)?.iter().map(|job| finished.run(job)).collect::<Result<Vec<_>>>()?;
        let runs = runs.into_iter().flatten().collect();
        Ok(Exhibit { target: self.name.to_string(), title: self.title.to_string(), runs, ..exhibit })
    }
}
