//! The paper's tables and figures, and what its readers asked, each a [`Target`]: which runs it takes, and what is made of
//! them.

mod arm;
mod fig1;
mod fig2;
mod fig3;
mod fig4;
mod fig5;
mod fig6;
mod fig7;
mod fig8;
#[cfg(feature = "cuda")]
mod launches;
mod measure;
mod minima;
mod readers;
mod seen;
mod setting;
mod study;
mod table2;
mod table3;
mod table4;
mod table5;
mod table6;
mod table7;
mod table8;

use super::exhibit::{Column, Exhibit};
use super::reported::disagreements;
use super::{Finished, Job, Scale, Store};
use crate::error::{Error, Result};
use std::collections::BTreeSet;

/// What is to be said wherever times stand beside each other.
const OF_TIMES: &str = "Times are of the machine that ran. They tell of the method only where nothing else ran beside, and where \
                        all runs had as many threads (--threads): a run does not keep how many it had.";

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
pub static TARGETS: &[&Target] = &[
    &table2::TARGET,
    &table3::TARGET,
    &table4::TARGET,
    &table5::TARGET,
    &table6::TARGET,
    &table7::TARGET,
    &table8::TARGET,
    &fig1::TARGET,
    &fig2::TARGET,
    &fig3::TARGET,
    &fig4::TARGET,
    &fig5::TARGET,
    &fig6::TARGET,
    &fig7::TARGET,
    &fig8::TARGET,
    &readers::methods::TARGET,
    &readers::matched::TARGET,
    &readers::spread::TARGET,
    &readers::sensitivity::TARGET,
    &readers::k_star::TARGET,
    &readers::rewind_choice::TARGET,
    &readers::cost::TARGET,
    &readers::structured::TARGET,
    &readers::layer_collapse::TARGET,
    &readers::readings::TARGET,
    &readers::open_points::TARGET,
];

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
        let mut exhibit = (self.exhibit)(scale, &finished)?;
        let of = self.source.split(',').next().unwrap_or_default();
        exhibit.notes.extend(disagreements(of).map(|found| format!("The paper disagrees with itself: {}", found.what)));
        if exhibit.tables.iter().flat_map(|table| &table.columns).any(Column::is_of_a_clock) {
            exhibit.notes.push(OF_TIMES.to_string());
        }
        let runs = self.runs(scale)?.iter().map(|job| finished.run(job)).collect::<Result<Vec<_>>>()?;
        let runs = runs.into_iter().flatten().collect();
        Ok(Exhibit { target: self.name.to_string(), title: self.title.to_string(), runs, ..exhibit })
    }
}
