//! Table 4: W_k* chosen by S_F, against a rewind point that moves by chance.

use super::Target;
use super::arm::{Arm, accuracy, cell, gdstar, jobs, networks, random_rewind, samples, sparsity};
use crate::error::Result;
use crate::experiment::exhibit::{Better, Cell, Column, Exhibit, Table};
use crate::experiment::preset::{FEWER_EPOCHS, Preset};
use crate::experiment::reported::TABLE4;
use crate::experiment::{Finished, Job, Scale};

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

fn runs(scale: &Scale) -> Result<Vec<Job>> {
    Ok(jobs(scale, &scale.presets(&presets())?, &[random_rewind, gdstar]))
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let share = |name: &str| Column::new(name).in_unit("%", 2);
    let accurate = |name: &str| share(name).better(Better::Higher);
    let columns = vec![
        share("random, sparsity"),
        accurate("random rewind"),
        share("GDSTAR, sparsity"),
        accurate("GDSTAR"),
        accurate("GDSTAR - random"),
    ];
    let mut table = Table::new("table4", TABLE4.title, columns);
    let at = (scale, finished);
    for preset in scale.presets(&presets())? {
        let of = |arm: Arm, quantity, column| cell(at, &preset, (arm, quantity), (&TABLE4, column));
        let ours = |arm: Arm| samples(at, &preset, arm, accuracy);
        table.push(
            preset.model,
            vec![
                of(random_rewind, sparsity, "sparsity")?,
                of(random_rewind, accuracy, "random-rewind")?,
                of(gdstar, sparsity, "sparsity")?,
                of(gdstar, accuracy, "gdstar")?,
                Cell::difference(ours(gdstar)?, ours(random_rewind)?),
            ],
        );
    }
    let mut departures = scale.departures(&presets());
    if scale.epochs.is_none() {
        let open = "The paper trains for \"fewer training epochs than Table 2\" (section A.7)";
        departures.push(format!("{FEWER_EPOCHS} epochs a run, as for Table 3. {open} and does not say how many."));
    }
    Ok(Exhibit {
        question: "Is the epoch of least S_F a better rewind point than one that is drawn?".to_string(),
        equations: vec![4, 9],
        tables: vec![table],
        departures,
        ..Exhibit::default()
    })
}
