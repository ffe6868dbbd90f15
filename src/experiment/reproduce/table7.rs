//! Table 7: peak memory, by short runs.

use super::Target;
use super::measure::MOST_MEGABYTES;
use super::study::Study;
use crate::error::Result;
use crate::experiment::estimate::{network_of, trained_on};
use crate::experiment::exhibit::{Better, Cell, Column, Exhibit, Reported, Sample, Table};
use crate::experiment::reported::TABLE7;
use crate::experiment::{Finished, Scale};
use crate::method::Method;

pub(super) static TARGET: Target =
    Target { name: "table7", title: "Peak memory", source: "Table 7", jobs: |scale| Ok(study(scale)?.jobs()), exhibit };

/// Ten steps, where nothing else is asked for: what is kept of a weight is most before any is eliminated.
const IMAGES: usize = 1_280;

fn study(scale: &Scale) -> Result<Study> {
    let short = Scale { epochs: scale.epochs.or(Some(1)), subset: scale.subset.or(Some(IMAGES)), ..scale.clone() };
    let networks: Vec<&str> = TABLE7.networks().collect();
    let study = Study::of(&short, &networks)?;
    Ok(study.with("dense", Method::Dense, |_| {}).with("gdstar", Method::Gdstar, |_| {}).departing(
        "Here: what a step needs at the least on a CPU, without the program, the data set and an allocator's reserve, all of \
         which the paper's CPU column has, and without a GPU.",
    ))
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let study = study(scale)?;
    let seen = study.read(finished)?;
    let mut exhibit = seen.exhibit(TARGET.source, "How much more memory does GDSTAR take at its peak?");
    let megabytes = |name: &str| Column::new(name).in_unit("MB", 2).better(Better::Lower);
    let columns = vec![
        megabytes("kept for backward"),
        megabytes("dense"),
        megabytes("GDSTAR"),
        Column::new("overhead").in_unit("%", 2).better(Better::Lower),
        Column::new("the paper's overhead, CPU").in_unit("%", 2),
    ];
    let mut table =
        Table::new("table7", "Weights, gradients, momentum, what the method keeps, and activations", columns);
    for network in &study.networks {
        // No step is of more images than there are.
        let activations = match seen.find(network.model, "dense").map(|tried| &tried.setting.config) {
            Some(config) => {
                let batch = config.optimizer.batch_size.min(trained_on(config));
                network_of(config)?.summary::<f32>(batch)?.activation_bytes as f64 / 1e6
            }
            None => continue,
        };
        let of = |name: &str| {
            let stored = seen.find(network.model, name).map_or(Vec::new(), |tried| tried.samples(MOST_MEGABYTES.of));
            stored.into_iter().map(|sample| Sample { value: sample.value + activations, ..sample }).collect::<Vec<_>>()
        };
        let paper =
            |column: &str| TABLE7.value(network.model, column).map(|value| Reported { value, place: TABLE7.place() });
        let (dense, gdstar) = (of("dense"), of("gdstar"));
        let over = gdstar.iter().filter_map(|ours| {
            let dense = dense.iter().find(|dense| dense.seed == ours.seed)?;
            Some(Sample { value: 100.0 * (ours.value / dense.value - 1.0), ..ours.clone() })
        });
        let over = Cell::measured(over.collect(), paper("overhead GPU"));
        let cells = vec![
            Cell::Number(activations),
            Cell::measured(dense, paper("dense GPU")),
            Cell::measured(gdstar, paper("gdstar GPU")),
            over,
            TABLE7.value(network.model, "overhead CPU").map_or(Cell::Empty, Cell::Number),
        ];
        table.push(network.model, cells);
    }
    exhibit.tables.push(table);
    exhibit.notes.push(
        "GDSTAR keeps two numbers (G, W_k*) and a flag of every weight of W: its overhead follows from how much of the memory \
         is activations. The paper's numbers beside ours are its GPU's."
            .to_string(),
    );
    Ok(exhibit)
}
