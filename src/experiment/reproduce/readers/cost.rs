//! What do G, S_F, selection and decay cost?

use super::super::Target;
use super::super::measure::{MEGABYTES, MINUTES, MOST_MEGABYTES, TERAFLOP};
use super::super::study::Study;
use super::{NETWORK, READERS};
use crate::error::Result;
use crate::experiment::exhibit::{Cell, Column, Exhibit};
use crate::experiment::{Finished, Scale};
use crate::method::{Method, Parts, Record};
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
    let study =
        study.with("dense, with G and S_F", Method::Dense, |config| config.outputs.record = vec![Record::Frobenius]);
    let study = study.with("gdstar", Method::Gdstar, |_| {}).with("reset", Method::Reset, |_| {});
    let study = study.with("gdstar, by part", Method::Gdstar, |config| config.outputs.record = vec![Record::Parts]);
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
    type Part = fn(&Parts) -> f64;
    let parts: [(&str, Part); 4] = [
        ("S_F", |parts| parts.s_f),
        ("W_k*", |parts| parts.rewind),
        ("selection", |parts| parts.selection),
        ("decay", |parts| parts.decay),
    ];
    for (name, part) in parts {
        let total =
            |run: &[EpochRecord]| run.iter().map(|epoch| epoch.measured.parts.as_ref().map(part)).sum::<Option<f64>>();
        seen.add(&mut table, seconds(&format!("{name}, in all")), |tried| Cell::measured(tried.samples(total), None));
    }
    seen.compare(&mut table, &MINUTES, "dense");
    exhibit.tables.push(table);
    exhibit.notes.push("FLOPs and bytes are of the method, and the same on every machine.".to_string());
    Ok(exhibit)
}
