//! How often does the rewind point move, and when?

use super::super::Target;
use super::super::measure::{ACCURACY, K_STAR, K_STAR_COURSE, MOVES, SPARSITY};
use super::super::minima::minima;
use super::super::study::Study;
use super::{NETWORK, READERS};
use crate::error::Result;
use crate::experiment::exhibit::{Cell, Column, Exhibit};
use crate::experiment::{Finished, Scale};
use crate::method::Method;
use crate::train::EpochRecord;

pub(in super::super) static TARGET: Target = Target {
    name: "k-star",
    title: "How often the rewind point moves",
    source: READERS,
    jobs: |scale| Ok(study(scale)?.jobs()),
    exhibit,
};

fn study(scale: &Scale) -> Result<Study> {
    let study = Study::of(scale, NETWORK)?.with("gdstar", Method::Gdstar, |_| {});
    Ok(study.with("random-rewind", Method::RandomRewind, |_| {}).with("reset", Method::Reset, |_| {}))
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let seen = study(scale)?.read(finished)?;
    let question = "How often does k* move, when, and how long does it stand?";
    let mut exhibit = seen.exhibit(TARGET.source, question);
    exhibit.equations = vec![4];
    let mut table = seen.table(("moves", "Over a run"), &[&K_STAR, &MOVES, &ACCURACY, &SPARSITY], TARGET.source);
    let columns: [(&str, fn(&[EpochRecord]) -> Option<f64>); 3] = [
        ("moves in the last half", |run| (MOVES.of)(&run[run.len() / 2..])),
        ("minima of S_F", |run| Some(minima(run)?.epochs.len() as f64)),
        ("longest stand, epochs", |run| Some(minima(run)?.longest_stand().1 as f64)),
    ];
    for (name, value) in columns {
        seen.add(&mut table, Column::new(name), |tried| Cell::measured(tried.samples(value), None));
    }
    exhibit.tables.push(table);
    exhibit.charts.push(seen.chart(&K_STAR_COURSE, "The rewind point over training"));
    Ok(exhibit)
}
