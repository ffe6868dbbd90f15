//! The run level: a port's results beside those of an ensemble of reference runs, by a two-sided equivalence test.
//!
//! Two correct programs do not train to the same numbers: one rounding decides a selection, and the runs part. What can
//! be compared is what they end with: accuracy, sparsity, k*, S_F. A difference that is not significant proves nothing, so
//! the test is the other way round (two one-sided t-tests; Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987): the port
//! is *equivalent* if a confidence interval of the difference lies within a margin, *different* if one lies outside, and
//! else *undecided*.
//!
//! Margins and confidences are chosen, not derived. A margin is a difference that matters, whatever the ensemble spans:
//! runs that scatter widely make the interval wide, and leave undecided what they cannot tell apart. Equivalence adds
//! nothing to a verdict, difference is a FAIL, and an undecided accuracy or sparsity withholds a PASS.

mod ensemble;
mod statistics;

pub use ensemble::Ensemble;
pub use statistics::RunStatistics;

use crate::error::Result;
use crate::trace::Header;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Confidence of each one-sided test that proves equivalence: chosen.
const EQUIVALENT_AT: f64 = 0.95;
/// Confidence of each one-sided test that proves a difference: chosen, and stricter, for it is a FAIL.
const DIFFERENT_AT: f64 = 0.995;

/// What a comparison of means says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Equivalence {
    Equivalent,
    Different,
    Undecided,
}

/// One quantity, compared.
#[derive(Debug, Clone, PartialEq)]
pub struct RunComparison {
    pub quantity: &'static str,
    pub port: f64,
    pub reference: f64,
    /// Half the width of the interval that proves equivalence.
    pub half_width: f64,
    pub margin: f64,
    pub outcome: Equivalence,
    /// Whether a PASS needs it decided.
    pub is_decisive: bool,
}

impl std::fmt::Display for RunComparison {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let outcome = match self.outcome {
            Equivalence::Equivalent => "equivalent",
            Equivalence::Different => "DIFFERENT",
            Equivalence::Undecided => "undecided",
        };
        let difference = self.port - self.reference;
        let Self { quantity, port, reference, half_width, margin, .. } = self;
        write!(
            f,
            "{quantity} {port:.4e} against {reference:.4e}: difference {difference:.2e} +- {half_width:.2e}, chosen \
             margin {margin:.2e}: {outcome}"
        )
    }
}

/// A quantity that runs are compared by.
struct Quantity {
    name: &'static str,
    read: fn(&RunStatistics) -> Option<f64>,
    /// The difference that matters, given the reference's mean and K: chosen.
    margin: fn(f64, f64) -> f64,
    /// One of the two that the paper's tables report.
    is_decisive: bool,
}

const QUANTITIES: [Quantity; 4] = [
    Quantity { name: "accuracy", read: |run| run.accuracy, margin: |_, _| 0.005, is_decisive: true },
    Quantity { name: "sparsity", read: |run| run.sparsity, margin: |_, _| 0.02, is_decisive: true },
    Quantity { name: "k_star", read: |run| run.k_star, margin: |_, epochs| 0.05 * epochs, is_decisive: false },
    Quantity { name: "S_F", read: |run| run.frobenius, margin: |mean, _| 0.1 * mean.abs(), is_decisive: false },
];

/// Compares every quantity that the port's runs and at least two seeds of the ensemble have.
///
/// # Errors
/// [`crate::Error::Domain`] if the trace's header, `header`, is of other runs than the ensemble's.
pub fn compare_runs(port: &[RunStatistics], ensemble: &Ensemble, header: &Header) -> Result<Vec<RunComparison>> {
    ensemble.must_fit(header)?;
    let epochs = ensemble.epochs() as f64;
    let compare = |quantity: &Quantity| -> Option<RunComparison> {
        let port: Vec<f64> = port.iter().filter_map(quantity.read).collect();
        let reference: Vec<f64> = ensemble.seeds().iter().filter_map(quantity.read).collect();
        compare(quantity, &port, &reference, epochs)
    };
    Ok(QUANTITIES.iter().filter_map(compare).collect())
}

fn compare(quantity: &Quantity, x: &[f64], y: &[f64], epochs: f64) -> Option<RunComparison> {
    if x.is_empty() || y.len() < 2 {
        return None;
    }
    let (port, reference) = (mean(x), mean(y));
    let (of_x, of_y) = (squares(x, port), squares(y, reference));
    // The runs of both vary alike if the port is right: one variance, estimated from all.
    let freedom = (x.len() + y.len() - 2) as f64;
    let error = ((of_x + of_y) / freedom * (1.0 / x.len() as f64 + 1.0 / y.len() as f64)).sqrt();
    let t = StudentsT::new(0.0, 1.0, freedom).ok()?;
    let margin = (quantity.margin)(reference, epochs);
    let distance = (port - reference).abs();
    let half_width = t.inverse_cdf(EQUIVALENT_AT) * error;
    let outcome = if distance + half_width <= margin {
        Equivalence::Equivalent
    } else if distance - t.inverse_cdf(DIFFERENT_AT) * error > margin {
        Equivalence::Different
    } else {
        Equivalence::Undecided
    };
    let Quantity { name, is_decisive, .. } = *quantity;
    Some(RunComparison { quantity: name, port, reference, half_width, margin, outcome, is_decisive })
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn squares(x: &[f64], mean: f64) -> f64 {
    x.iter().map(|x| (x - mean) * (x - mean)).sum()
}
