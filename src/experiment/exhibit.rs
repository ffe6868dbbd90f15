//! [`Exhibit`]: what a target makes of its runs, as plain data: tables and charts in which every number of ours knows its
//! runs and every number of the paper its place. How it is drawn, and what its samples come to, is said elsewhere.
//!
//! Values are in the unit of their column or axis (an accuracy in a column with the unit `%` is 97.6, not 0.976), and finite:
//! what a run does not have is [`Cell::Empty`], or [`Cell::Text`] where there is something to say ("diverged").

use serde::{Deserialize, Serialize};

/// What a target shows. Where runs are missing yet, it shows what is there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Exhibit {
    /// The target's name: `table2`.
    pub target: String,
    pub title: String,
    /// What it answers, in one sentence.
    pub question: String,
    /// The numbers of the paper's equations that it turns on, 1 to 11.
    pub equations: Vec<usize>,
    pub tables: Vec<Table>,
    pub charts: Vec<Chart>,
    /// What differs from the paper: the scale, readings. A sentence each.
    pub departures: Vec<String>,
    /// What the result says. A sentence each.
    pub notes: Vec<String>,
    /// Every run that went into it.
    pub runs: Vec<RunRef>,
}

/// A run that an exhibit's numbers come from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunRef {
    /// The name of its folder in the store; samples and series name it by this.
    pub hash: String,
    /// For people: `lenet300 gdstar seed 0`.
    pub name: String,
    /// The words of the command that makes the run.
    pub command: Vec<String>,
    /// How it reads what the paper leaves open: `quantile = linear`.
    pub reading: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// The stem of its files' names, and no other table's or chart's of the exhibit: letters, digits, `-` and `_`.
    pub name: String,
    pub title: String,
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
}

impl Table {
    pub fn new(name: impl Into<String>, title: impl Into<String>, columns: Vec<Column>) -> Self {
        Self { name: name.into(), title: title.into(), columns, rows: Vec::new() }
    }

    /// Adds a row, with a cell for every column.
    pub fn push(&mut self, label: impl Into<String>, cells: Vec<Cell>) {
        debug_assert_eq!(cells.len(), self.columns.len(), "a cell for every column of {}", self.name);
        self.rows.push(Row { label: label.into(), cells });
    }
}

/// A column beside the rows' labels.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    pub unit: Option<String>,
    /// With how many its numbers are shown; files have all digits.
    pub decimals: usize,
    /// Which of two numbers is the better one, where one is.
    pub better: Option<Better>,
}

impl Column {
    /// A column of words, or of numbers without unit and decimals.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// In this unit, with so many decimals.
    #[must_use]
    pub fn in_unit(self, unit: impl Into<String>, decimals: usize) -> Self {
        Self { unit: Some(unit.into()), decimals, ..self }
    }

    /// Whether its numbers are times.
    pub fn is_of_a_clock(&self) -> bool {
        self.unit.as_deref().is_some_and(|unit| ["ms", "s", "min"].contains(&unit))
    }

    #[must_use]
    pub fn decimals(self, decimals: usize) -> Self {
        Self { decimals, ..self }
    }

    #[must_use]
    pub fn better(self, better: Better) -> Self {
        Self { better: Some(better), ..self }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    Higher,
    Lower,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Row {
    pub label: String,
    /// One a column, in the columns' order.
    pub cells: Vec<Cell>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cell {
    /// Not run yet, or there is none.
    #[default]
    Empty,
    Text(String),
    /// What no run decides: a count of parameters, a setting.
    Number(f64),
    Measured(Measured),
    Difference(Difference),
}

impl Cell {
    /// Ours, and the paper's where it has one; empty where neither has a value.
    pub fn measured(ours: Vec<Sample>, paper: Option<Reported>) -> Self {
        match (ours.is_empty(), paper) {
            (true, None) => Self::Empty,
            (_, paper) => Self::Measured(Measured { ours, paper }),
        }
    }

    /// `ours` less `baseline`, seed by seed; empty where they have no seed in common.
    pub fn difference(ours: Vec<Sample>, baseline: Vec<Sample>) -> Self {
        let difference = Difference { ours, baseline };
        if difference.pairs().next().is_none() { Self::Empty } else { Self::Difference(difference) }
    }
}

/// Ours over seeds and the paper's. The statistics are computed from the samples, never stored beside them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// One a seed, in the order of the seeds; none where nothing has been run yet.
    pub ours: Vec<Sample>,
    pub paper: Option<Reported>,
}

/// What one run came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    pub seed: u64,
    pub value: f64,
    /// The run's [`RunRef::hash`].
    pub hash: String,
}

/// A number of the paper's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Reported {
    pub value: f64,
    /// Where it stands: `Table 2`, `Fig. 4, read off the curve`.
    pub place: String,
}

/// How two of ours differ, by seeds that both were run with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    pub ours: Vec<Sample>,
    /// What is subtracted.
    pub baseline: Vec<Sample>,
}

impl Difference {
    /// The samples of each common seed, in the order of `ours`.
    pub fn pairs(&self) -> impl Iterator<Item = (&Sample, &Sample)> {
        let of = |seed| self.baseline.iter().find(move |sample| sample.seed == seed);
        self.ours.iter().filter_map(move |ours| Some((ours, of(ours.seed)?)))
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Chart {
    /// As [`Table::name`].
    pub name: String,
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    pub series: Vec<Series>,
    /// What is to be seen, in words, for those who do not see it.
    pub alt: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    pub label: String,
    pub unit: Option<String>,
    /// By the logarithm; values that are not positive are left out.
    pub log: bool,
    /// Of what is no number: the name at 0, at 1, ...
    pub names: Vec<String>,
}

impl Axis {
    pub fn linear(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    pub fn logarithmic(label: impl Into<String>) -> Self {
        Self { log: true, ..Self::linear(label) }
    }

    /// Of things by name: networks, methods. The first is at x = 0, the next at 1.
    pub fn named(label: impl Into<String>, names: Vec<String>) -> Self {
        Self { names, ..Self::linear(label) }
    }

    #[must_use]
    pub fn in_unit(self, unit: impl Into<String>) -> Self {
        Self { unit: Some(unit.into()), ..self }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Series {
    pub name: String,
    pub mark: Mark,
    pub points: Vec<Point>,
    pub origin: Origin,
    /// The hashes of the runs that it was drawn from.
    pub runs: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// Points joined in their order.
    #[default]
    Line,
    Points,
    /// From 0 (on a logarithmic axis, from its foot) to y: on a named axis beside those of the other series, else from
    /// each x to the next.
    Bars,
    /// y holds from x to the next x.
    Steps,
}

/// A point, and between what it lies where that is known: a band around a line, a whisker at a point.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub x: f64,
    pub y: f64,
    pub low: Option<f64>,
    pub high: Option<f64>,
}

impl Point {
    #[must_use]
    pub fn new(x: f64, y: f64) -> Self {
        Self { x, y, ..Self::default() }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    #[default]
    Ours,
    Paper,
}
