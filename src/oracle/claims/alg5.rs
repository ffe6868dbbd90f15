//! Alg. 5: Eq. 6, 7 and 5 in a row; a trace's are judged one by one.

use super::{eq6, eq7};
use crate::error::{Error, Result};
use crate::oracle::exact::case::{Case, Reals, Results, Value};
use crate::oracle::exact::dyadic::Format;
use crate::paper::reading::MaskedGradient;
use crate::paper::selection;

/// The exact result of a golden case.
///
/// Each step from the rounded results of the one before, as [`crate::oracle::replay`] goes.
pub(crate) fn derive(case: &Case) -> Result<Results> {
    let (g, mask) = (case.floats("G")?, case.flags("mask")?);
    let (alpha, chunks) = (case.float("alpha")?, case.count("chunks")?);
    let own = selection::select_weights(&g, &mask, alpha, chunks, &case.reading)?;
    let counts = |j: usize| case.reading.masked_gradient == MaskedGradient::Dense || mask[j];
    let masked: Vec<f64> = g.iter().enumerate().map(|(j, &g)| if counts(j) { g } else { 0.0 }).collect();
    let excludes = case.reading.masked_gradient == MaskedGradient::Excluded;
    let set: Vec<f64> = (0..g.len()).filter(|&j| !excludes || mask[j]).map(|j| masked[j]).collect();
    let (q, tau) = if set.is_empty() {
        let nothing = Reals { f64: Vec::new(), f32: None, reference: own.chunk_quantiles };
        (nothing, Value::Reals(Reals { f64: vec![0.0], f32: None, reference: vec![own.tau] }))
    } else {
        let q: Vec<f64> = eq6::quantiles(&set, case)?.0.iter().map(|q| q.rounded(Format::F64)).collect();
        let tau = match eq7::mean(&q)? {
            Value::Reals(tau) => Value::Reals(Reals { f32: None, ..tau }),
            other => other,
        };
        (Reals { f64: q, f32: None, reference: own.chunk_quantiles }, tau)
    };
    let threshold = if let Value::Reals(tau) = &tau { tau.f64.first().copied().unwrap_or(0.0) } else { 0.0 };
    let selected: Vec<bool> =
        masked.iter().zip(&mask).map(|(&g, &alive)| g < threshold && (alive || !excludes)).collect();
    if selected != own.selected {
        return Err(Error::domain("the selection of Alg. 5", "that of the exact threshold", "another"));
    }
    Ok(vec![("chunk_quantiles", Value::Reals(q)), ("tau", tau), ("selected", Value::Flags(selected))])
}
