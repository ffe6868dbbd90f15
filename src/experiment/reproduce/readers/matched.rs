//! What do reset, rewinding and Procrustes come to at one sparsity, to the weight?

use super::super::Target;
use super::super::arm::Short;
use super::super::measure::{ACCURACY, MINUTES, SPARSITY, SPARSITY_COURSE, TERAFLOP};
use super::super::setting::Setting;
use super::super::study::Study;
use super::{NETWORK, READERS};
use crate::error::Result;
use crate::experiment::exhibit::{Cell, Exhibit, Reported};
use crate::experiment::reported::TABLE2;
use crate::experiment::{Finished, Scale};
use crate::method::{Method, Value};
use crate::train::Config;

pub(in super::super) static TARGET: Target = Target {
    name: "matched",
    title: "Reset, rewinding and Procrustes at Table 2's sparsity",
    source: READERS,
    jobs: |scale| Ok(study(scale)?.jobs()),
    exhibit,
};

const METHODS: [(&str, Method); 4] = [
    ("gdstar", Method::Gdstar),
    ("reset", Method::Reset),
    ("random-rewind", Method::RandomRewind),
    ("procrustes", Method::Procrustes),
];

fn study(scale: &Scale) -> Result<Study> {
    let study = Study::of(scale, NETWORK)?.with("dense", Method::Dense, |_| {});
    Ok(METHODS.iter().fold(study, |study, &(name, method)| study.with(name, method, stop_at_table_2)))
}

/// Where pruning ends: at the sparsity of Table 2; of a network that it has not, at the average of those that it has.
fn stop_at_table_2(config: &mut Config) {
    const AVERAGE: f64 = 93.64;
    let percent = TABLE2.value(&config.model, "sparsity").unwrap_or(AVERAGE);
    if let Some(option) = config.method.entry().sparsity_option() {
        config.options.set(option.key, Value::Real(percent / 100.0));
    }
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let seen = study(scale)?.read(finished)?;
    let question = "\"Under the same sparsity ratios\", to the weight: is rewinding more accurate than resetting?";
    let mut exhibit = seen.exhibit(TARGET.source, question);
    let measures = [&ACCURACY, &SPARSITY, &MINUTES, &TERAFLOP];
    let mut table = seen.table_beside(("matched", "At the end of training"), &measures, |tried, measure| {
        let is_pruned = tried.setting.name != "dense";
        let column = match measure.name {
            name if name == ACCURACY.name => &*tried.setting.name,
            name if name == SPARSITY.name && is_pruned => SPARSITY.name,
            _ => return None,
        };
        TABLE2.value(tried.setting.network, column).map(|value| Reported { value, place: TABLE2.place() })
    });
    seen.compare(&mut table, &ACCURACY, "reset");
    let mut short = Short::default();
    let mut are_short = Vec::new();
    for tried in &seen.tried {
        let Setting { name, config, network } = &tried.setting;
        are_short.push((*network, name, short.is_any(name, config, &tried.samples(SPARSITY.of))?));
    }
    // Of runs below, and against a reset below, there is no difference at one sparsity.
    for (row, (network, _, is_short)) in table.rows.iter_mut().zip(&are_short) {
        let is_reset_short = are_short.iter().any(|of| of.0 == *network && of.1 == "reset" && of.2);
        if let Some(difference) = row.cells.last_mut().filter(|_| *is_short || is_reset_short) {
            *difference = Cell::Empty;
        }
    }
    exhibit.tables.push(table);
    exhibit.charts.push(seen.chart(&SPARSITY_COURSE, "Sparsity"));
    exhibit.notes.extend(short.note());
    Ok(exhibit)
}
