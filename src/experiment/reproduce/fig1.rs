//! Figure 1: reset against rewinding, and what the rewind point does to accuracy.

use super::Target;
use super::measure::{ACCURACY, K_STAR, SPARSITY};
use super::seen::{Seen, spread};
use super::study::Study;
use crate::error::Result;
use crate::experiment::exhibit::{Axis, Cell, Chart, Column, Exhibit, Mark, Series, Table};
use crate::experiment::{Finished, Scale};
use crate::method::{Method, Value};
use crate::train::Config;

pub(super) static TARGET: Target = Target {
    name: "fig1",
    title: "Reset and rewinding, and the rewind point",
    source: "Figure 1",
    jobs: |scale| {
        let mut jobs = strategies(scale)?.jobs();
        jobs.extend(sweep(scale, SWEPT)?.jobs());
        Ok(jobs)
    },
    exhibit,
};

/// Fig. 1a. The text names LeNet300 and ResNet50; "iteration for the first three models and epoch for the last two" fits those
/// whose lottery tickets rewind to an iteration (A.8).
const NETWORKS: [&str; 5] = ["lenet300", "resnet20", "vgg16", "resnet18", "resnet50"];

/// Fig. 1b and c.
const SWEPT: &[&str] = &["lenet300", "resnet50"];

const STRATEGIES: [(&str, Method); 3] =
    [("dense", Method::Dense), ("reset", Method::Reset), ("gdstar", Method::Gdstar)];

fn strategies(scale: &Scale) -> Result<Study> {
    let study = Study::of(scale, &NETWORKS)?;
    Ok(STRATEGIES.iter().fold(study, |study, &(name, method)| study.with(name, method, |_| {})))
}

/// Fig. 1b and c, beside what a run takes without being told.
pub(super) fn sweep(scale: &Scale, networks: &[&str]) -> Result<Study> {
    let study = Study::of(scale, networks)?;
    let epochs = study.networks.iter().map(|network| scale.epochs.unwrap_or(network.epochs)).max().unwrap_or_default();
    let study = study.with("reset", Method::Reset, |_| {}).with("gdstar", Method::Gdstar, |_| {});
    Ok(rewind_points(epochs).fold(study, |study, k| {
        study.with(format!("k = {k}"), Method::FixedRewind, |config| {
            config.options.set("rewind_epoch", Value::Count(k));
        })
    }))
}

/// The epochs at whose end W_k* is captured, of a run of so many.
fn rewind_points(epochs: usize) -> impl Iterator<Item = usize> {
    [0, 1, 2, 5, 10, 20, 50, 100, 150, 200, 250].into_iter().filter(move |&k| k < epochs)
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let seen = strategies(scale)?.read(finished)?;
    let sweep = sweep(scale, SWEPT)?.read(finished)?;
    let mut exhibit = seen.exhibit(TARGET.source, "Where does rewinding pay, and how much hangs on the rewind point?");
    exhibit.equations = vec![4, 9];
    exhibit
        .departures
        .push("Rewind points are epochs; the paper's of its first three networks are iterations.".to_string());
    let mut of_sweep =
        sweep.table(("sweep", "Fig. 1b, c: fixed rewind points"), &[&ACCURACY, &SPARSITY], TARGET.source);
    sweep.compare(&mut of_sweep, &ACCURACY, "gdstar");
    exhibit.tables.extend([by_strategy(&seen), of_sweep]);
    exhibit.charts.push(bars(&seen));
    exhibit.charts.push(points(&sweep));
    Ok(exhibit)
}

/// Fig. 1a: a row a network.
fn by_strategy(seen: &Seen) -> Table {
    let mut columns: Vec<Column> = STRATEGIES.iter().map(|(name, _)| ACCURACY.column_named(name)).collect();
    columns.extend([
        SPARSITY.column_named("gdstar, sparsity"),
        K_STAR.column(),
        ACCURACY.column_named("gdstar less reset"),
    ]);
    let mut table = Table::new("strategies", "Fig. 1a: accuracy", columns);
    for network in seen.networks() {
        let samples = |name, of: fn(&[_]) -> _| seen.find(network, name).map_or(Vec::new(), |tried| tried.samples(of));
        let mut cells: Vec<Cell> =
            STRATEGIES.iter().map(|(name, _)| Cell::measured(samples(name, ACCURACY.of), None)).collect();
        cells.push(Cell::measured(samples("gdstar", SPARSITY.of), None));
        cells.push(Cell::measured(samples("gdstar", K_STAR.of), None));
        cells.push(Cell::difference(samples("gdstar", ACCURACY.of), samples("reset", ACCURACY.of)));
        table.push(network, cells);
    }
    table
}

fn bars(seen: &Seen) -> Chart {
    let networks = seen.networks();
    let series = |&(name, _): &(&str, Method)| {
        let of_network = |(x, network): (usize, &&str)| {
            let samples = seen.find(network, name)?.samples(ACCURACY.of);
            let values: Vec<f64> = samples.iter().map(|sample| sample.value).collect();
            (!values.is_empty()).then(|| spread(x as f64, &values))
        };
        let runs = seen.tried.iter().filter(|tried| tried.setting.name == name).flat_map(|tried| &tried.runs);
        Series {
            name: name.to_string(),
            mark: Mark::Bars,
            points: networks.iter().enumerate().filter_map(of_network).collect(),
            runs: runs.map(|run| run.hash.clone()).collect(),
            ..Series::default()
        }
    };
    Chart {
        name: "accuracy".to_string(),
        title: "Fig. 1a: accuracy by network".to_string(),
        x: Axis::named("network", networks.iter().map(ToString::to_string).collect()),
        y: Axis::linear("test accuracy").in_unit("%"),
        series: STRATEGIES.iter().map(series).collect(),
        alt: "Bars of the accuracy of each network, dense, reset and under GDSTAR; the table has the numbers."
            .to_string(),
    }
}

/// Accuracy over the fixed rewind points, a line a network.
pub(super) fn points(sweep: &Seen) -> Chart {
    let fixed = |config: &Config| config.options.count("rewind_epoch").map(|k| k as f64);
    sweep.over(&ACCURACY, Axis::linear("epoch at whose end W_k* is captured"), fixed)
}
