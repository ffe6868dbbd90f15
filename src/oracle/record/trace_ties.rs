//! A step of a record that a trace in the same file knows too: what both hold is the same, bit for bit.

use super::wiring::{Difference, Misplaced};
use super::{Reference, Step, ulps, unit_roundoff};
use crate::error::Result;
use crate::tensor_file::TensorFile;
use crate::trace::unflatten;
use safetensors::Dtype;

/// The rule, as findings name it.
pub(super) const RULE: &str = "wiring.trace";

/// What was held against a trace.
#[derive(Default)]
pub(super) struct Ties {
    pub(super) misplaced: Vec<Misplaced>,
    /// Gradients that both have.
    pub(super) gradients: usize,
}

/// Holds what a trace has of the step's batch against the step.
pub(super) fn judge(file: &TensorFile, step: &Step) -> Result<Ties> {
    let mut found = Ties::default();
    let (Some(k), Some(i)) = (step.epoch, step.index) else { return Ok(found) };
    let batch = format!("epoch/{k}/batch/{i}");
    let mut ties: Vec<(String, &str, &str, &Reference)> = Vec::new();
    ties.extend(
        step.grads.iter().map(|(name, tensor)| (format!("{batch}/grad/{name}"), "grads", name.as_str(), tensor)),
    );
    ties.extend(step.params.iter().map(|(name, t)| (format!("{batch}/weights/{name}"), "params", name.as_str(), t)));
    ties.extend(step.batch.iter().map(|(name, tensor)| (format!("{batch}/{name}"), "batch", name.as_str(), tensor)));
    ties.extend(step.loss.iter().map(|tensor| (format!("{batch}/loss"), "loss", "loss", tensor)));
    for (traced, of, name, reference) in ties {
        if file.describe(&traced).is_some() {
            found.gradients += usize::from(of == "grads");
            found.misplaced.extend(differs(file, &traced, of, name, reference)?);
        }
    }
    Ok(found)
}

/// The coordinates of the step's tensor that a trace of a sample has of it, as the trace lists them.
fn coordinates(file: &TensorFile, traced: &str, name: &str) -> Result<Option<Vec<usize>>> {
    let list = format!("sample/{name}");
    if !traced.ends_with(&format!("/{name}")) || file.describe(&list).is_none_or(|(dtype, _)| dtype != Dtype::I64) {
        return Ok(None);
    }
    let list = file.read::<i64>(&list, None)?;
    Ok(Some(list.iter().map(|&j| usize::try_from(j).unwrap_or(usize::MAX)).collect()))
}

/// The finding, where the trace's tensor is not the step's.
fn differs(file: &TensorFile, traced: &str, of: &str, name: &str, reference: &Reference) -> Result<Option<Misplaced>> {
    let Some((dtype, shape)) = file.describe(traced) else { return Ok(None) };
    let sampled = if of == "grads" || of == "params" { coordinates(file, traced, name)? } else { None };
    let (a, b) = (file.raw(traced)?, file.raw(&reference.tensor)?);
    if dtype == reference.dtype && a == b {
        return Ok(None);
    }
    let is_float = |dtype| unit_roundoff(dtype).is_some();
    let mut difference = None;
    if is_float(dtype) && is_float(reference.dtype) {
        let (a, b) = (file.read_floats(traced, None)?, file.read_floats(&reference.tensor, None)?);
        let (a, mut b) = (a.into_raw_vec_and_offset().0, b.into_raw_vec_and_offset().0);
        if let Some(coordinates) = &sampled {
            b = coordinates.iter().filter_map(|&j| b.get(j).copied()).collect();
        }
        let first = a.iter().zip(&b).position(|(a, b)| a.to_bits() != b.to_bits());
        match (first, a.len() == b.len()) {
            // The same numbers in a wider type are the same.
            (None, true) => return Ok(None),
            (Some(j), true) => {
                difference = a.iter().zip(&b).nth(j).map(|(&got, &expected)| {
                    let ulps = ulps(file, traced, got, expected);
                    let index = match &sampled {
                        Some(coordinates) => unflatten(coordinates[j], &reference.shape),
                        None => unflatten(j, shape),
                    };
                    Difference { index, got, expected, ulps }
                });
            }
            (_, false) => {}
        }
    } else if !is_float(dtype) && !is_float(reference.dtype) {
        let (a, b) = (file.read_integers(traced, None)?, file.read_integers(&reference.tensor, None)?);
        if a.iter().eq(b.iter()) {
            return Ok(None);
        }
    }
    let told =
        format!("is not, bit for bit, what the step's ops have: `{name}` of `{of}`, tensor `{}`", reference.tensor);
    Ok(Some(Misplaced::new(RULE, of, traced, traced, told, difference)))
}
