//! Table 2: accuracy dense, reset to W_0 and rewound to W_k*; and Procrustes itself, to whose reset GDSTAR is compared.

use super::Target;
use super::arm::{Arm, accuracy, cell, dense, gdstar, jobs, networks, reset, sparsity};
use crate::error::Result;
use crate::experiment::exhibit::{Better, Column, Exhibit, Table};
use crate::experiment::preset::Preset;
use crate::experiment::reported::TABLE2;
use crate::experiment::{Finished, Job, Scale};
use crate::method::Method;
use crate::method::options::Value;
use crate::train::Config;

pub(super) static TARGET: Target = Target {
    name: "table2",
    title: "Dense, reset to W_0 and rewound to W_k*",
    source: "Table 2, section 5.1",
    jobs: runs,
    exhibit,
};

const ARMS: [Arm; 4] = [dense, reset, gdstar, procrustes];

/// Alg. 2, at the sparsity of the table.
fn procrustes(scale: &Scale, preset: &Preset, seed: u64) -> Config {
    let mut config = scale.config(preset, Method::Procrustes, seed);
    if let Some(percent) = TABLE2.value(preset.model, "sparsity") {
        config.options.set("sparsity", Value::Real(percent / 100.0));
    }
    config
}

fn runs(scale: &Scale) -> Result<Vec<Job>> {
    Ok(jobs(scale, &scale.presets(&networks(&TABLE2))?, &ARMS))
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let share = |name: &str| Column::new(name).in_unit("%", 2);
    let accurate = |name: &str| share(name).better(Better::Higher);
    let columns = vec![
        accurate("dense"),
        share("reset, sparsity"),
        accurate("reset to W_0"),
        share("GDSTAR, sparsity"),
        accurate("GDSTAR"),
        share("Procrustes, sparsity"),
        accurate("Procrustes"),
    ];
    let mut table = Table::new("table2", TABLE2.title, columns);
    let at = (scale, finished);
    for preset in scale.presets(&networks(&TABLE2))? {
        let of = |arm, quantity, column| cell(at, &preset, (arm, quantity), (&TABLE2, column));
        table.push(
            preset.model,
            vec![
                of(dense as Arm, accuracy as _, "dense")?,
                of(reset, sparsity, "sparsity")?,
                of(reset, accuracy, "reset")?,
                of(gdstar, sparsity, "sparsity")?,
                of(gdstar, accuracy, "gdstar")?,
                of(procrustes, sparsity, "")?,
                of(procrustes, accuracy, "")?,
            ],
        );
    }
    let question =
        "Does rewinding to W_k* keep more of the dense network's accuracy than resetting to W_0?".to_string();
    Ok(Exhibit {
        question,
        equations: vec![4, 5, 8, 9],
        tables: vec![table],
        departures: scale.departures(&networks(&TABLE2)),
        ..Exhibit::default()
    })
}
