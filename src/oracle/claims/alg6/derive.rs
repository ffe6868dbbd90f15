//! Alg. 6 on exact numbers.

use crate::error::{Error, Result};
use crate::oracle::claims::eq9::decayed;
use crate::oracle::exact::case::{Case, Reals, Results, Value};
use crate::paper::decay;
use crate::paper::reading::{RewindCopy, Threshold};

/// The exact result of a golden case.
pub(crate) fn derive(case: &Case) -> Result<Results> {
    let (k, k_star, iteration) = (case.count("k")?, case.count("k_star")?, case.count("iteration")?);
    let t = decay::decay_step(case.reading.decay_step, k, k_star, iteration)?;
    let (lambda, eps, threshold) = (case.float("lambda")?, case.float("eps")?, case.reading.threshold);
    let (before, rewind) = (case.floats("weights_before")?, case.floats("rewind")?);
    let (selected, alive) = (case.flags("selected")?, case.flags("mask_before")?);
    let alias = case.reading.rewind_copy == RewindCopy::Alias;
    let (mut own, mut own_mask) = (before.clone(), alive.clone());
    let settings = decay::Decay { lambda, t, eps, threshold };
    decay::rewind_decay(&mut own, (!alias).then_some(&rewind[..]), &selected, &mut own_mask, &settings)?;

    let moved = decayed(if alias { &before } else { &rewind }, lambda, t, 0.0)?.f64;
    let mut mask = alive;
    let mut after = Vec::new();
    for j in 0..before.len() {
        let w = if selected[j] { moved[j] } else { before[j] };
        let judged = selected[j] || threshold == Threshold::All;
        mask[j] &= !judged || w.abs() >= eps;
        after.push(if mask[j] { w } else { 0.0 });
    }
    if mask != own_mask {
        return Err(Error::domain("the mask of Alg. 6", "that of the exact weights", "another"));
    }
    let after = Value::Reals(Reals { f64: after, f32: None, reference: own });
    Ok(vec![("t", Value::Integers(vec![t as i64])), ("weights_after", after), ("mask", Value::Flags(mask))])
}
