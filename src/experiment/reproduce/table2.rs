//! Table 2: accuracy dense, reset to W_0 and rewound to W_k*: as the hyper-parameters have it, and at the sparsity that the table
//! prints, with Procrustes itself, to whose reset the paper compares.

use super::Target;
use super::arm::{self, AT_SPARSITY, Arm, Short, at_sparsity, cell, dense, gdstar, jobs, networks, reset, samples};
use super::measure::{ACCURACY, SPARSITY};
use crate::error::Result;
use crate::experiment::exhibit::{Better, Cell, Column, Exhibit, Table};
use crate::experiment::preset::Preset;
use crate::experiment::reported::TABLE2;
use crate::experiment::{Finished, Job, Scale};
use crate::method::Method;
use crate::train::Config;

pub(super) static TARGET: Target = Target {
    name: "table2",
    title: "Dense, reset to W_0 and rewound to W_k*",
    source: "Table 2, section 5.1",
    jobs: runs,
    exhibit,
};

fn at_the_tables(config: Config) -> Config {
    let percent = TABLE2.value(&config.model, "sparsity");
    at_sparsity(config, percent)
}

fn reset_at(scale: &Scale, preset: &Preset, seed: u64) -> Config {
    at_the_tables(arm::reset(scale, preset, seed))
}

fn gdstar_at(scale: &Scale, preset: &Preset, seed: u64) -> Config {
    at_the_tables(arm::gdstar(scale, preset, seed))
}

/// Alg. 2.
fn procrustes_at(scale: &Scale, preset: &Preset, seed: u64) -> Config {
    at_the_tables(scale.config(preset, Method::Procrustes, seed))
}

fn runs(scale: &Scale) -> Result<Vec<Job>> {
    let arms: [Arm; 6] = [dense, reset, gdstar, reset_at, gdstar_at, procrustes_at];
    Ok(jobs(scale, &scale.presets(&networks(&TABLE2))?, &arms))
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let [sparse, accurate] = [&SPARSITY, &ACCURACY].map(|measure| move |name: &str| measure.column_named(name));
    let columns = vec![
        accurate("dense"),
        sparse("reset, sparsity"),
        accurate("reset to W_0"),
        sparse("GDSTAR, sparsity"),
        accurate("GDSTAR"),
    ];
    let mut table = Table::new("table2", TABLE2.title, columns);
    let gain = Column::new("GDSTAR - reset").in_unit("%", 2).better(Better::Higher);
    let columns = vec![
        sparse("reset, sparsity"),
        accurate("reset to W_0"),
        sparse("GDSTAR, sparsity"),
        accurate("GDSTAR"),
        gain,
        sparse("Procrustes, sparsity"),
        accurate("Procrustes"),
    ];
    let mut matched = Table::new(
        "table2-at-sparsity",
        "The same, with pruning that stops at the sparsity that the paper prints",
        columns,
    );
    let at = (scale, finished);
    let mut short = Short::default();
    for preset in scale.presets(&networks(&TABLE2))? {
        let accuracy = |arm: Arm, column| cell(at, &preset, (arm, ACCURACY.of), (&TABLE2, column));
        let sparsity = |arm: Arm, column| cell(at, &preset, (arm, SPARSITY.of), (&TABLE2, column));
        let ours = |arm: Arm| samples(at, &preset, arm, ACCURACY.of);
        table.push(
            preset.model,
            vec![
                accuracy(dense, "dense")?,
                sparsity(reset, "sparsity")?,
                accuracy(reset, "reset")?,
                sparsity(gdstar, "sparsity")?,
                accuracy(gdstar, "gdstar")?,
            ],
        );
        let mut ends_short = |name, arm: Arm| short.is_any_of(at, &preset, (name, arm));
        let are_short = [
            ends_short("reset", reset_at)?,
            ends_short("GDSTAR", gdstar_at)?,
            // Of no difference.
            ends_short("Procrustes", procrustes_at)?,
        ];
        let gain = match are_short {
            [false, false, _] => Cell::difference(ours(gdstar_at)?, ours(reset_at)?),
            _ => Cell::Empty,
        };
        matched.push(
            preset.model,
            vec![
                sparsity(reset_at, "sparsity")?,
                accuracy(reset_at, "reset")?,
                sparsity(gdstar_at, "sparsity")?,
                accuracy(gdstar_at, "gdstar")?,
                gain,
                sparsity(procrustes_at, "")?,
                accuracy(procrustes_at, "")?,
            ],
        );
    }
    let question =
        "Does rewinding to W_k* keep more of the dense network's accuracy than resetting to W_0?".to_string();
    let mut departures = scale.departures(&networks(&TABLE2));
    departures.push(format!("In the second table: {AT_SPARSITY}"));
    Ok(Exhibit {
        question,
        equations: vec![4, 5, 8, 9],
        tables: vec![table, matched],
        departures,
        notes: short.note().into_iter().collect(),
        ..Exhibit::default()
    })
}
