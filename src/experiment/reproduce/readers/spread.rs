//! How far do seeds spread, and how many would it take to see the paper's differences?

use super::super::Target;
use super::super::measure::{ACCURACY, SPARSITY};
use super::super::seen::{Seen, Tried};
use super::super::study::Study;
use super::{NETWORK, READERS};
use crate::error::Result;
use crate::experiment::exhibit::{Cell, Exhibit, Reported, Table};
use crate::experiment::reported::TABLE2;
use crate::experiment::statistics::mean_and_deviation;
use crate::experiment::{Finished, Scale};
use crate::method::Method;

pub(in super::super) static TARGET: Target = Target {
    name: "spread",
    title: "Standard deviations over seeds",
    source: READERS,
    jobs: |scale| Ok(study(scale)?.jobs()),
    exhibit,
};

const METHODS: [(&str, Method); 3] = [("dense", Method::Dense), ("reset", Method::Reset), ("gdstar", Method::Gdstar)];

fn study(scale: &Scale) -> Result<Study> {
    let study = Study::of(scale, NETWORK)?;
    Ok(METHODS.iter().fold(study, |study, &(name, method)| study.with(name, method, |_| {})))
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let seen = study(scale)?.read(finished)?;
    let question = "How much do results move with the seed alone, and are the differences of Table 2 larger than that?";
    let mut exhibit = seen.exhibit(TARGET.source, question);
    exhibit.tables.push(table(&seen));
    exhibit.notes.extend(seen.networks().into_iter().filter_map(|network| sentence(&seen, network)));
    exhibit.notes.push("The paper gives no deviations and does not say how many seeds it took.".to_string());
    Ok(exhibit)
}

fn table(seen: &Seen) -> Table {
    let mut columns = Vec::new();
    for measure in [&ACCURACY, &SPARSITY] {
        columns.push(measure.column());
        for name in ["deviation", "least", "most"] {
            columns.push(measure.column_named(&format!("{}, {name}", measure.name)));
        }
    }
    let mut table = Table::new("spread", "Over the seeds", columns);
    for tried in &seen.tried {
        let mut cells = Vec::new();
        for measure in [&ACCURACY, &SPARSITY] {
            let samples = tried.samples(measure.of);
            let values: Vec<f64> = samples.iter().map(|sample| sample.value).collect();
            let number = |value: Option<f64>| value.map_or(Cell::Empty, Cell::Number);
            cells.push(Cell::measured(samples, paper(tried, measure.name)));
            cells.push(number(mean_and_deviation(&values).map(|of| of.deviation)));
            cells.push(number(values.iter().copied().reduce(f64::min)));
            cells.push(number(values.iter().copied().reduce(f64::max)));
        }
        table.push(tried.label.clone(), cells);
    }
    table
}

fn paper(tried: &Tried, quantity: &str) -> Option<Reported> {
    let is_pruned = tried.setting.name != "dense";
    let column = if quantity == ACCURACY.name { &tried.setting.name } else { quantity };
    let value = TABLE2.value(tried.setting.network, column).filter(|_| is_pruned || quantity == ACCURACY.name)?;
    Some(Reported { value, place: TABLE2.place() })
}

/// What the paper's gain is beside the deviation of ours.
fn sentence(seen: &Seen, network: &str) -> Option<String> {
    let gain = TABLE2.value(network, "gdstar")? - TABLE2.value(network, "reset")?;
    let [ours, reset] =
        ["gdstar", "reset"].map(|name| seen.find(network, name).map(|tried| tried.samples(ACCURACY.of)));
    let (ours, reset) = (ours?, reset?);
    let pairs = ours.iter().filter_map(|a| Some(a.value - reset.iter().find(|b| b.seed == a.seed)?.value));
    let of = mean_and_deviation(&pairs.collect::<Vec<f64>>())?;
    Some(format!(
        "{network}: GDSTAR less reset is {:.2} in Table 2; here the difference of one pair of runs is {:.2} on average, and has a \
         standard deviation of {:.2} over {} seeds.",
        gain, of.mean, of.deviation, of.count
    ))
}
