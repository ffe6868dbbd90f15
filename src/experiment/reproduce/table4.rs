//! Table 4: W_k* chosen by S_F, against a rewind point that moves by chance.

use super::Target;
use super::arm::{self, AT_SPARSITY, Arm, Short, at_sparsity, cell, jobs, networks, samples};
use super::measure::{ACCURACY, SPARSITY};
use crate::error::Result;
use crate::experiment::exhibit::{Better, Cell, Column, Exhibit, Table};
use crate::experiment::preset::{FEWER_EPOCHS, FEWER_EPOCHS_OPEN, Preset, Quote};
use crate::experiment::reported::TABLE4;
use crate::experiment::{Finished, Job, Scale};
use crate::train::Config;

pub(super) static TARGET: Target = Target {
    name: "table4",
    title: "Rewinding by S_F against random rewinding",
    source: "Table 4, section A.7",
    jobs: runs,
    exhibit,
};

/// The paper says "fewer" epochs than 300, and not how many.
fn presets() -> Vec<Preset> {
    networks(&TABLE4).into_iter().map(|preset| preset.with_epochs(FEWER_EPOCHS)).collect()
}

fn at_the_tables(config: Config) -> Config {
    let percent = TABLE4.value(&config.model, "sparsity");
    at_sparsity(config, percent)
}

fn random_rewind(scale: &Scale, preset: &Preset, seed: u64) -> Config {
    at_the_tables(arm::random_rewind(scale, preset, seed))
}

fn gdstar(scale: &Scale, preset: &Preset, seed: u64) -> Config {
    at_the_tables(arm::gdstar(scale, preset, seed))
}

fn runs(scale: &Scale) -> Result<Vec<Job>> {
    Ok(jobs(scale, &scale.presets(&presets())?, &[random_rewind, gdstar]))
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let [sparse, accurate] = [&SPARSITY, &ACCURACY].map(|measure| move |name: &str| measure.column_named(name));
    let columns = vec![
        sparse("random, sparsity"),
        accurate("random rewind"),
        sparse("GDSTAR, sparsity"),
        accurate("GDSTAR"),
        Column::new("GDSTAR - random").in_unit("%", 2).better(Better::Higher),
    ];
    let mut table = Table::new("table4", TABLE4.title, columns);
    let at = (scale, finished);
    let mut short = Short::default();
    for preset in scale.presets(&presets())? {
        let of = |arm: Arm, quantity, column| cell(at, &preset, (arm, quantity), (&TABLE4, column));
        let ours = |arm: Arm| samples(at, &preset, arm, ACCURACY.of);
        let mut ends_short = |name, arm: Arm| short.is_any_of(at, &preset, (name, arm));
        let gain = match [ends_short("random", random_rewind)?, ends_short("GDSTAR", gdstar)?] {
            [false, false] => Cell::difference(ours(gdstar)?, ours(random_rewind)?),
            _ => Cell::Empty,
        };
        table.push(
            preset.model,
            vec![
                of(random_rewind, SPARSITY.of, "sparsity")?,
                of(random_rewind, ACCURACY.of, "random-rewind")?,
                of(gdstar, SPARSITY.of, "sparsity")?,
                of(gdstar, ACCURACY.of, "gdstar")?,
                gain,
            ],
        );
    }
    let mut departures = scale.departures(&presets());
    departures.push(AT_SPARSITY.to_string());
    if scale.epochs.is_none() {
        let Quote { place, text } = FEWER_EPOCHS_OPEN.quote;
        departures.push(format!(
            "{FEWER_EPOCHS} epochs a run, as for Table 3; the paper does not say how many: \"{text}\" ({place})."
        ));
    }
    Ok(Exhibit {
        question: "Is the epoch of least S_F a better rewind point than one that is drawn?".to_string(),
        equations: vec![4, 9],
        tables: vec![table],
        departures,
        notes: short.note().into_iter().collect(),
        ..Exhibit::default()
    })
}
