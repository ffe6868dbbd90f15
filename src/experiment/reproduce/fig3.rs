//! Figure 3: the Frobenius norm of the gradients over training.

use super::Target;
use super::measure::{ACCURACY, S_F_COURSE};
use super::minima::{Minima, minima};
use super::seen::{Seen, Tried};
use super::study::Study;
use crate::error::Result;
use crate::experiment::exhibit::{Cell, Chart, Column, Exhibit, Mark, Point, Reported, Series, Table};
use crate::experiment::reported::statements;
use crate::experiment::{Finished, Scale};
use crate::method::{Method, Record};

pub(super) static TARGET: Target = Target {
    name: "fig3",
    title: "The Frobenius norm of gradients",
    source: "Figure 3",
    jobs: |scale| Ok(study(scale)?.jobs()),
    exhibit,
};

/// Those that section 3.1 names.
const NETWORKS: [&str; 8] =
    ["lenet", "mobilenetv2", "vgg16", "inceptionv3", "resnet18", "densenet121", "efficientnetb0", "shufflenetv2"];

fn study(scale: &Scale) -> Result<Study> {
    let study = Study::of(scale, &NETWORKS)?;
    Ok(study.with("dense", Method::Dense, |config| config.outputs.record = vec![Record::Frobenius]).with(
        "gdstar",
        Method::Gdstar,
        |_| {},
    ))
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let seen = study(scale)?.read(finished)?;
    let question =
        "Where are the minima of S_F, from which the rewind point follows, in dense training and under GDSTAR?";
    let mut exhibit = seen.exhibit(TARGET.source, question);
    exhibit.equations = vec![2, 3, 4];
    exhibit.tables.push(table(&seen));
    for network in seen.networks() {
        let of_network: Vec<&Tried> = seen.tried.iter().filter(|tried| tried.setting.network == network).collect();
        let mut chart =
            seen.chart_of(&of_network, &S_F_COURSE, &format!("S_F of {network}; dots: running minima of seed 0"));
        chart.name = format!("frobenius-{network}");
        mark(&mut chart, &of_network);
        exhibit.charts.push(chart);
    }
    exhibit.notes.extend(seen.tried.iter().filter_map(sentence));
    Ok(exhibit)
}

fn table(seen: &Seen) -> Table {
    let columns = vec![
        Column::new("last minimum at epoch"),
        Column::new("minima"),
        Column::new("longest stand, epochs"),
        Column::new("where it begins"),
        ACCURACY.column(),
    ];
    let mut table = Table::new("minima", "Running minima of S_F", columns);
    for tried in &seen.tried {
        let of = |value: fn(&Minima) -> usize| {
            Cell::measured(tried.samples(|run| minima(run).map(|minima| value(&minima) as f64)), None)
        };
        let said = statements(TARGET.source).find(|said| said.network == tried.setting.network && said.epoch.is_none());
        let paper = said.map(|said| Reported { value: said.value, place: format!("Figure 3, {}", said.place) });
        let last = tried.samples(|run| minima(run).map(|minima| minima.last() as f64));
        let accuracy = Cell::measured(tried.samples(ACCURACY.of), None);
        let cells = vec![
            Cell::measured(last, paper),
            of(|minima| minima.epochs.len()),
            of(|minima| minima.longest_stand().1),
            of(|minima| minima.longest_stand().0),
            accuracy,
        ];
        table.push(tried.label.clone(), cells);
    }
    table
}

/// Dots at the running minima of the first seed's runs.
fn mark(chart: &mut Chart, settings: &[&Tried]) {
    for tried in settings {
        let Some((run, minima)) = tried.runs.first().and_then(|run| Some((run, minima(&run.records)?))) else {
            continue;
        };
        chart.series.push(Series {
            name: format!("{}, minima", tried.label),
            mark: Mark::Points,
            points: minima.epochs.iter().map(|&(epoch, s_f)| Point::new(epoch as f64, s_f)).collect(),
            runs: vec![run.hash.clone()],
            ..Series::default()
        });
    }
}

/// What the minima of the first seed's run are like.
fn sentence(tried: &Tried) -> Option<String> {
    let run = tried.runs.first()?;
    let minima = minima(&run.records)?;
    let (from, epochs) = minima.longest_stand();
    Some(format!(
        "{} {}, seed {}: {} minima in {} epochs, the last at epoch {}; the longest stand is {epochs} epochs, from epoch {from} on.",
        tried.setting.network,
        tried.setting.name,
        run.seed,
        minima.epochs.len(),
        run.records.len(),
        minima.last(),
    ))
}
