//! What a tensor that is not where it belongs may be: another one times a factor, or with some elements changed.

use super::super::{Record, ulps, unit_roundoff};
use super::flow::Flow;
use super::{Difference, Misplaced, Wiring};
use crate::error::Result;
use crate::tensor_file::TensorFile;
use crate::trace::unflatten;

/// How many tensors of the same length are tried for one that comes from nowhere: those that were made last.
const TRIED: usize = 64;
/// How many misplaced tensors are explained; all are told.
const EXPLAINED: usize = 20;

/// Says what each misplaced tensor may be, and where it first differs from what belongs there.
pub(super) fn explain(record: &Record, flow: &Flow, wiring: &mut Wiring) -> Result<()> {
    let file = record.file();
    for misplaced in wiring.misplaced.iter_mut().filter(|misplaced| !misplaced.tensor.is_empty()).take(EXPLAINED) {
        let candidates = match misplaced.rule {
            "wiring.origin" => same_length(flow, misplaced, file),
            _ => misplaced.candidates.clone(),
        };
        let belongs = misplaced.rule != "wiring.origin";
        likeness(file, misplaced, &candidates, belongs)?;
    }
    Ok(())
}

/// Floating-point tensors with as many elements, those that were made last first.
fn same_length(flow: &Flow, misplaced: &Misplaced, file: &TensorFile) -> Vec<String> {
    let len = |tensor: &str| file.describe(tensor).map(|(_, shape)| shape.iter().product::<usize>());
    let wanted = len(&misplaced.tensor);
    let made = flow.nodes.iter().rev().flat_map(|node| node.results.iter().chain(&node.operands));
    let fits = |tensor: &&str| **tensor != *misplaced.tensor && len(tensor) == wanted;
    let mut names: Vec<String> = Vec::new();
    for tensor in made.filter(|place| place.tells()).map(|place| place.tensor.as_str()).filter(fits) {
        if names.len() == TRIED {
            break;
        }
        if !names.iter().any(|name| name == tensor) {
            names.push(tensor.to_string());
        }
    }
    names
}

/// Compares a tensor with candidates; `belongs`: the first of them is what should be there.
fn likeness(file: &TensorFile, misplaced: &mut Misplaced, candidates: &[String], belongs: bool) -> Result<()> {
    let Some((dtype, shape)) = file.describe(&misplaced.tensor) else { return Ok(()) };
    let (Some(unit), shape) = (unit_roundoff(dtype), shape.to_vec()) else { return Ok(()) };
    let got = file.read_floats(&misplaced.tensor, None)?;
    for (at, name) in candidates.iter().enumerate() {
        if file.describe(name).and_then(|(dtype, _)| unit_roundoff(dtype)).is_none() {
            continue;
        }
        let other = file.read_floats(name, None)?;
        if other.len() != got.len() {
            continue;
        }
        let pairs = || got.iter().copied().zip(other.iter().copied());
        let differing = pairs().filter(|(a, b)| a.to_bits() != b.to_bits()).count();
        let factor = factor(pairs, unit);
        if let Some(c) = factor {
            misplaced.told += &format!("; it is tensor `{name}` times {c:.7}");
        } else if 2 * differing < got.len() {
            misplaced.told += &format!("; it is tensor `{name}` but for {differing} of {} elements", got.len());
        }
        let alike = factor.is_some() || 2 * differing < got.len();
        if alike || belongs && at == 0 {
            let first = pairs().position(|(a, b)| a.to_bits() != b.to_bits());
            misplaced.difference = first.and_then(|j| {
                let (got, expected) = pairs().nth(j)?;
                let ulps = ulps(file, &misplaced.tensor, got, expected);
                Some(Difference { index: unflatten(j, &shape), got, expected, ulps })
            });
        }
        if alike {
            break;
        }
    }
    Ok(())
}

/// The one factor c with a = c b within roundings, if there is one: c is formed from the largest b, whose a was rounded
/// once, and each a was rounded once, so that (with the quotient's and the product's own 2^-53) four units hold.
fn factor<I: Iterator<Item = (f64, f64)>>(pairs: impl Fn() -> I, unit: f64) -> Option<f64> {
    let (a, b) = pairs().max_by(|(_, b), (_, d)| b.abs().total_cmp(&d.abs()))?;
    let c = a / b;
    let holds = |(a, b): (f64, f64)| (a - c * b).abs() <= 4.0 * unit * a.abs();
    (c.is_finite() && c != 0.0 && c != 1.0 && pairs().all(holds)).then_some(c)
}
