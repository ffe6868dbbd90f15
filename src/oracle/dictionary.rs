//! The fault dictionary: known mistakes, tried on the operands of a failing equation.
//!
//! Each entry computes what the port would have recorded with that mistake. A mistake that is a legitimate choice on an
//! open point is named as that reading. What explains the port's values to within the equation's own tolerance is named;
//! a single corrupted number, which no rule gives, is not.

mod clipping;
mod decay;
mod fitted;
mod gradients;
mod norms;
mod optimizer;
mod quantile;
mod ratio;
mod rewind;
mod schedule;
mod selection;

use super::check::{Carry, Epoch, Outcome, Stage};
use super::report::Finding;
use crate::choice::Choice;
use crate::error::Result;
use crate::paper::reading::LastBatch;
use crate::trace::TracedParameter;

// How near a mistake's value must be to the port's for the mistake to be named. No verdict depends on it: what is named
// is a finding already. An equation's own bound says how far two correct computations can be apart, and so, a few times
// over, how far a mistake's value here (in f64) and the port's can be; where that bound is coarser than the smallest
// difference that mistakes make among themselves, or there is none, these take its place.

/// Where the equation has no bound.
const UNBOUNDED: f64 = 1e-3;
/// The coarsest: of quantiles and decayed weights, in which neighbouring mistakes (t and t + 1, ranks one apart) differ
/// by per cent.
const COARSEST: f64 = 1e-3;
/// The coarsest of long sums, in which mistakes leave out or add whole batches or parameters.
const COARSEST_SUM: f64 = 1e-2;
/// The coarsest of prune rates, whose step from epoch to epoch is 2.3e-3 at the paper's settings.
const COARSEST_RATE: f64 = 1e-4;
/// The most that [`lower_precision`] excuses: some roundings of bfloat16.
const COARSEST_PRECISION: f64 = 0.02;

/// The mistakes that give the port's values, the most plain first; empty if none of the known ones does.
///
/// # Errors
/// [`crate::Error::Io`].
pub(crate) fn explain(outcome: &Outcome, epoch: &Epoch, carry: &Carry) -> Result<Vec<String>> {
    let Some(first) = outcome.findings.first() else { return Ok(Vec::new()) };
    if !first.got.is_finite() && !first.tensor.ends_with("min_before") {
        return Ok(vec!["not finite: an overflow, a division 0 / 0, or memory that was never written".to_string()]);
    }
    let causes = match outcome.stage {
        Stage::Prunable | Stage::Step => Vec::new(),
        Stage::Batches => vec![last_batch(epoch)],
        Stage::Alg1 => optimizer::causes(epoch, carry, outcome)?,
        Stage::Eq1 => gradients::of_eq1(epoch, carry, first.got)?,
        Stage::Eq2 => gradients::of_eq2(epoch, carry, outcome)?,
        Stage::Eq3 => norms::of_eq3(epoch, carry, first.got)?,
        Stage::Eq4 => norms::of_eq4(epoch, carry, first.got)?,
        Stage::Alg4 => rewind::causes(epoch, carry, &outcome.findings),
        Stage::Eq8 => schedule::causes(epoch, carry, first.got),
        Stage::Eq6 => quantile::of_eq6(epoch, carry),
        Stage::Eq7 => quantile::of_eq7(epoch, carry, first.got),
        Stage::Eq5 => selection::causes(epoch, carry),
        Stage::Alg6Step => decay::of_step(epoch, carry, first.got),
        Stage::Eq9 => decay::of_eq9(epoch, carry, outcome),
        Stage::Alg6Start => decay::of_start(epoch, carry, first),
        Stage::Alg6Within => vec![
            "the mask is applied at the epoch's end alone, not after every step: eliminated weights move in between"
                .to_string(),
        ],
        Stage::Alg6Mask => decay::of_mask(epoch, outcome),
    };
    Ok(if causes.is_empty() { ratio::causes(outcome) } else { causes })
}

