//! [`Series`]: what is drawn in one colour: a run, or the seeds of an experiment together.

use super::{Quantity, Seeds, View};
use crate::error::{Error, Result};
use crate::report::distinction::Distinction;
use crate::train::EpochRecord;
use crate::train::StoredRun;
use plotters::style::RGBColor;
use std::collections::BTreeMap;

/// Okabe and Ito's colours for readers with any colour vision, without the yellow, which is faint on white.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(0, 0, 0),
];

/// Lengths of dashes and of the gaps between them, in pixels: the first series of a colour is drawn through.
const DASHES: [Option<(u32, u32)>; 4] = [None, Some((8, 5)), Some((2, 4)), Some((18, 6))];

/// As many series as can be told apart.
pub(super) const MOST: usize = COLOURS.len() * DASHES.len();

/// Runs of one experiment, and how they are drawn.
pub(super) struct Series<'a> {
    runs: Vec<&'a StoredRun>,
    pub(super) label: String,
    pub(super) colour: RGBColor,
    pub(super) dashes: Option<(u32, u32)>,
}

/// A place along the horizontal axis, and what is there: `None` where there is nothing to draw.
pub(super) type Point<T> = (f64, Option<T>);

impl<'a> Series<'a> {
    /// The runs as series, in the order in which the first run of each is given.
    ///
    /// # Errors
    /// [`Error::Domain`] if there are none, or more than can be told apart.
    pub(super) fn of(runs: &'a [StoredRun], seeds: Seeds, distinction: &Distinction) -> Result<Vec<Self>> {
        let identities = &distinction.identities;
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for i in 0..runs.len() {
            let same = |group: &&mut Vec<usize>| identities[group[0]].same_experiment(&identities[i]);
            match groups.iter_mut().find(same).filter(|_| seeds == Seeds::Together) {
                // A seed that is given twice is the same run again.
                Some(group) if group.iter().any(|&j| identities[j].seed() == identities[i].seed()) => {}
                Some(group) => group.push(i),
                None => groups.push(vec![i]),
            }
        }
        if groups.is_empty() || groups.len() > MOST {
            let expected = format!("1 to {MOST} runs or experiments, as many as can be told apart");
            return Err(Error::domain("plot", expected, groups.len()));
        }
        let series = |(place, group): (usize, &Vec<usize>)| Self {
            label: label(runs, group, distinction),
            runs: group.iter().map(|&i| &runs[i]).collect(),
            colour: COLOURS[place % COLOURS.len()],
            dashes: DASHES[place / COLOURS.len() % DASHES.len()],
        };
        Ok(groups.iter().enumerate().map(series).collect())
    }

    /// Whether it stands for several seeds.
    pub(super) fn has_band(&self) -> bool {
        self.runs.len() > 1
    }

    /// Each run's values along the horizontal axis, as far as the view has them and the quantity's axis can show them.
    pub(super) fn values(&self, quantity: Quantity, view: View) -> Vec<Vec<Point<f64>>> {
        let value = |record: &EpochRecord| {
            quantity.of(record).filter(|&y| view.shows(record.epoch) && quantity.scale().shows(y))
        };
        let of = |run: &&StoredRun| {
            let values = run.records.iter().map(value);
            view.against.places(run).into_iter().zip(values).collect()
        };
        self.runs.iter().map(of).collect()
    }
}

/// The mean of the runs' values at every place, and the smallest and the largest of them.
pub(super) fn over_seeds(runs: &[Vec<Point<f64>>]) -> (Vec<Point<f64>>, Vec<Point<[f64; 2]>>) {
    let mut at: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for &(x, y) in runs.iter().flatten() {
        // Epochs, which are whole numbers of at least 0: their bits are in their order.
        at.entry(x.to_bits()).or_default().extend(y);
    }
    let place = |(&x, values): (&u64, &Vec<f64>)| {
        let x = f64::from_bits(x);
        let n = values.len() as f64;
        let mean = values.iter().map(|y| y / n).sum();
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let some = !values.is_empty();
        ((x, some.then_some(mean)), (x, some.then_some([low, high])))
    };
    at.iter().map(place).unzip()
}

/// What tells the series from the others, and how far it is; the run's name where nothing does.
fn label(runs: &[StoredRun], group: &[usize], distinction: &Distinction) -> String {
    let first = &distinction.identities[group[0]];
    let mut parts = if group.len() > 1 { distinction.own_experiment(first) } else { distinction.own(first) };
    if group.len() > 1 {
        if parts.is_empty() && distinction.in_settings() {
            // Beside others of which each says what it changes.
            parts.push("the paper's settings".to_string());
        }
        parts.push(format!("{} runs", group.len()));
    } else if parts.is_empty() {
        parts.push(runs[group[0]].name.clone());
    }
    let under_way = group.iter().map(|&i| &runs[i]).filter(|run| !run.is_finished());
    parts.extend(under_way.map(|run| format!("{} epochs", run.progress())));
    parts.join(", ")
}
