//! [`Measure`]: a number of a finished run, and its column; [`Course`]: a number of every epoch, and its axis.

use crate::experiment::exhibit::{Axis, Better, Column};
use crate::train::EpochRecord;

/// From a finished run's records, which are all there; `None` where they have it not.
pub type Quantity = fn(&[EpochRecord]) -> Option<f64>;

/// A number of a run.
#[derive(Clone, Copy)]
pub struct Measure {
    pub name: &'static str,
    pub unit: Option<&'static str>,
    pub decimals: usize,
    pub better: Option<Better>,
    pub of: Quantity,
}

/// A number of an epoch.
#[derive(Clone, Copy)]
pub struct Course {
    pub name: &'static str,
    pub label: &'static str,
    pub unit: Option<&'static str>,
    pub of: fn(&EpochRecord) -> Option<f64>,
}

impl Measure {
    const fn new(name: &'static str, decimals: usize, of: Quantity) -> Self {
        Self { name, unit: None, decimals, better: None, of }
    }

    const fn in_unit(self, unit: &'static str) -> Self {
        Self { unit: Some(unit), ..self }
    }

    const fn better(self, better: Better) -> Self {
        Self { better: Some(better), ..self }
    }

    pub fn column(&self) -> Column {
        self.column_named(self.name)
    }

    /// The column under another name.
    pub fn column_named(&self, name: &str) -> Column {
        let unit = self.unit.map(str::to_string);
        Column { name: name.to_string(), unit, decimals: self.decimals, better: self.better }
    }

    pub fn axis(&self) -> Axis {
        in_unit(Axis::linear(self.name), self.unit)
    }
}

impl Course {
    pub fn axis(&self) -> Axis {
        in_unit(Axis::linear(self.label), self.unit)
    }
}

fn in_unit(axis: Axis, unit: Option<&str>) -> Axis {
    match unit {
        Some(unit) => axis.in_unit(unit),
        None => axis,
    }
}

/// Of the last epoch (open point 24).
pub static ACCURACY: Measure = Measure::new("accuracy", 2, |run| run.last().map(|last| 100.0 * last.test_accuracy))
    .in_unit("%")
    .better(Better::Higher);
/// Of the best epoch.
pub static BEST_ACCURACY: Measure = Measure::new("best epoch's accuracy", 2, |run| {
    run.iter().map(|epoch| 100.0 * epoch.test_accuracy).reduce(f64::max)
})
.in_unit("%")
.better(Better::Higher);
pub static SPARSITY: Measure =
    Measure::new("sparsity", 2, |run| run.last().map(|last| 100.0 * last.sparsity)).in_unit("%").better(Better::Higher);
/// Where the rewind point stands at the end.
pub static K_STAR: Measure = Measure::new("k*", 0, |run| run.last()?.numbers.real("k_star"));
/// Epochs at whose end the rewind point moved.
pub static MOVES: Measure = Measure::new("moves of k*", 0, |run| {
    let moved = |epoch: &EpochRecord| epoch.numbers.count("k_star") == Some(epoch.epoch);
    run.first()?.numbers.count("k_star")?;
    Some(run.iter().filter(|epoch| moved(epoch)).count() as f64)
});
/// Training and pruning, without evaluation.
pub static MINUTES: Measure =
    Measure::new("training", 2, |run| Some(run.iter().map(|epoch| epoch.seconds).sum::<f64>() / 60.0))
        .in_unit("min")
        .better(Better::Lower);
/// Twice the multiply-accumulates of training, without those that sparsity spares.
pub static TERAFLOP: Measure = Measure::new("training", 3, |run| {
    run.iter().map(|epoch| epoch.effective_flops.map(|flops| flops as f64 / 1e12)).sum()
})
.in_unit("TFLOP")
.better(Better::Lower);
/// Weights, gradients, momentum and what the method keeps, in the last epoch.
pub static MEGABYTES: Measure = Measure::new("stored at the end", 2, |run| Some(run.last()?.bytes? as f64 / 1e6))
    .in_unit("MB")
    .better(Better::Lower);
/// The same where it is most.
pub static MOST_MEGABYTES: Measure = Measure::new("most stored", 2, |run| {
    run.iter()
        .map(|epoch| epoch.bytes.map(|bytes| bytes as f64 / 1e6))
        .collect::<Option<Vec<_>>>()?
        .into_iter()
        .reduce(f64::max)
})
.in_unit("MB")
.better(Better::Lower);

pub static ACCURACY_COURSE: Course =
    Course { name: "accuracy", label: "test accuracy", unit: Some("%"), of: |epoch| Some(100.0 * epoch.test_accuracy) };
pub static SPARSITY_COURSE: Course =
    Course { name: "sparsity", label: "sparsity", unit: Some("%"), of: |epoch| Some(100.0 * epoch.sparsity) };
/// Eq. 4.
pub static S_F_COURSE: Course =
    Course { name: "frobenius", label: "S_F", unit: None, of: |epoch| epoch.numbers.real("frobenius") };
/// Eq. 3.
pub static S_SQ_COURSE: Course =
    Course { name: "squared", label: "S_sq", unit: None, of: |epoch| epoch.numbers.real("frobenius").map(|s| s * s) };
pub static K_STAR_COURSE: Course =
    Course { name: "k-star", label: "k*", unit: None, of: |epoch| epoch.numbers.real("k_star") };

/// The sparsity, in percent, after an epoch.
pub fn sparsity_at(run: &[EpochRecord], epoch: usize) -> Option<f64> {
    run.iter().find(|record| record.epoch == epoch).map(|record| 100.0 * record.sparsity)
}

/// The first epoch at whose end this share of W, in percent, was eliminated.
pub fn first_epoch_at(run: &[EpochRecord], percent: f64) -> Option<f64> {
    run.iter().find(|record| 100.0 * record.sparsity >= percent).map(|record| record.epoch as f64)
}
