//! [`Shown`]: what the samples of a cell come to, the same in a terminal, a file and a page.

use crate::experiment::exhibit::{Cell, Column, Measured, Reported, Table};
use crate::experiment::statistics::{Comparison, FEW, compare, compare_strata, mean, mean_and_deviation};
use crate::nn::models;
use crate::report::thousands;
use std::collections::BTreeSet;

/// A cell with samples of ours, or a number of the paper's.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown<'a> {
    /// Over how many seeds; 0 where nothing has been run yet.
    pub count: usize,
    /// Their mean, or the mean of differences.
    pub mean: Option<f64>,
    /// Of more than one.
    pub deviation: Option<f64>,
    pub paper: Option<&'a Reported>,
    /// With the paper's number, which has no spread that is known; of a difference, with 0.
    pub comparison: Option<Comparison>,
    /// Whether the mean is a difference, and shown with its sign.
    pub is_difference: bool,
}

impl<'a> Shown<'a> {
    /// `None` of a cell that has neither.
    pub fn of(cell: &'a Cell) -> Option<Self> {
        match cell {
            Cell::Empty | Cell::Text(_) | Cell::Number(_) => None,
            Cell::Measured(measured) => {
                let values: Vec<f64> = measured.ours.iter().map(|sample| sample.value).collect();
                let comparison = from_paper(measured).and_then(|differences| compare(&differences));
                Some(Self { paper: measured.paper.as_ref(), ..Self::over(&values, comparison, false) })
            }
            Cell::Difference(difference) => {
                let values: Vec<f64> = difference.pairs().map(|(ours, base)| ours.value - base.value).collect();
                Some(Self::over(&values, compare(&values), true))
            }
        }
    }

    fn over(values: &[f64], comparison: Option<Comparison>, is_difference: bool) -> Self {
        let deviation = mean_and_deviation(values).map(|over| over.deviation);
        let mean = (!values.is_empty()).then(|| mean(values));
        Self { count: values.len(), mean, deviation, paper: None, comparison, is_difference }
    }

    /// The mean as the column shows it, or nothing.
    pub fn mean(&self, column: &Column) -> String {
        self.mean.map_or_else(String::new, |mean| number(mean, column.decimals, self.is_difference))
    }

    /// `± 0.12`, or nothing.
    pub fn deviation(&self, column: &Column) -> String {
        self.deviation.map_or_else(String::new, |deviation| format!("± {}", number(deviation, column.decimals, false)))
    }

    /// The paper's number as the column shows it, or nothing.
    pub fn paper(&self, column: &Column) -> String {
        self.paper.map_or_else(String::new, |paper| number(paper.value, column.decimals, false))
    }

    /// Whether the mean is called different from the paper's number, or a difference from 0.
    pub fn differs(&self) -> bool {
        self.comparison.is_some_and(|comparison| comparison.verdict.is_difference())
    }

    /// Whether there are seeds, but too few.
    pub fn too_few(&self) -> bool {
        (1..=FEW).contains(&self.count)
    }
}

/// Each of ours less the paper's number.
fn from_paper(measured: &Measured) -> Option<Vec<f64>> {
    let paper = measured.paper.as_ref()?;
    (!measured.ours.is_empty()).then(|| measured.ours.iter().map(|sample| sample.value - paper.value).collect())
}

/// A number with so many decimals; by its power of ten where it would be 0 without any, or has ten digits before them. Whole
/// numbers of five digits and more have commas.
pub(in crate::report) fn number(value: f64, decimals: usize, signed: bool) -> String {
    let is_hidden = decimals == 0 && value != 0.0 && value.abs() < 0.5;
    let sign = if signed && value > 0.0 { "+" } else { "" };
    if is_hidden || value.abs() >= 1e9 {
        return format!("{sign}{value:.2e}");
    }
    if decimals == 0 && value >= 10_000.0 {
        return format!("{sign}{}", thousands(value.round() as usize));
    }
    let text = format!("{value:.decimals$}");
    // Rounded to nothing from below.
    let text = match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.to_string(),
        _ => text,
    };
    format!("{sign}{text}")
}

/// A column's differences over all rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Overall {
    /// The column's place.
    pub column: usize,
    pub rows: usize,
    /// Whether they are ours less the paper's, not of two of ours.
    pub from_paper: bool,
    pub comparison: Comparison,
}

/// The interquartile mean over rows of what differs: of a column of differences, and of one in percent, ours less the
/// paper's. (Seconds or bytes of different networks have no common size.) Only where every row is a network, for settings of
/// one network are not independent: a seed does to all of them what it does to one. Columns in which fewer than two rows have
/// values have none, nor have those in which rows share runs, or have one value, of which there is no spread.
pub fn overall(table: &Table) -> Vec<Overall> {
    if table.rows.iter().any(|row| models::find(&row.label).is_err()) {
        return Vec::new();
    }
    let of = |(column, about): (usize, &Column)| {
        let cells = || table.rows.iter().filter_map(move |row| row.cells.get(column));
        let own = |cell: &Cell| match cell {
            Cell::Difference(difference) => {
                Some(difference.pairs().map(|(ours, base)| ours.value - base.value).collect::<Vec<f64>>())
            }
            _ => None,
        };
        let paper = |cell: &Cell| match cell {
            Cell::Measured(measured) if about.unit.as_deref() == Some("%") => from_paper(measured),
            _ => None,
        };
        let differences: Vec<Vec<f64>> = cells().filter_map(own).collect();
        let from_paper = differences.is_empty();
        let strata = if from_paper { cells().filter_map(paper).collect() } else { differences };
        let runs: Vec<&str> = cells().flat_map(runs_of).collect();
        let shares_runs = runs.iter().collect::<BTreeSet<_>>().len() < runs.len();
        let are_told = strata.len() > 1 && strata.iter().all(|values| values.len() > 1) && !shares_runs;
        let comparison = if are_told { compare_strata(&strata) } else { None };
        comparison.map(|comparison| Overall { column, rows: strata.len(), from_paper, comparison })
    };
    table.columns.iter().enumerate().filter_map(of).collect()
}

/// The runs that a difference is of.
fn runs_of(cell: &Cell) -> Vec<&str> {
    let Cell::Difference(difference) = cell else { return Vec::new() };
    difference.pairs().flat_map(|(ours, base)| [ours.hash.as_str(), base.hash.as_str()]).collect()
}

impl Overall {
    /// In a sentence.
    pub fn words(&self, table: &Table) -> String {
        let Some(column) = table.columns.get(self.column) else { return String::new() };
        let Comparison { centre, interval: [low, high], verdict, count } = self.comparison;
        let signed = |x: f64| number(x, column.decimals, true);
        let what =
            if self.from_paper { format!("{}, ours less the paper's", column.name) } else { column.name.clone() };
        format!(
            "{what}, over {} rows and {count} runs: interquartile mean {} {}, 95 % interval {} to {}: {}.",
            self.rows,
            signed(centre),
            column.unit.as_deref().unwrap_or_default(),
            signed(low),
            signed(high),
            verdict.words(),
        )
        .replace(" ,", ",")
    }
}
