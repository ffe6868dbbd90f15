//! Mistakes that the whole result shows: a factor, an operand handed on as it was, numbers clipped or of fewer digits.

use super::operands::{explain as explain_operands, operands};
use super::{Claim, Found, claims};
use crate::oracle::record::grade::{Grade, measure};
use crate::oracle::record::unit_roundoff;

pub(super) fn explain(found: &Found) -> Option<String> {
    leaky(found)
        .or_else(|| factor(found))
        .or_else(|| handed_on(found))
        .or_else(|| clipped(found))
        .or_else(|| few_digits(found))
}

/// The result is the right one times a constant: said with what the constant may be.
fn factor(found: &Found) -> Option<String> {
    let Grade::Measured(measured) = measure(&found.expected, found.got) else { return None };
    let factor = measured.factor?;
    let is = |x: f64| (factor - x).abs() <= 1e-6 * x.abs();
    let samples =
        operands(found.call).first().and_then(|operand| operand.value(found.call)?.array.shape().first().copied());
    let samples = samples.filter(|&n| n > 1).map(|n| n as f64);
    let cause = match samples {
        _ if is(-1.0) => "its sign is turned".to_string(),
        Some(n) if is(1.0 / n) => format!("1/{n}: a mean over {n} samples where a sum is due"),
        Some(n) if is(n) => format!("{n}: a sum over {n} samples where a mean is due"),
        _ => match (2..=1 << 16).find(|&k| is(f64::from(k)) || is(1.0 / f64::from(k))) {
            Some(k) if is(f64::from(k)) => format!("{k}: counted {k} times, or a loss scaled by {k}"),
            Some(k) => format!("1/{k}: divided by the number of workers or of micro-batches"),
            // One number is some factor of any other.
            None if found.got.len() == 1 => return None,
            None => "a scale that is left out or put in twice, or a gradient that is clipped by its norm".to_string(),
        },
    };
    Some(format!("every element is {factor:.7} times what it should be ({cause})"))
}

/// A ReLU that lets through below 0 what it should not: x times a constant.
fn leaky(found: &Found) -> Option<String> {
    if !matches!(found.call.op.as_str(), "aten.relu.default" | "aten.relu_.default" | "relu") {
        return None;
    }
    let value = operands(found.call).first()?.value(found.call)?;
    let (x, unit) = (&value.array, unit_roundoff(value.dtype)?);
    if x.shape() != found.got.shape() {
        return None;
    }
    let pairs = || found.got.iter().zip(x).filter(|(_, x)| **x < 0.0);
    let (largest, at) = pairs().max_by(|(_, a), (_, b)| b.total_cmp(a))?;
    let slope = largest / at;
    // The slope, and each number, are rounded once, and so is the quotient here.
    let is_slope = |(got, x): (&f64, &f64)| (got - slope * x).abs() <= 4.0 * unit * got.abs();
    let is_right = found.got.iter().zip(x).filter(|(_, x)| **x >= 0.0).all(|(got, x)| got == x);
    let holds = slope != 0.0 && slope.is_finite() && is_right && pairs().all(is_slope);
    holds.then(|| match slope {
        -1.0 => "the size of x stands for max(x, 0)".to_string(),
        _ => format!("below 0 it is {slope:.7} x: a leaky ReLU"),
    })
}

/// What belongs to another result of the same call.
pub(super) fn sibling(found: &Found) -> Option<String> {
    let all = claims(found.call, None).ok()??;
    let others = all.into_iter().filter(|claimed| claimed.place != *found.place);
    let mut expected = others.filter_map(|claimed| match claimed.claim {
        Claim::Values(expected) if expected.shape() == found.got.shape() => Some((claimed.place, expected)),
        _ => None,
    });
    let (place, _) = expected.find(|(_, expected)| found.got.len() > 1 && found.is(expected))?;
    Some(format!("it is what belongs into `{}` of the call", place.named()))
}

/// An operand as it was: the op was not carried out, or its result was not written.
fn handed_on(found: &Found) -> Option<String> {
    let all = operands(found.call);
    let operand = all.iter().find(|operand| {
        let value = operand.value(found.call);
        value.is_some_and(|value| value.array.len() == found.got.len() && value.array.iter().eq(found.got.iter()))
    });
    if let Some(operand) = operand {
        return Some(format!("the result is operand `{}` unchanged", operand.name));
    }
    let first = found.got.iter().next()?;
    let is_constant = found.got.len() > 1 && found.got.iter().all(|x| x == first);
    is_constant.then(|| format!("every element is {first}: a buffer that was not written"))
}

/// A gradient that passes where it should not and does not where it should: gated by another operand.
pub(super) fn gated(found: &Found) -> Option<String> {
    if !["aten.threshold_backward.default", "aten.hardtanh_backward.default"].contains(&found.call.op.as_str()) {
        return None;
    }
    let all = operands(found.call);
    let dy = &all.first()?.value(found.call)?.array;
    if dy.shape() != found.got.shape() {
        return None;
    }
    let pairs = || found.got.iter().zip(dy).zip(&found.expected.truth);
    let is_gated = pairs().all(|((got, dy), _)| got == dy || *got == 0.0);
    let passes = pairs().any(|((got, _), truth)| *got != 0.0 && *truth == 0.0);
    let is_stopped = pairs().any(|((got, _), truth)| *got == 0.0 && *truth != 0.0);
    let said = "the gradient passes where another operand than `self` lets it: that of the next layer, or a stale one";
    (is_gated && passes && is_stopped).then(|| match explain_operands(found) {
        Some(which) => format!("{said}; {which}"),
        None => said.to_string(),
    })
}

/// Every number beyond a limit is the limit, all others are right.
fn clipped(found: &Found) -> Option<String> {
    let limit = found.got.iter().fold(0.0, |limit: f64, x| limit.max(x.abs()));
    let elements = found.got.iter().zip(&found.expected.truth).zip(&found.expected.any);
    let off = found.elements();
    let holds = elements.into_iter().all(|((got, truth), any)| {
        (got - truth).abs() <= *any || (got.abs() == limit && truth.abs() >= limit && got.signum() == truth.signum())
    });
    (off.len() > 1 && limit > 0.0 && holds).then(|| format!("numbers are clipped to {limit}"))
}

/// Results that have fewer digits than their type: stored, or handed on, in another.
fn few_digits(found: &Found) -> Option<String> {
    let digits = |x: &f64| 53 - x.to_bits().trailing_zeros().min(52);
    let most = found.got.iter().filter(|x| **x != 0.0).map(digits).max()?;
    let (name, held) = match most {
        0..=8 => ("bfloat16", 8),
        9..=11 => ("half precision or TF32", 11),
        12..=24 if found.expected.unit < 1e-12 => ("single precision", 24),
        _ => return None,
    };
    let u = crate::scalar::power_of_two(-held);
    let elements = found.got.iter().zip(&found.expected.truth).zip(&found.expected.any);
    let holds =
        elements.into_iter().all(|((got, truth), any)| (got - truth).abs() <= any * (1.0 + u) + u * truth.abs());
    (found.got.len() > 1 && holds).then(|| format!("the results have {held} digits: rounded to {name}"))
}
