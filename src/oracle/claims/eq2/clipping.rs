//! Known mistakes of gradient clipping: G over gradients that were clipped for the step.

use crate::error::Result;
use crate::oracle::claims::descent::gradient_norms;
use crate::oracle::claims::mistakes::{UNBOUNDED, affected, is_near};
use crate::oracle::claims::ratio::short;
use crate::oracle::outcome::Outcome;
use crate::oracle::seen::Seen;
use crate::paper::reading::MaskedGradient;
use crate::trace::TracedParameter;
use crate::trace::names::gradient;

/// Halvings of the interval in which a bound is looked for: more than an `f64` has bits.
const HALVINGS: usize = 100;

/// What clipping at a bound leaves of a gradient of batch `i`.
type Clipped<'a> = &'a dyn Fn(f64, usize, f64) -> f64;

/// Whether G is that of gradients clipped by their norm, or by value, to a bound that one entry gives and all others
/// confirm.
///
/// # Errors
/// [`crate::Error::Io`].
pub(crate) fn before_g(seen: &Seen, outcome: &Outcome) -> Result<Vec<String>> {
    let mut causes = Vec::new();
    let remedy = "square them first, or record them clipped and declare `clip` = `recorded`";
    if let Some(norms) = gradient_norms(seen)? {
        let by_norm = |bound: f64, i: usize, g: f64| g * (bound / norms[i]).min(1.0);
        let most = norms.iter().copied().fold(0.0, f64::max);
        if let Some(bound) = bound(seen, outcome, most, &by_norm)? {
            let bound = short(bound);
            causes.push(format!("the gradients are clipped to a norm of {bound} before they enter G: {remedy}"));
        }
    }
    let by_value = |bound: f64, _: usize, g: f64| g.clamp(-bound, bound);
    if let Some(bound) = bound(seen, outcome, f64::MAX.sqrt(), &by_value)? {
        causes.push(format!("the gradients are clamped to {} before they enter G: {remedy}", short(bound)));
    }
    Ok(causes)
}

/// The bound that explains every affected parameter's G.
fn bound(seen: &Seen, outcome: &Outcome, most: f64, clipped: Clipped) -> Result<Option<f64>> {
    let batches = seen.trace.batches(seen.k);
    let tolerance = seen.arithmetic.sum_over_gradients(batches).map_or(UNBOUNDED, |t| 8.0 * t.relative);
    let mut bound = None;
    for (p, parameter) in affected(seen, &outcome.findings) {
        let Some(found) = seen.recorded.g.of(p, parameter) else { continue };
        let Some(gradients) = gradients(seen, parameter)? else { return Ok(None) };
        let g = |bound: f64, j: usize| -> f64 {
            gradients.iter().enumerate().map(|(i, gradient)| clipped(bound, i, gradient[j]).powi(2)).sum()
        };
        let masks = seen.reading().masked_gradient != MaskedGradient::Dense;
        let alive = seen.known.alive.of(p, parameter);
        let counts = |j: &usize| !masks || alive.is_none_or(|alive| alive[*j]);
        // The entry that clipping changed most says most of the bound.
        let share = |j: usize| found[j] / g(most, j);
        let telling = (0..found.len()).filter(counts).filter(|&j| g(most, j) > 0.0);
        let Some(j) = telling.min_by(|&a, &b| share(a).total_cmp(&share(b))) else { return Ok(None) };
        if bound.is_none() {
            bound = solve(most, |bound| g(bound, j), found[j]);
        }
        let Some(bound) = bound else { return Ok(None) };
        if !(0..found.len()).filter(counts).all(|j| is_near(found[j], g(bound, j), tolerance)) {
            return Ok(None);
        }
    }
    Ok(bound)
}

/// Where a function that rises from 0 takes a value.
fn solve(most: f64, rises: impl Fn(f64) -> f64, value: f64) -> Option<f64> {
    let (mut low, mut high) = (0.0, most);
    if !(value > 0.0 && value < rises(most)) {
        return None;
    }
    for _ in 0..HALVINGS {
        // Over many orders of magnitude too.
        let middle = if low > 0.0 { (low * high).sqrt() } else { high * f64::EPSILON };
        if rises(middle) < value { low = middle } else { high = middle }
    }
    Some(high)
}

fn gradients(seen: &Seen, parameter: &TracedParameter) -> Result<Option<Vec<Vec<f64>>>> {
    (0..seen.trace.batches(seen.k)).map(|i| seen.trace.floats(&gradient(seen.k, i, parameter))).collect()
}
