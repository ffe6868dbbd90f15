//! Table 8: kernel launches, counted on a GPU where there is one; elsewhere the steps of the tape and of the optimizer are.

use super::Target;
#[cfg(feature = "cuda")]
use super::launches::{Launches, launches};
use super::study::Study;
use crate::error::Result;
use crate::experiment::exhibit::{Better, Cell, Column, Exhibit, Reported, Table};
use crate::experiment::preset::Preset;
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
    Ok(study.departing(match device() {
        Some(device) => format!(
            "Counted are the kernels that this program launches on {device}, in a step and at the end of an epoch; the paper's \
             are PyTorch's over a whole run. An optimizer's step is one kernel a parameter, and Eq. 2's sum and the mask are part \
             of it."
        ),
        None => "There is no GPU, or no CUDA in this program: counted are the calls of a step on the CPU (each op forward and \
                 backward, the optimizer once a parameter, and under GDSTAR Eq. 2's sum and the mask once a parameter of W). How \
                 many kernels a call launches on a GPU is not counted."
            .to_string(),
    }))
}

/// The GPU that is there.
fn device() -> Option<String> {
    #[cfg(feature = "cuda")]
    if let Ok(description) = crate::kernel::cuda::Device::get().and_then(|device| device.description()) {
        return Some(description.name);
    }
    None
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let study = study(scale)?;
    let (question, title) = match device() {
        Some(_) => ("How many more kernels does training under GDSTAR launch?", "Launches"),
        None => ("How many more calls does a step under GDSTAR make?", "Calls of a step"),
    };
    let mut exhibit = study.read(finished)?.exhibit(TARGET.source, question);
    let columns = vec![
        Column::new("a step, dense").better(Better::Lower),
        Column::new("a step, GDSTAR").better(Better::Lower),
        Column::new("an epoch's end, GDSTAR").better(Better::Lower),
        Column::new("overhead").in_unit("%", 2).better(Better::Lower),
        Column::new("the paper's overhead").in_unit("%", 2).better(Better::Lower),
    ];
    let mut table = Table::new("table8", title, columns);
    for preset in &study.networks {
        let paper = TABLE8.value(preset.model, "overhead").map(|value| Reported { value, place: TABLE8.place() });
        let mut cells = counted(preset)?;
        cells.push(Cell::measured(Vec::new(), paper));
        table.push(preset.model, cells);
    }
    exhibit.tables.push(table);
    Ok(exhibit)
}

/// What is counted of a network.
fn counted(preset: &Preset) -> Result<Vec<Cell>> {
    #[cfg(feature = "cuda")]
    if device().is_some() {
        return on_device(preset);
    }
    on_the_cpu(preset)
}

#[cfg(feature = "cuda")]
fn on_device(preset: &Preset) -> Result<Vec<Cell>> {
    let launches = launches(preset)?;
    let Launches { dense, gdstar, end_of_epoch, .. } = launches;
    let mut cells: Vec<Cell> =
        [dense, gdstar, end_of_epoch].into_iter().map(|count| Cell::Number(count as f64)).collect();
    cells.push(Cell::Number(launches.overhead()));
    Ok(cells)
}

fn on_the_cpu(preset: &Preset) -> Result<Vec<Cell>> {
    let model = models::find(preset.model)?;
    let network = model.network(model.input, model.classes)?;
    let of_w = |reading| network.specs().iter().filter(|spec| spec.role.is_prunable(reading)).count();
    let dense = 2 * network.summary::<f32>(2)?.layers.len() + of_w(Prunable::All);
    let gdstar = dense + 2 * of_w(Prunable::default());
    Ok(vec![
        Cell::Number(dense as f64),
        Cell::Number(gdstar as f64),
        Cell::Empty,
        Cell::Number(100.0 * (gdstar as f64 / dense as f64 - 1.0)),
    ])
}
