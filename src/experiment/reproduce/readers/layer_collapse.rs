//! Does a layer lose all its weights?

use super::super::Target;
use super::super::measure::{ACCURACY, Quantity, SPARSITY};
use super::super::seen::{Run, Seen, Tried, spread};
use super::super::study::Study;
use super::{NETWORK, READERS};
use crate::error::Result;
use crate::experiment::exhibit::{Axis, Cell, Chart, Column, Exhibit, Mark, Series};
use crate::experiment::{Finished, Scale};
use crate::method::{Method, Value};
use crate::paper::reading::MaskedGradient;
use crate::train::EpochRecord;

pub(in super::super) static TARGET: Target = Target {
    name: "layer-collapse",
    title: "Sparsity by layer, and layers without a weight",
    source: READERS,
    jobs: |scale| Ok(study(scale)?.jobs()),
    exhibit,
};

/// What the others are told: where global selections are known to empty layers.
const SPARSITIES: [f64; 2] = [0.9, 0.98];

fn study(scale: &Scale) -> Result<Study> {
    let mut study =
        Study::of(scale, NETWORK)?.with("gdstar", Method::Gdstar, |_| {}).with("reset", Method::Reset, |_| {});
    for reading in [MaskedGradient::Zero, MaskedGradient::Excluded] {
        study = study.with(format!("gdstar, gradients {reading}"), Method::Gdstar, |config| {
            config.reading.masked_gradient = reading;
        });
    }
    for method in [Method::Snip, Method::Grasp, Method::Rigl, Method::Procrustes] {
        for sparsity in SPARSITIES {
            study = study.with(format!("{method}, {sparsity}"), method, |config| {
                config.options.set("sparsity", Value::Real(sparsity));
            });
        }
    }
    Ok(study)
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let seen = study(scale)?.read(finished)?;
    let question = "One quantile over all of W: does some layer lose all its weights, and which are spared?";
    let mut exhibit = seen.exhibit(TARGET.source, question);
    exhibit.equations = vec![5, 6, 7];
    let mut table = seen.table(("layers", "At the end of training"), &[&ACCURACY, &SPARSITY], TARGET.source);
    let columns: [(Column, Quantity); 3] = [
        (SPARSITY.column_named("least of a layer"), |run| layers(run)?.reduce(f64::min)),
        (SPARSITY.column_named("most of a layer"), |run| layers(run)?.reduce(f64::max)),
        (Column::new("layers without a weight"), |run| {
            Some(layers(run)?.filter(|&percent| percent >= 100.0).count() as f64)
        }),
    ];
    for (column, value) in columns {
        seen.add(&mut table, column, |tried| Cell::measured(tried.samples(value), None));
    }
    exhibit.tables.push(table);
    for network in seen.networks() {
        let of_network: Vec<&Tried> = seen.tried.iter().filter(|tried| tried.setting.network == network).collect();
        exhibit.charts.extend(chart(network, &of_network));
    }
    exhibit.notes.extend(sentence(&seen));
    Ok(exhibit)
}

/// The sparsity of each layer at the end, in percent.
fn layers(run: &[EpochRecord]) -> Option<impl Iterator<Item = f64> + '_> {
    let layers = &run.last()?.layers;
    (!layers.is_empty()).then(|| layers.values().map(|share| 100.0 * share))
}

/// Bars of the layers; `None` before the first run.
fn chart(network: &str, settings: &[&Tried]) -> Option<Chart> {
    let names: Vec<String> =
        settings.iter().find_map(|tried| Some(tried.runs.first()?.records.last()?.layers.keys().cloned().collect()))?;
    let series = |tried: &&Tried| {
        let layer = |(x, name): (usize, &String)| {
            let of = |run: &[EpochRecord]| run.last()?.layers.get(name).map(|share| 100.0 * share);
            let values: Vec<f64> = tried.samples(of).iter().map(|sample| sample.value).collect();
            (!values.is_empty()).then(|| spread(x as f64, &values))
        };
        tried.series(Mark::Bars, names.iter().enumerate().filter_map(layer).collect())
    };
    let series: Vec<Series> = settings.iter().map(series).filter(|series| !series.points.is_empty()).collect();
    Some(Chart {
        name: format!("layers-{network}"),
        title: format!("Sparsity of the layers of {network}"),
        alt: format!("Bars of the sparsity of {}, a group a layer, a bar a setting.", names.join(", ")),
        x: Axis::named("layer", names),
        y: Axis::linear("sparsity").in_unit("%"),
        series,
    })
}

/// Which runs have lost a layer.
fn sentence(seen: &Seen) -> Option<String> {
    let has_lost = |run: &&Run| layers(&run.records).is_some_and(|mut layers| layers.any(|of| of >= 100.0));
    let lost = |tried: &Tried| {
        let count = tried.runs.iter().filter(has_lost).count();
        (count > 0).then(|| format!("{} ({count} of {} runs)", tried.label, tried.runs.len()))
    };
    let runs: usize = seen.tried.iter().map(|tried| tried.runs.len()).sum();
    let lost: Vec<String> = seen.tried.iter().filter_map(lost).collect();
    let which = if lost.is_empty() { "none".to_string() } else { lost.join(", ") };
    (runs > 0).then(|| format!("Runs that end with a layer without a weight: {which}."))
}
