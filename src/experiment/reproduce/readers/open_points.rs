//! What do points that the paper leaves open, and that are easily missed, move?

use super::super::Target;
use super::super::measure::{ACCURACY, BEST_ACCURACY, SPARSITY};
use super::super::seen::{Seen, Tried};
use super::super::study::Study;
use super::{NETWORK, READERS};
use crate::error::Result;
use crate::experiment::exhibit::{Cell, Column, Exhibit, Reported, Table};
use crate::experiment::reported::TABLE2;
use crate::experiment::{Finished, Scale};
use crate::method::Method;
use crate::nn::models;
use crate::paper::reading::{Decayed, InitialWeights, LastBatch, LearningRateStep, Prunable};
use crate::train::{Config, EpochRecord};

pub(in super::super) static TARGET: Target = Target {
    name: "open-points",
    title: "Initial weights, decay, augmentation, last or best epoch, what sparsity counts",
    source: READERS,
    jobs: |scale| Ok(study(scale)?.jobs()),
    exhibit,
};

const METHODS: [(&str, Method); 2] = [("dense", Method::Dense), ("gdstar", Method::Gdstar)];

/// Changes one setting.
type Change = fn(&mut Config);

/// Each read as by default but for one point (21, 22, 23, 16, 19 and 6 of docs/open-points.md).
const POINTS: [(&str, Change); 8] = [
    ("default", |_| {}),
    ("initial weights normal", |config| config.reading.initial_weights = InitialWeights::Normal),
    ("decay of weights alone", |config| config.reading.decayed = Decayed::Weights),
    ("no augmentation", |config| config.augment = false),
    ("learning rate per step", |config| config.reading.learning_rate = LearningRateStep::PerStep),
    ("short batch left out", |config| config.reading.last_batch = LastBatch::Drop),
    ("W with biases", |config| config.reading.prunable = Prunable::WeightsAndBiases),
    ("W of all parameters", |config| config.reading.prunable = Prunable::All),
];

/// As a row is called.
fn name(method: &str, point: &str) -> String {
    format!("{method}, {point}")
}

fn study(scale: &Scale) -> Result<Study> {
    let mut study = Study::of(scale, NETWORK)?;
    for (method_name, method) in METHODS {
        for (point, change) in POINTS {
            // Dense training has no W.
            if method == Method::Gdstar || !point.starts_with('W') {
                study = study.with(name(method_name, point), method, change);
            }
        }
    }
    Ok(study)
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let seen = study(scale)?.read(finished)?;
    let question = "How much do results depend on what the paper does not say of its training and of its numbers?";
    let mut exhibit = seen.exhibit(TARGET.source, question);
    exhibit.tables.push(table(&seen)?);
    Ok(exhibit)
}

fn table(seen: &Seen) -> Result<Table> {
    let measures = [&ACCURACY, &BEST_ACCURACY, &SPARSITY];
    let mut table = seen.table_beside(("points", "One point read otherwise"), &measures, |tried, measure| {
        let method = tried.setting.config.method;
        let column = if measure.name == SPARSITY.name { SPARSITY.name } else { method.entry().name };
        let has = method != Method::Dense || measure.name != SPARSITY.name;
        let value = TABLE2.value(tried.setting.network, column).filter(|_| has)?;
        Some(Reported { value, place: TABLE2.place() })
    });
    let mut shares = Vec::new();
    for tried in &seen.tried {
        shares.push(share_of_w(tried)?);
    }
    table.columns.push(SPARSITY.column_named("sparsity of all parameters"));
    for ((row, tried), share) in table.rows.iter_mut().zip(&seen.tried).zip(shares) {
        let of_all = |run: &[EpochRecord]| (SPARSITY.of)(run).map(|sparsity| share * sparsity);
        row.cells.push(Cell::measured(tried.samples(of_all), None));
    }
    table.columns.push(Column { better: None, ..ACCURACY.column_named("accuracy less the default's") });
    for (row, tried) in table.rows.iter_mut().zip(&seen.tried) {
        let default = seen.find(tried.setting.network, &name(tried.setting.config.method.entry().name, "default"));
        let samples =
            default.filter(|default| default.setting.name != tried.setting.name).map(|d| d.samples(ACCURACY.of));
        row.cells.push(samples.map_or(Cell::Empty, |samples| Cell::difference(tried.samples(ACCURACY.of), samples)));
    }
    Ok(table)
}

/// How many of all trained parameters are W, of the paper's images.
fn share_of_w(tried: &Tried) -> Result<f64> {
    let model = models::find(tried.setting.network)?;
    let network = model.network(model.input, model.classes)?;
    let of_w = |spec: &crate::nn::Spec| spec.role.is_prunable(tried.setting.config.reading.prunable);
    let count = |spec: &crate::nn::Spec| spec.shape.iter().product::<usize>();
    let w: usize = network.specs().iter().filter(|spec| of_w(spec)).map(count).sum();
    Ok(w as f64 / network.summary::<f32>(2)?.parameters as f64)
}
