//! Figure 7: the chunks C of the quantile.

use super::Target;
use super::measure::{ACCURACY, MINUTES, SPARSITY};
use super::seen::Seen;
use super::study::Study;
use crate::error::Result;
use crate::experiment::estimate::network_of;
use crate::experiment::exhibit::{Axis, Better, Cell, Column, Exhibit, Table};
use crate::experiment::{Finished, Scale};
use crate::method::{Method, Record};
use crate::paper::cost::{computation_saving, memory_saving};
use crate::train::{Config, EpochRecord};

pub(super) static TARGET: Target = Target {
    name: "fig7",
    title: "Impact of the chunk parameter C",
    source: "Figure 7",
    jobs: |scale| Ok(study(scale)?.jobs()),
    exhibit,
};

/// Those with a number in the text, and those between.
const CHUNKS: [usize; 8] = [1, 2, 4, 8, 16, 64, 256, 1024];

fn study(scale: &Scale) -> Result<Study> {
    let study = Study::of(scale, &["resnet18"])?;
    Ok(CHUNKS.iter().fold(study, |study, &chunks| {
        study.with(format!("chunks {chunks}"), Method::Gdstar, |config| {
            config.hyper.chunks = chunks;
            config.outputs.record = vec![Record::Parts];
        })
    }))
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let seen = study(scale)?.read(finished)?;
    let question = "What do more chunks cost in accuracy, and what do they save in time and memory of the quantile?";
    let mut exhibit = seen.exhibit(TARGET.source, question);
    exhibit.equations = vec![6, 7, 10, 11];
    let mut table = seen.table(("chunks", "By the number of chunks"), &[&ACCURACY, &SPARSITY, &MINUTES], TARGET.source);
    seen.compare(&mut table, &ACCURACY, "chunks 1");
    let selecting = |run: &[EpochRecord]| {
        let seconds: Option<f64> =
            run.iter().map(|epoch| epoch.measured.parts.as_ref().map(|parts| parts.selection)).sum();
        seconds.map(|seconds| 1000.0 * seconds / run.len() as f64)
    };
    let column = Column::new("quantile and selection, an epoch").in_unit("ms", 3).better(Better::Lower);
    seen.add(&mut table, column, |tried| Cell::measured(tried.samples(selecting), None));
    add_savings(&seen, &mut table)?;
    exhibit.tables.push(table);
    let chunks = |config: &Config| Some(config.hyper.chunks as f64);
    exhibit.charts.push(seen.over(&ACCURACY, Axis::logarithmic("chunks C"), chunks));
    Ok(exhibit)
}

/// Eq. 10 and 11, over the weights of W.
fn add_savings(seen: &Seen, table: &mut Table) -> Result<()> {
    let mut savings = Vec::new();
    for tried in &seen.tried {
        let config = &tried.setting.config;
        let (chunks, n) = (config.hyper.chunks, network_of(config)?.summary::<f32>(1)?.prunable);
        savings.push([computation_saving::<f64>(n, chunks)?, memory_saving(chunks)?]);
    }
    for (i, name) in ["saving of computation", "saving of memory"].iter().enumerate() {
        table.columns.push(Column::new(*name).in_unit("%", 2));
        for (row, saving) in table.rows.iter_mut().zip(&savings) {
            row.cells.push(Cell::Number(saving[i]));
        }
    }
    Ok(())
}
