//! Table 8: kernel launches. Where there is no CUDA in the build the steps of the tape and of the optimizer are counted.

use super::Target;
use super::study::Study;
use crate::error::Result;
use crate::experiment::exhibit::{Better, Cell, Column, Exhibit, Reported, Table};
use crate::experiment::reported::TABLE8;
use crate::experiment::{Finished, Scale};
use crate::nn::models;
use crate::paper::reading::Prunable;

pub(super) static TARGET: Target = Target {
    name: "table8",
    title: "Kernel launches",
    source: "Table 8",
    // Counted, not run.
    jobs: |scale| Ok(study(scale)?.jobs()),
    exhibit,
};

fn study(scale: &Scale) -> Result<Study> {
    let networks: Vec<&str> = TABLE8.networks().collect();
    let study = Study::without_runs(scale, &networks)?;
    Ok(study.departing(
        "CUDA kernels are not built: counted are the calls of a step on the CPU (each op forward and backward, the optimizer once \
         a parameter, and under GDSTAR Eq. 2's sum and the mask once a parameter of W). How many kernels a call launches on a GPU \
         is not counted.",
    ))
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let study = study(scale)?;
    let question = "How many more calls does a step under GDSTAR make?";
    let mut exhibit = study.read(finished)?.exhibit(TARGET.source, question);
    let columns = vec![
        Column::new("a step, dense").better(Better::Lower),
        Column::new("a step, GDSTAR").better(Better::Lower),
        Column::new("overhead").in_unit("%", 2).better(Better::Lower),
        Column::new("the paper's overhead").in_unit("%", 2).better(Better::Lower),
    ];
    let mut table = Table::new("table8", "Calls of a step", columns);
    for preset in &study.networks {
        let model = models::find(preset.model)?;
        let network = model.network(model.input, model.classes)?;
        let of_w = |reading| network.specs().iter().filter(|spec| spec.role.is_prunable(reading)).count();
        let dense = 2 * network.summary::<f32>(2)?.layers.len() + of_w(Prunable::All);
        let gdstar = dense + 2 * of_w(Prunable::default());
        let paper = TABLE8.value(preset.model, "overhead").map(|value| Reported { value, place: TABLE8.place() });
        let cells = vec![
            Cell::Number(dense as f64),
            Cell::Number(gdstar as f64),
            Cell::Number(100.0 * (gdstar as f64 / dense as f64 - 1.0)),
            Cell::measured(Vec::new(), paper),
        ];
        table.push(preset.model, cells);
    }
    exhibit.tables.push(table);
    Ok(exhibit)
}
