//! [`Seen`]: what there is of a study's runs, and the tables and charts that are made of them.

use super::measure::{Course, Measure};
use super::setting::Setting;
use crate::experiment::exhibit::{
    Axis, Cell, Chart, Column, Exhibit, Mark, Origin, Point, Reported, Sample, Series, Table,
};
use crate::experiment::reported::{claims, statements};
use crate::train::{Config, EpochRecord};
use std::collections::BTreeMap;

/// What there is of a study's runs.
pub struct Seen {
    /// In the study's order; also those without a run.
    pub tried: Vec<Tried>,
    pub departures: Vec<String>,
}

/// A setting with its finished runs.
pub struct Tried {
    pub setting: Setting,
    /// The setting, with the network's name before it where there are several.
    pub label: String,
    pub runs: Vec<Run>,
}

/// A finished run.
pub struct Run {
    pub seed: u64,
    pub hash: String,
    pub records: Vec<EpochRecord>,
}

impl Tried {
    /// A number of each run that has it.
    pub fn samples(&self, value: impl Fn(&[EpochRecord]) -> Option<f64>) -> Vec<Sample> {
        let sample = |run: &Run| {
            let value = value(&run.records).filter(|value| value.is_finite())?;
            Some(Sample { seed: run.seed, value, hash: run.hash.clone() })
        };
        self.runs.iter().filter_map(sample).collect()
    }

    /// The mean over the runs that have the number.
    pub fn mean(&self, value: impl Fn(&[EpochRecord]) -> Option<f64>) -> Option<f64> {
        let samples = self.samples(value);
        (!samples.is_empty()).then(|| samples.iter().map(|sample| sample.value).sum::<f64>() / samples.len() as f64)
    }

    /// What the text of the paper says of it, in a figure: its number at the end of the run.
    pub fn stated(&self, figure: &str, quantity: &str) -> Option<Reported> {
        let said = statements(figure).find(|said| {
            said.network == self.setting.network
                && said.setting == self.setting.name
                && said.quantity == quantity
                && said.epoch.is_none()
        })?;
        Some(Reported { value: said.value, place: format!("{figure}, {}", said.place) })
    }

    /// A number over the epochs: the mean of the runs, between the least and the most of them.
    pub fn curve(&self, course: &Course) -> Series {
        let mut epochs: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        for record in self.runs.iter().flat_map(|run| &run.records) {
            if let Some(value) = (course.of)(record).filter(|value| value.is_finite()) {
                epochs.entry(record.epoch).or_default().push(value);
            }
        }
        let points = epochs.iter().map(|(&epoch, values)| spread(epoch as f64, values)).collect();
        self.series(Mark::Line, points)
    }

    /// A series of its runs.
    pub fn series(&self, mark: Mark, points: Vec<Point>) -> Series {
        let runs = self.runs.iter().map(|run| run.hash.clone()).collect();
        Series { name: self.label.clone(), mark, points, origin: Origin::Ours, runs }
    }
}

/// The mean of some values, not none, between the least and the most where there are several.
pub fn spread(x: f64, values: &[f64]) -> Point {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let several = values.len() > 1;
    let low = values.iter().copied().reduce(f64::min).filter(|_| several);
    let high = values.iter().copied().reduce(f64::max).filter(|_| several);
    Point { x, y: mean, low, high }
}

impl Seen {
    /// An exhibit without tables and charts yet; what the paper claims in words of its figure or table is among the notes.
    pub fn exhibit(&self, of: &str, question: &str) -> Exhibit {
        let says = claims(of).map(|claim| format!("The paper ({}): {}.", claim.place, claim.words));
        let departures = self.departures.clone();
        Exhibit { question: question.to_string(), departures, notes: says.collect(), ..Exhibit::default() }
    }

    /// A row a setting, a column a measure, beside what the paper's text says of the figure.
    pub fn table(&self, (name, title): (&str, &str), measures: &[&Measure], figure: &str) -> Table {
        self.table_beside((name, title), measures, |tried, measure| tried.stated(figure, measure.name))
    }

