//! Table 6: what GDSTAR adds to the time of training, where nothing is gained by sparsity.

use super::Target;
use super::arm::{self, Arm, cell, dense, jobs, networks, samples};
use crate::error::Result;
use crate::experiment::exhibit::{Better, Cell, Column, Exhibit, Reported, Sample, Table};
use crate::experiment::preset::Preset;
use crate::experiment::reported::TABLE6;
use crate::experiment::{Finished, Job, Scale};
use crate::train::{Config, EpochRecord, Execution};

pub(super) static TARGET: Target = Target {
    name: "table6",
    title: "Time of training, dense and with GDSTAR",
    source: "Table 6, section A.9.1",
    jobs: runs,
    exhibit,
};

/// "We disable sparsity exploitation to provide a clean and controlled assessment of GDSTAR's overhead" (section A.9).
fn gdstar(scale: &Scale, preset: &Preset, seed: u64) -> Config {
    Config { execution: Execution::Dense, ..arm::gdstar(scale, preset, seed) }
}

/// Epochs of the runs that the paper timed.
const EPOCHS: f64 = 300.0;

/// Of as many epochs as the paper's, by those that were trained.
fn minutes(records: &[EpochRecord]) -> Option<f64> {
    let seconds: f64 = records.iter().map(|record| record.seconds).sum();
    (!records.is_empty()).then(|| seconds / records.len() as f64 * EPOCHS / 60.0)
}

fn runs(scale: &Scale) -> Result<Vec<Job>> {
    Ok(jobs(scale, &scale.presets(&networks(&TABLE6))?, &[dense, gdstar]))
}

/// By how many percent of the baseline's each seed's is more.
fn overhead(ours: &[Sample], baseline: &[Sample]) -> Vec<Sample> {
    let of = |sample: &Sample| {
        let dense = baseline.iter().find(|dense| dense.seed == sample.seed)?.value;
        Some(Sample { value: 100.0 * (sample.value - dense) / dense, ..sample.clone() })
    };
    ours.iter().filter_map(of).filter(|sample| sample.value.is_finite()).collect()
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let time = |name: &str| Column::new(name).in_unit("min", 2).better(Better::Lower);
    let more = Column::new("overhead").in_unit("%", 2).better(Better::Lower);
    let mut table = Table::new("table6", TABLE6.title, vec![time("dense"), time("GDSTAR"), more]);
    let at = (scale, finished);
    for preset in scale.presets(&networks(&TABLE6))? {
        let of = |arm: Arm, column| cell(at, &preset, (arm, minutes), (&TABLE6, column));
        let ours = |arm: Arm| samples(at, &preset, arm, minutes);
        let reported = TABLE6.value(preset.model, "overhead").map(|value| Reported { value, place: TABLE6.place() });
        table.push(
            preset.model,
            vec![
                of(dense, "dense")?,
                of(gdstar, "gdstar")?,
                Cell::measured(overhead(&ours(gdstar)?, &ours(dense)?), reported),
            ],
        );
    }
    let mut departures = scale.departures(&networks(&TABLE6));
    departures.push("On this machine's processors; the paper: an NVIDIA P100.".to_string());
    Ok(Exhibit {
        question: "What do G, S_F and the epoch's end add to the time of training?".to_string(),
        equations: vec![2, 4, 7, 9],
        tables: vec![table],
        departures,
        notes: vec![
            "Minutes of 300 epochs, by the mean of those that were trained, without evaluation; eliminated weights are \
             computed with as zeros, as the paper did."
                .to_string(),
        ],
        ..Exhibit::default()
    })
}
