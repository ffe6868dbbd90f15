//! How often does the rewind point move, when, and do late moves matter?

use super::super::Target;
use super::super::measure::{ACCURACY, K_STAR, K_STAR_COURSE, MOVES, Quantity, SPARSITY};
use super::super::minima::minima;
use super::super::study::Study;
use super::{NETWORK, READERS};
use crate::error::Result;
use crate::experiment::exhibit::{Cell, Column, Exhibit};
use crate::experiment::{Finished, Scale};
use crate::method::gdstar::FREEZE_K_STAR;
use crate::method::{Method, Value};

pub(in super::super) static TARGET: Target = Target {
    name: "k-star",
    title: "How often the rewind point moves",
    source: READERS,
    jobs: |scale| Ok(study(scale)?.jobs()),
    exhibit,
};

/// The last epoch that can become k*.
const LAST_MOVES: [usize; 6] = [0, 5, 10, 20, 50, 100];

fn study(scale: &Scale) -> Result<Study> {
    let study = Study::of(scale, NETWORK)?.with("gdstar", Method::Gdstar, |_| {});
    let epochs = study.networks.iter().map(|network| scale.epochs.unwrap_or(network.epochs)).max().unwrap_or_default();
    let study = study.with("random-rewind", Method::RandomRewind, |_| {}).with("reset", Method::Reset, |_| {});
    Ok(LAST_MOVES.iter().filter(|&&last| last + 1 < epochs).fold(study, |study, &last| {
        study.with(format!("frozen after epoch {last}"), Method::Gdstar, |config| {
            config.options.set(FREEZE_K_STAR.key, Value::Count(last));
        })
    }))
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let seen = study(scale)?.read(finished)?;
    let question = "How often does k* move, when, and what is lost where it may not move late?";
    let mut exhibit = seen.exhibit(TARGET.source, question);
    exhibit.equations = vec![4];
    let mut table = seen.table(("moves", "Over a run"), &[&K_STAR, &MOVES, &ACCURACY, &SPARSITY], TARGET.source);
    let columns: [(&str, Quantity); 3] = [
        ("moves in the last half", |run| (MOVES.of)(&run[run.len() / 2..])),
        ("minima of S_F", |run| Some(minima(run)?.epochs.len() as f64)),
        ("longest stand, epochs", |run| Some(minima(run)?.longest_stand().1 as f64)),
    ];
    for (name, value) in columns {
        seen.add(&mut table, Column::new(name), |tried| Cell::measured(tried.samples(value), None));
    }
    seen.compare(&mut table, &ACCURACY, "gdstar");
    exhibit.tables.push(table);
    exhibit.charts.push(seen.chart(&K_STAR_COURSE, "The rewind point over training"));
    Ok(exhibit)
}