    /// A row a setting, a column a measure, with what the paper has where it has one.
    pub fn table_beside(
        &self,
        (name, title): (&str, &str),
        measures: &[&Measure],
        paper: impl Fn(&Tried, &Measure) -> Option<Reported>,
    ) -> Table {
        let mut table = Table::new(name, title, measures.iter().map(|measure| measure.column()).collect());
        for tried in &self.tried {
            let cell = |measure: &&Measure| Cell::measured(tried.samples(measure.of), paper(tried, measure));
            table.push(tried.label.clone(), measures.iter().map(cell).collect());
        }
        table
    }

    /// Adds a column to a table with a row a setting.
    pub fn add(&self, table: &mut Table, column: Column, cell: impl Fn(&Tried) -> Cell) {
        table.columns.push(column);
        for (row, tried) in table.rows.iter_mut().zip(&self.tried) {
            row.cells.push(cell(tried));
        }
    }

    /// Adds to a table with a row a setting what each is above this one of its network, seed by seed.
    pub fn compare(&self, table: &mut Table, measure: &Measure, baseline: &str) {
        let column = measure.column_named(&format!("{} less that of {baseline}", measure.name));
        self.add(table, column, |tried| match self.find(tried.setting.network, baseline) {
            Some(there) if there.setting.name != tried.setting.name => {
                Cell::difference(tried.samples(measure.of), there.samples(measure.of))
            }
            _ => Cell::Empty,
        });
    }

    /// A curve a setting over the epochs.
    pub fn chart(&self, course: &Course, title: &str) -> Chart {
        self.chart_of(&self.tried.iter().collect::<Vec<_>>(), course, title)
    }

    /// The same of some settings.
    pub fn chart_of(&self, tried: &[&Tried], course: &Course, title: &str) -> Chart {
        let series: Vec<Series> =
            tried.iter().map(|tried| tried.curve(course)).filter(|curve| !curve.points.is_empty()).collect();
        let alt = series.iter().map(ends).collect::<Vec<_>>().join("; ");
        Chart {
            name: course.name.to_string(),
            title: title.to_string(),
            x: Axis::linear("epoch"),
            y: course.axis(),
            series,
            alt: format!("{} over the epochs. {alt}", course.label),
        }
    }

    /// A number of the runs over one of what they are set to, a line a network; without settings that have none.
    pub fn over(&self, measure: &Measure, axis: Axis, x: impl Fn(&Config) -> Option<f64>) -> Chart {
        let line = |network: &&'static str| {
            let mut series = Series { name: network.to_string(), ..Series::default() };
            for tried in self.tried.iter().filter(|tried| tried.setting.network == *network) {
                let values: Vec<f64> = tried.samples(measure.of).iter().map(|sample| sample.value).collect();
                let Some(x) = x(&tried.setting.config).filter(|_| !values.is_empty()) else { continue };
                series.points.push(spread(x, &values));
                series.runs.extend(tried.runs.iter().map(|run| run.hash.clone()));
            }
            series.points.sort_by(|a, b| a.x.total_cmp(&b.x));
            series
        };
        let series: Vec<Series> = self.networks().iter().map(line).filter(|series| !series.points.is_empty()).collect();
        let alt = series.iter().map(ends).collect::<Vec<_>>().join("; ");
        Chart {
            name: format!("{}-over-{}", words(measure.name), words(&axis.label)),
            title: format!("{} over {}", measure.name, axis.label),
            alt: format!("{} over {}. {alt}", measure.name, axis.label),
            y: measure.axis(),
            x: axis,
            series,
        }
    }

    /// The setting of this name, of a network.
    pub fn find(&self, network: &str, name: &str) -> Option<&Tried> {
        self.tried.iter().find(|tried| tried.setting.network == network && tried.setting.name == name)
    }

    /// Its networks, in the study's order.
    pub fn networks(&self) -> Vec<&'static str> {
        let mut networks: Vec<&'static str> = self.tried.iter().map(|tried| tried.setting.network).collect();
        // A network's settings stand together.
        networks.dedup();
        networks
    }
}

/// A name as files have it.
fn words(name: &str) -> String {
    let plain = name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    plain.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

/// A curve in words.
fn ends(series: &Series) -> String {
    match (series.points.first(), series.points.last()) {
        (Some(first), Some(last)) => format!("{}: from {:.4} to {:.4}", series.name, first.y, last.y),
        _ => series.name.clone(),
    }
}