/// Batches that are not those of the declared `last_batch`.
fn last_batch(epoch: &Epoch) -> String {
    match epoch.reading().last_batch {
        LastBatch::Keep => format!("the last, short batch is dropped: {}", reading(LastBatch::KEY, "drop")),
        LastBatch::Drop => format!("the last, short batch is trained on: {}", reading(LastBatch::KEY, "keep")),
    }
}

/// A mistake's name, and the number it gives.
struct Candidate {
    cause: String,
    value: f64,
}

/// Candidates for one number.
#[derive(Default)]
struct Candidates(Vec<Candidate>);

impl Candidates {
    fn add(&mut self, cause: impl Into<String>, value: f64) {
        self.0.push(Candidate { cause: cause.into(), value });
    }

    /// As [`Candidates::add`], where the value is known.
    fn add_known(&mut self, cause: impl Into<String>, value: Option<f64>) {
        if let Some(value) = value {
            self.add(cause, value);
        }
    }

    /// The names of those within `relative` of `got`.
    fn matching(self, got: f64, relative: f64) -> Vec<String> {
        let fits = |candidate: &Candidate| is_near(got, candidate.value, relative);
        self.0.into_iter().filter(fits).map(|candidate| candidate.cause).collect()
    }
}

/// Whether a port that computes `value` may have recorded `got`.
fn is_near(got: f64, value: f64, relative: f64) -> bool {
    got == value || (got - value).abs() <= relative * got.abs().max(value.abs())
}

/// The parameters that have findings.
fn affected<'a>(epoch: &'a Epoch, findings: &[Finding]) -> Vec<(usize, &'a TracedParameter)> {
    let named = |parameter: &TracedParameter| {
        findings
            .iter()
            .any(|finding| finding.tensor.strip_suffix(&parameter.name).is_some_and(|rest| rest.ends_with('/')))
    };
    epoch.trace.parameters().iter().enumerate().filter(|(_, parameter)| named(parameter)).collect()
}

/// The name of a mistake that is a choice on an open point.
fn reading(key: &str, choice: &str) -> String {
    format!("this is the reading `{key}` = `{choice}`: declare it, or change it")
}

/// The place, row-major, of what is at place `j` when the entries are written column by column (Fortran's order).
fn column_major(mut j: usize, shape: &[usize]) -> usize {
    let (mut place, mut stride) = (0, shape.iter().product::<usize>());
    let mut digits = Vec::with_capacity(shape.len());
    for &extent in shape {
        digits.push(j % extent.max(1));
        j /= extent.max(1);
    }
    for (digit, &extent) in digits.iter().zip(shape) {
        stride /= extent.max(1);
        place += digit * stride;
    }
    place
}

/// G as a port would flatten it that goes through each parameter in column-major order.
fn by_columns(epoch: &Epoch, g: &[f64]) -> Vec<f64> {
    let of_parameter = |parameter: &TracedParameter| {
        let (start, shape) = (parameter.range.start, parameter.shape.clone());
        (0..parameter.range.len()).map(move |j| g[start + column_major(j, &shape)])
    };
    epoch.trace.prunable().iter().flat_map(of_parameter).collect()
}

/// Whether a number has no more bits than bfloat16 has.
fn is_bf16(x: f64) -> bool {
    half::bf16::from_f64(x).to_f64() == x
}

/// The last resort: a number that is right to within what a lower precision rounds.
fn lower_precision(got: f64, expected: f64, terms: usize) -> Vec<String> {
    for (name, u) in [("f32", 24), ("bf16", 8)] {
        // In any reasonable order a sum's roundings stay below the square root of their number.
        let typical = libm::ldexp((terms as f64).sqrt() + 2.0, -u).min(COARSEST_PRECISION);
        if is_near(got, expected, typical) {
            return vec![format!("rounded as in {name} arithmetic: declare `u_acc` and `u_out`, or compute wider")];
        }
    }
    Vec::new()
}
