//! [`run_table`]: runs side by side, and what several seeds come to together.

use super::{StoredRun, mean_and_deviation};
use crate::error::Result;

const COLUMNS: [&str; 9] = [
    "model",
    "data",
    "method",
    "seed",
    "epochs",
    "test accuracy (%)",
    "sparsity (%)",
    "training (min)",
    "other than the paper's",
];

/// Numbers are set flush right: these columns are.
const NUMBERS: std::ops::Range<usize> = 3..8;

type Row = [String; COLUMNS.len()];

/// One run's line: what identifies its experiment, its seed, and its numbers (accuracy %, sparsity %, minutes).
struct Line<'a> {
    run: &'a StoredRun,
    departures: String,
    numbers: Option<[f64; 3]>,
}

impl<'a> Line<'a> {
    fn new(run: &'a StoredRun) -> Result<Self> {
        let departures = run.departures()?.join(", ");
        let numbers = run.summary().map(|s| [100.0 * s.accuracy, 100.0 * s.sparsity, s.seconds / 60.0]);
        Ok(Self { run, departures, numbers })
    }

    /// Equal for runs that differ in their seed only.
    fn experiment(&self) -> (&str, &str, &str, usize, &str) {
        let config = &self.run.config;
        (&config.model, config.data.name(), config.method.name(), config.hyper.epochs, &self.departures)
    }

    /// The row, with these three columns that a run and its experiment's summary do not share.
    fn row(&self, seed: String, epochs: String, numbers: [String; 3]) -> Row {
        let (model, data, method, _, departures) = self.experiment();
        let [accuracy, sparsity, minutes] = numbers;
        let [model, data, method, departures] = [model, data, method, departures].map(str::to_string);
        [model, data, method, seed, epochs, accuracy, sparsity, minutes, departures]
    }
}

/// A markdown table, one row per run: the last epoch's test accuracy and sparsity, and the minutes of training and
/// pruning without evaluation. Rows are sorted by model, data, method, and seed; runs of other settings than the
/// paper's follow as experiments of their own, with those settings in the last column.
///
/// Where an experiment has finished runs of more than one seed, a row `mean ± sd (n)` follows them: the mean over its
/// n seeds and the sample standard deviation. Runs that are not finished (`254/300`) do not enter it, and a seed that
/// is given twice enters it once: it is the same run again.
///
/// # Errors
/// As [`StoredRun::departures`].
pub fn run_table(runs: &[StoredRun]) -> Result<String> {
    let mut lines = runs.iter().map(Line::new).collect::<Result<Vec<_>>>()?;
    lines.sort_by(|a, b| (a.experiment(), a.run.config.seed).cmp(&(b.experiment(), b.run.config.seed)));
    let mut rows: Vec<Row> = Vec::new();
    for experiment in lines.chunk_by(|a, b| a.experiment() == b.experiment()) {
        rows.extend(experiment.iter().map(|line| {
            let numbers = line.numbers.map_or(["-"; 3].map(str::to_string), |x| x.map(|x| format!("{x:.2}")));
            line.row(line.run.config.seed.to_string(), line.run.progress(), numbers)
        }));
        rows.extend(over_seeds(experiment));
    }
    Ok(markdown(&rows))
}

/// The row of means and deviations, where there is more than one seed.
fn over_seeds(experiment: &[Line]) -> Option<Row> {
    let mut finished: Vec<&Line> = experiment.iter().filter(|line| line.run.is_finished()).collect();
    finished.dedup_by_key(|line| line.run.config.seed);
    let first = finished.first()?;
    let mut numbers = [const { String::new() }; 3];
    for (i, number) in numbers.iter_mut().enumerate() {
        let values: Vec<f64> = finished.iter().filter_map(|line| line.numbers.map(|x| x[i])).collect();
        let over = mean_and_deviation(&values)?;
        *number = format!("{:.2} ± {:.2}", over.mean, over.deviation);
    }
    Some(first.row(format!("mean ± sd ({})", finished.len()), first.run.progress(), numbers))
}

/// Cells padded to their column's width, so that the table reads as well in a terminal.
fn markdown(rows: &[Row]) -> String {
    let header: Row = COLUMNS.map(str::to_string);
    let mut widths = COLUMNS.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &Row| {
        let cells = row.iter().zip(widths).enumerate().map(|(i, (cell, width))| {
            if NUMBERS.contains(&i) { format!(" {cell:>width$} |") } else { format!(" {cell:<width$} |") }
        });
        format!("|{}\n", cells.collect::<String>())
    };
    let rules = widths.iter().enumerate().map(|(i, &width)| {
        let (rule, end) = ("-".repeat(width), if NUMBERS.contains(&i) { ':' } else { '-' });
        format!("-{rule}{end}|")
    });
    let rule = format!("|{}\n", rules.collect::<String>());
    std::iter::once(line(&header)).chain(std::iter::once(rule)).chain(rows.iter().map(line)).collect()
}
