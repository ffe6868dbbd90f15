//! Table 3: ResNet50 on Tiny ImageNet, dense and at three sparsities.

use super::Target;
use super::arm::{self, AT_SPARSITY, Arm, Short, at_sparsity, cell, dense, jobs};
use super::measure::{ACCURACY, SPARSITY};
use crate::error::Result;
use crate::experiment::exhibit::{Exhibit, Table};
use crate::experiment::preset::{Preset, RESNET50};
use crate::experiment::reported::TABLE3;
use crate::experiment::{Finished, Job, Scale};
use crate::train::Config;

pub(super) static TARGET: Target = Target {
    name: "table3",
    title: "ResNet50 on Tiny ImageNet at three sparsities",
    source: "Table 3, section A.6",
    jobs: runs,
    exhibit,
};

fn at_75(scale: &Scale, preset: &Preset, seed: u64) -> Config {
    at_sparsity(arm::gdstar(scale, preset, seed), Some(75.0))
}

fn at_80(scale: &Scale, preset: &Preset, seed: u64) -> Config {
    at_sparsity(arm::gdstar(scale, preset, seed), Some(80.0))
}

fn at_85(scale: &Scale, preset: &Preset, seed: u64) -> Config {
    at_sparsity(arm::gdstar(scale, preset, seed), Some(85.0))
}

/// By the columns of the table.
const ARMS: [(&str, Arm); 4] = [("dense", dense), ("75%", at_75), ("80%", at_80), ("85%", at_85)];

fn runs(scale: &Scale) -> Result<Vec<Job>> {
    Ok(jobs(scale, &scale.presets(&[RESNET50])?, &ARMS.map(|(_, arm)| arm)))
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let columns = vec![SPARSITY.column(), ACCURACY.column_named("top-1 accuracy")];
    let mut table = Table::new("table3", TABLE3.title, columns);
    let mut short = Short::default();
    for preset in scale.presets(&[RESNET50])? {
        for (column, arm) in ARMS {
            short.is_any_of((scale, finished), &preset, (column, arm))?;
            let of = |quantity, column| cell((scale, finished), &preset, (arm, quantity), (&TABLE3, column));
            table.push(format!("{}, {column}", preset.model), vec![of(SPARSITY.of, "")?, of(ACCURACY.of, column)?]);
        }
    }
    let mut departures = scale.departures(&[RESNET50]);
    departures.push(AT_SPARSITY.to_string());
    Ok(Exhibit {
        question: "Does GDSTAR keep the accuracy of a larger network on a larger data set?".to_string(),
        equations: vec![9],
        tables: vec![table],
        departures,
        notes: short.note().into_iter().collect(),
        ..Exhibit::default()
    })
}
