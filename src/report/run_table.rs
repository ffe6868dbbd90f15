//! [`RunTable`]: runs side by side, and what several seeds come to together; as a table to read, as CSV, as JSON.

mod data;
mod epochs;

use super::Summary;
use super::distinction::{ASPECTS, Distinction, Identity};
use super::grid::{Cells, Grid};
use crate::choice::choice;
use crate::error::Result;
use crate::experiment::statistics::{CONFIDENCE, MeanAndDeviation, mean_and_deviation};
use crate::train::StoredRun;

choice! {
    /// The form of a table.
    TableFormat, "format":
    /// Markdown, which reads as well in a terminal: percent, means and intervals, what all runs share in a line above.
    Markdown = "markdown",
    /// One record a run, for other programs: fractions and seconds as in `metrics.jsonl`.
    Csv = "csv",
    /// One record an epoch of each run, with all that its metrics have, each layer's sparsity among it.
    Epochs = "epochs",
    /// One object: `runs` as the records, and `experiments`, what each comes to over its seeds.
    Json = "json",
}

/// Runs in order, and the experiments that they are runs of.
pub struct RunTable<'a> {
    runs: &'a [StoredRun],
    distinction: Distinction,
    /// Positions in `runs`: by model, data, method, epochs, settings and seed, one list an experiment.
    experiments: Vec<Vec<usize>>,
}

impl<'a> RunTable<'a> {
    /// Sorts the runs. Those are one experiment that differ in their seed alone: the network, the data set to the last
    /// byte and every setting are the same.
    ///
    /// # Errors
    /// As [`Config::departures`](crate::train::Config::departures).
    pub fn new(runs: &'a [StoredRun]) -> Result<Self> {
        let distinction = Distinction::of(runs)?;
        let identities = &distinction.identities;
        let mut order: Vec<usize> = (0..runs.len()).collect();
        order.sort_by(|&a, &b| identities[a].order(&identities[b]));
        let experiments = order.chunk_by(|&a, &b| identities[a].same_experiment(&identities[b]));
        let experiments = experiments.map(<[usize]>::to_vec).collect();
        Ok(Self { runs, distinction, experiments })
    }

    /// A line of what all runs share, and a markdown table with a row a run: its name, what tells it from the others,
    /// the last epoch's test accuracy and sparsity in %, and the time of training and pruning without evaluation.
    ///
    /// Where an experiment has finished runs of n > 1 seeds, two rows follow them: the mean over the seeds and the
    /// sample standard deviation, and Student's 95 % interval for the mean. Runs that are not finished (`254/300`) do
    /// not enter them, and a seed that is given twice enters once: it is the same run again.
    ///
    /// With `columns`, the table fits a terminal that wide: words that leave no room for numbers stand below their row.
    pub fn markdown(&self, columns: Option<usize>) -> String {
        let unit = Unit::of(self.runs);
        let mut grid = Grid::new(self.columns(unit));
        for experiment in &self.experiments {
            for &i in experiment {
                let numbers = Summary::of(&self.runs[i])
                    .map(|s| [100.0 * s.accuracy, 100.0 * s.sparsity, s.seconds / unit.seconds]);
                let numbers = numbers.map_or(["-"; 3].map(str::to_string), |x| x.map(|x| format!("{x:.2}")));
                grid.push(self.row(i, self.runs[i].name.clone(), Some(self.runs[i].progress()), numbers));
            }
            let Some((n, over)) = self.over_seeds(experiment) else { continue };
            let [accuracy, sparsity, seconds] = over;
            let over = [accuracy.scaled(100.0), sparsity.scaled(100.0), seconds.scaled(1.0 / unit.seconds)];
            let means = over.map(|x| format!("{:.2} ± {:.2}", x.mean, x.deviation));
            // Of shares: what of the interval is beyond 0 and 100 % says nothing.
            let [accuracy, sparsity, _] =
                over.map(|x| x.interval(CONFIDENCE).map(|end| format!("{:.2}", end.clamp(0.0, 100.0))).join(".."));
            grid.push(self.row(experiment[0], format!("mean ± sd ({n})"), None, means));
            grid.push(self.row(experiment[0], "95 % of mean".to_string(), None, [accuracy, sparsity, String::new()]));
        }
        let table = columns.map_or_else(|| grid.markdown(), |columns| grid.fitted(columns));
        let shared = super::wrapped(&self.distinction.shared());
        if shared.is_empty() { table } else { format!("{shared}\n\n{table}") }
    }

