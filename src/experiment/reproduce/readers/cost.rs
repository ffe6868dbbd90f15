//! What do G, S_F, selection and decay cost?

use super::super::Target;
use super::super::measure::{MEGABYTES, MINUTES, MOST_MEGABYTES, TERAFLOP};
use super::super::study::Study;
use super::{NETWORK, READERS};
use crate::error::Result;
use crate::experiment::exhibit::{Cell, Column, Exhibit};
use crate::experiment::{Finished, Scale};
use crate::method::Method;
use crate::train::{EpochRecord, Execution};

pub(in super::super) static TARGET: Target = Target {
    name: "cost",
    title: "The cost of GDSTAR by part",
    source: READERS,
    jobs: |scale| Ok(study(scale)?.jobs()),
    exhibit,
};

fn study(scale: &Scale) -> Result<Study> {
    let study = Study::of(scale, NETWORK)?.with("dense", Method::Dense, |_| {});
    let study = study.with("gdstar", Method::Gdstar, |_| {}).with("reset", Method::Reset, |_| {});
    // What sparsity saves set apart from what the method costs.
    Ok(study.with("gdstar, computed dense", Method::Gdstar, |config| config.execution = Execution::Dense))
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let seen = study(scale)?.read(finished)?;
    let question = "What does GDSTAR take beside training, and what does its sparsity give back?";
    let mut exhibit = seen.exhibit(TARGET.source, question);
    let measures = [&MINUTES, &TERAFLOP, &MOST_MEGABYTES, &MEGABYTES];
    let mut table = seen.table(("cost", "Of a run"), &measures, TARGET.source);
    let seconds = |name: &str| Column::new(name).in_unit("s", 3);
    let first: fn(&[EpochRecord]) -> Option<f64> = |run| Some(run.first()?.seconds);
    let last: fn(&[EpochRecord]) -> Option<f64> = |run| Some(run.last()?.seconds);
    for (name, value) in [("first epoch", first), ("last epoch", last)] {
        seen.add(&mut table, seconds(name), |tried| Cell::measured(tried.samples(value), None));
    }
    seen.compare(&mut table, &MINUTES, "dense");
    exhibit.tables.push(table);
    exhibit.notes.push(
        "Seconds are of the machine that ran, and of whatever else it did; FLOPs and bytes are of the method."
            .to_string(),
    );
    Ok(exhibit)
}
