//! The run level: a port's results beside those of an ensemble of reference runs, by a two-sided equivalence test.
//!
//! Two correct programs do not train to the same numbers: one rounding decides a selection, and the runs part. What can
//! be compared is what they end with: accuracy, sparsity, k*, S_F. A difference that is not significant proves nothing, so
//! the test is the other way round (two one-sided t-tests; Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987): the port
//! is *equivalent* if a confidence interval of the difference lies within a margin, *different* if one lies outside, and
//! else *undecided*. The margin is what the ensemble itself spans: [`SPAN`] of its standard deviations, where seeds and
//! roundings vary.

use super::trace::Trace;
use crate::error::{Error, Result};
use crate::report::StoredRun;
use crate::train::{EpochRecord, Metrics};
use statrs::distribution::{ContinuousCDF, StudentsT};
use std::path::Path;

/// The margin, in standard deviations of the ensemble.
pub const SPAN: f64 = 3.0;
/// Confidence of each one-sided test that proves equivalence.
const EQUIVALENT_AT: f64 = 0.95;
/// Confidence of each one-sided test that proves a difference: a FAIL, so a stricter one.
const DIFFERENT_AT: f64 = 0.995;
/// The fewest reference runs that say something about their spread.
const FEWEST: usize = 3;

/// What a run ends with; what is not known is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RunStatistics {
    /// 0 to 1.
    pub accuracy: Option<f64>,
    /// 0 to 1.
    pub sparsity: Option<f64>,
    pub k_star: Option<f64>,
    pub frobenius: Option<f64>,
}

impl RunStatistics {
    /// From a run folder, a `metrics.jsonl`, or a trace.
    ///
    /// # Errors
    /// [`Error::File`] or [`Error::Io`] naming what cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        if path.is_dir() {
            return Self::of_records(path, &StoredRun::read(path)?.records);
        }
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("jsonl") => Self::of_records(path, &Metrics::read_so_far(path)?),
            _ => Self::of_trace(&Trace::open(path)?),
        }
    }

    fn of_records(path: &Path, records: &[EpochRecord]) -> Result<Self> {
        let Some(last) = records.last() else {
            return Err(Error::file(path, "metrics", "at least one epoch", "none"));
        };
        Ok(Self {
            accuracy: Some(last.test_accuracy),
            sparsity: Some(last.sparsity),
            k_star: last.k_star.map(|k_star| k_star as f64),
            frobenius: last.frobenius,
        })
    }

    /// The last epoch of a trace.
    ///
    /// # Errors
    /// As [`Trace::flags`].
    pub fn of_trace(trace: &Trace) -> Result<Self> {
        let Some(k) = trace.epochs().next_back() else { return Ok(Self::default()) };
        let (mut dead, mut known) = (0, true);
        for parameter in trace.prunable() {
            match trace.flags(&format!("epoch/{k}/mask/{}", parameter.name))? {
                Some(mask) => dead += mask.iter().filter(|&&alive| !alive).count(),
                None => known = false,
            }
        }
        Ok(Self {
            accuracy: None,
            sparsity: known.then(|| dead as f64 / trace.weights().max(1) as f64),
            k_star: trace.integer(k, "k_star")?.map(|k_star| k_star as f64),
            frobenius: trace.scalar(k, "S_F")?.filter(|x| x.is_finite()),
        })
    }
}

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
            "{quantity} {port:.4e} against {reference:.4e}: difference {difference:.2e} +- {half_width:.2e}, margin \
             {margin:.2e}: {outcome}"
        )
    }
}

/// A quantity's name, how to read it, and the least margin: what the quantity's own resolution is.
type Quantity = (&'static str, fn(&RunStatistics) -> Option<f64>, fn(f64) -> f64);

const QUANTITIES: [Quantity; 4] = [
    ("accuracy", |run| run.accuracy, |_| 0.001),
    ("sparsity", |run| run.sparsity, |_| 0.001),
    ("k_star", |run| run.k_star, |_| 1.0),
    ("S_F", |run| run.frobenius, |mean| 0.01 * mean.abs()),
];

/// Compares every quantity that the port's runs and at least three reference runs have.
///
/// # Errors
/// [`Error::Domain`] for fewer reference runs than three.
pub fn compare_runs(port: &[RunStatistics], reference: &[RunStatistics]) -> Result<Vec<RunComparison>> {
    if reference.len() < FEWEST {
        return Err(Error::domain("--ensemble", format!("at least {FEWEST} reference runs"), reference.len()));
    }
    let compare = |&(quantity, read, least): &Quantity| -> Option<RunComparison> {
        let x: Vec<f64> = port.iter().filter_map(read).collect();
        let y: Vec<f64> = reference.iter().filter_map(read).collect();
        if x.is_empty() || y.len() < FEWEST {
            return None;
        }
        let (port, reference) = (mean(&x), mean(&y));
        let (of_x, of_y) = (squares(&x, port), squares(&y, reference));
        // The runs of both vary alike if the port is right: one variance, estimated from all.
        let freedom = (x.len() + y.len() - 2) as f64;
        let error = ((of_x + of_y) / freedom * (1.0 / x.len() as f64 + 1.0 / y.len() as f64)).sqrt();
        let t = StudentsT::new(0.0, 1.0, freedom).ok()?;
        let margin = (SPAN * (of_y / (y.len() - 1) as f64).sqrt()).max(least(reference));
        let distance = (port - reference).abs();
        let half_width = t.inverse_cdf(EQUIVALENT_AT) * error;
        let outcome = if distance + half_width <= margin {
            Equivalence::Equivalent
        } else if distance - t.inverse_cdf(DIFFERENT_AT) * error > margin {
            Equivalence::Different
        } else {
            Equivalence::Undecided
        };
        Some(RunComparison { quantity, port, reference, half_width, margin, outcome })
    };
    Ok(QUANTITIES.iter().filter_map(compare).collect())
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn squares(x: &[f64], mean: f64) -> f64 {
    x.iter().map(|x| (x - mean) * (x - mean)).sum()
}