    fn columns(&self, unit: Unit) -> Vec<(String, Cells)> {
        let mut columns = vec![("run".to_string(), Cells::Words)];
        for (i, name) in ASPECTS.iter().enumerate().filter(|(i, _)| self.shows(*i)) {
            columns.push((name.to_string(), if i < 3 { Cells::Words } else { Cells::Numbers }));
        }
        let numbers = ["accuracy (%)", "sparsity (%)", unit.heading].map(|head| (head.to_string(), Cells::Numbers));
        columns.extend(numbers);
        if self.distinction.in_settings() {
            columns.push(("other than the paper's".to_string(), Cells::Words));
        }
        columns
    }

    /// The cells of run `i`, or of its experiment where there is no `progress`, which has no seed.
    fn row(&self, i: usize, name: String, progress: Option<String>, numbers: [String; 3]) -> Vec<String> {
        let identity = &self.distinction.identities[i];
        let mut row = vec![name];
        for (j, aspect) in identity.aspects.iter().enumerate().filter(|(j, _)| self.shows(*j)) {
            row.push(match (ASPECTS[j], &progress) {
                ("epochs", Some(progress)) => progress.clone(),
                ("seed", None) => String::new(),
                _ => aspect.clone(),
            });
        }
        row.extend(numbers);
        if self.distinction.in_settings() {
            row.push(self.settings(identity));
        }
        row
    }

    fn settings(&self, identity: &Identity) -> String {
        self.distinction.settings(identity).map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    /// Whether this aspect has a column: where runs differ in it, or in how far they are.
    fn shows(&self, aspect: usize) -> bool {
        let under_way = || self.runs.iter().any(|run| !run.is_finished());
        self.distinction.differs[aspect] || (ASPECTS[aspect] == "epochs" && under_way())
    }

    /// How many seeds are finished, and their accuracies, sparsities and seconds together; `None` for fewer than two.
    fn over_seeds(&self, experiment: &[usize]) -> Option<(usize, [MeanAndDeviation; 3])> {
        let mut finished: Vec<usize> = experiment.iter().copied().filter(|&i| self.runs[i].is_finished()).collect();
        finished.dedup_by_key(|i| self.distinction.identities[*i].seed());
        let numbers =
            finished.iter().filter_map(|&i| Summary::of(&self.runs[i])).map(|s| [s.accuracy, s.sparsity, s.seconds]);
        let numbers: Vec<[f64; 3]> = numbers.collect();
        let over = |column: usize| mean_and_deviation(&numbers.iter().map(|row| row[column]).collect::<Vec<_>>());
        Some((finished.len(), [over(0)?, over(1)?, over(2)?]))
    }
}

/// What times are told in: the unit in which the shortest run does not vanish.
#[derive(Clone, Copy)]
struct Unit {
    seconds: f64,
    heading: &'static str,
}

impl Unit {
    fn of(runs: &[StoredRun]) -> Self {
        let times = runs.iter().filter_map(Summary::of).map(|summary| summary.seconds);
        match times.fold(f64::INFINITY, f64::min) {
            shortest if shortest < 60.0 => Self { seconds: 1.0, heading: "training (s)" },
            shortest if shortest < 3600.0 => Self { seconds: 60.0, heading: "training (min)" },
            _ => Self { seconds: 3600.0, heading: "training (h)" },
        }
    }
}
