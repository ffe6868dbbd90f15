//! [`by_class`]: how well a network does on each class.

use crate::train::Prediction;

/// A class's samples, and those that are taken for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassAccuracy {
    pub class: usize,
    pub samples: usize,
    pub correct: usize,
}

impl ClassAccuracy {
    /// The share of its samples that are classified rightly, 0 to 1; none without samples.
    pub fn accuracy(&self) -> Option<f64> {
        (self.samples > 0).then(|| self.correct as f64 / self.samples as f64)
    }
}

/// A row for each of so many classes.
pub fn by_class(predictions: &[Prediction], classes: usize) -> Vec<ClassAccuracy> {
    let mut rows: Vec<_> = (0..classes).map(|class| ClassAccuracy { class, samples: 0, correct: 0 }).collect();
    for prediction in predictions {
        // A label beyond the classes would have been refused.
        if let Some(row) = rows.get_mut(prediction.label) {
            row.samples += 1;
            row.correct += usize::from(prediction.is_correct());
        }
    }
    rows
}
