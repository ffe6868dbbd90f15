//! Figure 2: how the accumulated gradients are distributed.

use super::Target;
use super::study::Study;
use crate::error::Result;
use crate::experiment::exhibit::{Axis, Cell, Chart, Column, Exhibit, Mark, Point, Sample, Series, Table};
use crate::experiment::{Finished, Scale};
use crate::method::Method;
use crate::tensor_file::TensorFile;
use std::collections::BTreeMap;
use std::path::Path;

pub(super) static TARGET: Target = Target {
    name: "fig2",
    title: "Distribution of the accumulated gradients",
    source: "Figure 2",
    jobs: |scale| Ok(study(scale)?.jobs()),
    exhibit,
};

/// The run's trace has G of every epoch, 8 MB each for LeNet300: the first few are taken.
const EPOCHS: usize = 5;
const TRACE: &str = "trace.safetensors";

fn study(scale: &Scale) -> Result<Study> {
    let short = Scale { epochs: scale.epochs.map_or(Some(EPOCHS), |epochs| Some(epochs.min(EPOCHS))), ..scale.clone() };
    let study = Study::of(&short, &["lenet300"])?;
    Ok(study.with("gdstar", Method::Gdstar, |config| config.outputs.trace = Some(TRACE.into())))
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let study = study(scale)?;
    let mut exhibit =
        study.read(finished)?.exhibit(TARGET.source, "How many weights have accumulated gradients near zero?");
    exhibit.equations = vec![2];
    exhibit
        .departures
        .push(format!("G of Eq. 2 of the first {EPOCHS} epochs; which epoch the figure shows is not said."));
    let columns = vec![
        Column::new("G = 0").in_unit("% of W", 2),
        Column::new("G < 1e-6").in_unit("% of W", 2),
        Column::new("G < 1e-4").in_unit("% of W", 2),
        Column::new("median of G"),
        Column::new("largest G"),
    ];
    let mut table = Table::new("shares", "Weights with little gradient, by epoch", columns);
    for network in &study.networks {
        let (mut epochs, mut of_first) = (Vec::<(usize, Vec<Drawn>)>::new(), Vec::new());
        for job in study.jobs().iter().filter(|job| job.config().model == network.model) {
            let Some(folder) = finished.folder(job)? else { continue };
            for (epoch, g) in accumulated(&folder.join(TRACE))? {
                let drawn = Drawn { seed: job.config().seed, hash: job.hash()?, g };
                match epochs.iter_mut().find(|(k, _)| *k == epoch) {
                    Some((_, all)) => all.push(drawn),
                    None => epochs.push((epoch, vec![drawn])),
                }
            }
        }
        for (epoch, all) in &epochs {
            table.push(format!("{}, epoch {epoch}", network.model), row(all));
            of_first.extend(all.first().map(|drawn| series(*epoch, drawn)));
        }
        if !of_first.is_empty() {
            exhibit.charts.push(chart(network.model, of_first));
        }
    }
    exhibit.tables.push(table);
    Ok(exhibit)
}

/// G of one run and epoch, sorted.
struct Drawn {
    seed: u64,
    hash: String,
    g: Vec<f64>,
}

impl Drawn {
    /// The share of W, in percent, whose G is below.
    fn below(&self, bound: f64) -> f64 {
        100.0 * self.g.partition_point(|&g| g < bound) as f64 / self.g.len() as f64
    }
}

/// G of every epoch of a trace, each sorted.
fn accumulated(trace: &Path) -> Result<Vec<(usize, Vec<f64>)>> {
    let file = TensorFile::open(trace)?;
    let mut epochs: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    let names: Vec<String> = file.names().map(str::to_string).collect();
    for name in &names {
        let mut parts = name.splitn(4, '/');
        if let (Some("epoch"), Some(k), Some("G")) = (parts.next(), parts.next(), parts.next())
            && let Ok(k) = k.parse()
        {
            epochs.entry(k).or_default().extend(file.read_floats(name, None)?);
        }
    }
    epochs.values_mut().for_each(|g| g.sort_unstable_by(f64::total_cmp));
    Ok(epochs.into_iter().collect())
}

fn row(all: &[Drawn]) -> Vec<Cell> {
    let of = |value: &dyn Fn(&Drawn) -> f64| {
        let sample = |drawn: &Drawn| Sample { seed: drawn.seed, value: value(drawn), hash: drawn.hash.clone() };
        Cell::measured(all.iter().map(sample).collect(), None)
    };
    vec![
        of(&|drawn| drawn.below(f64::MIN_POSITIVE)),
        of(&|drawn| drawn.below(1e-6)),
        of(&|drawn| drawn.below(1e-4)),
        of(&|drawn| drawn.g[drawn.g.len() / 2]),
        of(&|drawn| drawn.g[drawn.g.len() - 1]),
    ]
}

/// By half decades from 1e-12 on; what is less, 0 too, is in the first.
fn series(epoch: usize, drawn: &Drawn) -> Series {
    let edges = (-24..6).map(|half| f64::from(half) / 2.0);
    let share = |x: f64| {
        let below = if x <= -12.0 { 0.0 } else { drawn.below(10_f64.powf(x)) };
        Point::new(x, drawn.below(10_f64.powf(x + 0.5)) - below)
    };
    Series {
        name: format!("epoch {epoch}"),
        mark: Mark::Bars,
        points: edges.map(share).collect(),
        runs: vec![drawn.hash.clone()],
        ..Series::default()
    }
}

fn chart(network: &str, series: Vec<Series>) -> Chart {
    let most = |series: &Series| {
        let most = series.points.iter().max_by(|a, b| a.y.total_cmp(&b.y))?;
        Some(format!("{}: most, {:.1} %, from 10^{} on", series.name, most.y, most.x))
    };
    let alt = series.iter().filter_map(most).collect::<Vec<_>>().join("; ");
    Chart {
        name: format!("gradients-{network}"),
        title: format!("Accumulated squared gradients of {network}, seed 0"),
        x: Axis::linear("log10 of G"),
        y: Axis::linear("share of W").in_unit("%"),
        series,
        alt,
    }
}
