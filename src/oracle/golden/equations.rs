//! Every equation and algorithm of the method as exact numbers, rounded once: what the method goldens hold.
//!
//! Beside each stands what [`crate::paper`] makes of the same inputs: every decision must be the same, and every real
//! quantity within 1 ulp.

use super::dyadic::{Dyadic, Format};
use super::method::{Case, Reals, Value};
use crate::error::{Error, Result};
use crate::paper::quantile::{Rank, chunk_quantiles, chunk_sizes, mean_of_quantiles};
use crate::paper::reading::{MaskedGradient, QuantileRule, RewindCopy, Threshold};
use crate::paper::rewind::RewindPoint;
use crate::paper::{cost, decay, gradient_norm, schedule, selection};
use crate::scalar::{DoubleDouble, Scalar};

/// Results by name.
pub type Results = Vec<(&'static str, Value)>;
type Derive = fn(&Case) -> Result<Results>;

/// Every file of `golden/method`, and how its results follow from its inputs.
pub const DERIVATIONS: &[(&str, Derive)] = &[
    ("eq1", eq1),
    ("eq2", eq2),
    ("eq3", eq3),
    ("eq4", eq4),
    ("eq5", eq5),
    ("eq6", eq6),
    ("eq7", eq7),
    ("eq8", eq8),
    ("eq9", eq9),
    ("eq10", eq10),
    ("eq11", eq11),
    ("alg4", alg4),
    ("alg5", alg5),
    ("alg6", alg6),
];

/// Exact numbers, rounded to both formats.
fn rounded(exact: &[Dyadic], reference: Vec<f64>) -> Value {
    let to = |format| exact.iter().map(move |x| x.rounded(format));
    let f32 = to(Format::F32).map(|x| x as f32).collect();
    Value::Reals(Reals { f64: to(Format::F64).collect(), f32: Some(f32), reference })
}

fn exact(values: &[f64]) -> Result<Vec<Dyadic>> {
    values.iter().map(|&x| Dyadic::new(x)).collect()
}

fn sum(terms: impl IntoIterator<Item = Dyadic>) -> Dyadic {
    terms.into_iter().fold(Dyadic::ZERO, |sum, term| sum.plus(&term))
}

fn eq1(case: &Case) -> Result<Results> {
    let gradients = case.rows("grad")?;
    let s_abs = sum(exact(&gradients.concat())?.into_iter().map(Dyadic::abs));
    let rows: Vec<&[f64]> = gradients.iter().map(Vec::as_slice).collect();
    Ok(vec![("S_abs", rounded(&[s_abs], vec![gradient_norm::sum_of_l1_norms(&rows)]))])
}

fn eq2(case: &Case) -> Result<Results> {
    let gradients = case.rows("grad")?;
    let rows: Vec<&[f64]> = gradients.iter().map(Vec::as_slice).collect();
    let mut g = vec![Dyadic::ZERO; rows.first().map_or(0, |row| row.len())];
    for row in &rows {
        for (g_j, grad) in g.iter_mut().zip(exact(row)?) {
            *g_j = g_j.plus(&grad.times(&grad));
        }
    }
    Ok(vec![("G", rounded(&g, gradient_norm::accumulated_squares(&rows)?))])
}

fn eq3(case: &Case) -> Result<Results> {
    let g = case.floats("G")?;
    Ok(vec![("S_sq", rounded(&[sum(exact(&g)?)], vec![gradient_norm::sum_of_squares(&g)]))])
}

/// The root of an `f64` is correctly rounded by IEEE 754. Rounded on to `f32` it is too, unless it seems to lie halfway:
/// then the square of the middle says on which side it is.
fn eq4(case: &Case) -> Result<Results> {
    let s_sq = case.floats("S_sq")?;
    let f64: Vec<f64> = s_sq.iter().map(|x| x.sqrt()).collect();
    let mut f32 = Vec::new();
    for (&x, &root) in s_sq.iter().zip(&f64) {
        let near = root as f32;
        let (low, high) = if f64::from(near) <= root { (near, near.next_up()) } else { (near.next_down(), near) };
        // The number after the largest would be 2^128.
        let end = |x: f32| Dyadic::new(if x.is_finite() { x.into() } else { libm::ldexp(1.0, 128) });
        let middle = end(low)?.plus(&end(high)?).times(&Dyadic::new(0.5)?);
        f32.push(match middle.times(&middle).compare(&Dyadic::new(x)?) {
            std::cmp::Ordering::Less => high,
            std::cmp::Ordering::Equal => near,
            std::cmp::Ordering::Greater => low,
        });
    }
    let reference = s_sq.iter().map(|&x| gradient_norm::frobenius_norm(x)).collect::<Result<_>>()?;
    Ok(vec![("S_F", Value::Reals(Reals { f64, f32: Some(f32), reference }))])
}

fn eq5(case: &Case) -> Result<Results> {
    let (g, tau) = (case.floats("G")?, case.float("tau")?);
    Ok(vec![("selected", Value::Flags(selection::below_threshold(&g, tau)))])
}

/// `Quantile_alpha` of a chunk, without rounding: `low + (alpha (n - 1) - floor)(high - low)` between two ranks.
fn quantile(values: &[f64], alpha: f64, rule: QuantileRule) -> Result<Dyadic> {
    let rank = Dyadic::new(alpha)?.times(&Dyadic::count(values.len() as u64 - 1));
    let floor = rank.floor().unwrap_or(u64::MAX);
    let fraction = rank.minus(&Dyadic::count(floor));
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |rank: u64| Dyadic::new(sorted.get(rank as usize).copied().unwrap_or(f64::NAN));
    let low = at(floor)?;
    if fraction.is_zero() {
        return Ok(low);
    }
    let (high, half) = (at(floor + 1)?, Dyadic::new(0.5)?);
    let between = |weight: &Dyadic| low.plus(&weight.times(&high.minus(&low)));
    Ok(match (rule, fraction.compare(&half)) {
        (QuantileRule::Linear, _) => between(&fraction),
        (QuantileRule::Midpoint, _) => between(&half),
        (QuantileRule::Lower, _) => low,
        (QuantileRule::Higher, _) => high,
        (QuantileRule::Nearest, std::cmp::Ordering::Less) => low,
        (QuantileRule::Nearest, std::cmp::Ordering::Equal) if floor % 2 == 0 => low,
        (QuantileRule::Nearest, _) => high,
    })
}

/// Eq. 6 over a set, and what the reference makes of it.
fn quantiles(set: &[f64], case: &Case) -> Result<(Vec<Dyadic>, Vec<f64>)> {
    let (alpha, chunks, reading) = (case.float("alpha")?, case.count("chunks")?, &case.reading);
    let chunks = chunks.min(set.len());
    let reference = chunk_quantiles(set, alpha, chunks, reading.chunking, reading.quantile)?;
    let mut rest = set;
    let mut exact = Vec::new();
    for size in chunk_sizes(set.len(), chunks, reading.chunking)? {
        let (chunk, after) = rest.split_at(size);
        rest = after;
        exact.push(quantile(chunk, alpha, reading.quantile)?);
    }
    Ok((exact, reference))
}

/// With the whole part of the first chunk's rank: where the rank is not exact, this is where it shows.
fn eq6(case: &Case) -> Result<Results> {
    let (alpha, n) = (case.float("alpha")?, case.count("N")?);
    let own = Rank::new(alpha, n)?;
    let rank = Dyadic::new(alpha)?.times(&Dyadic::count(n as u64 - 1));
    let floor = rank.floor().unwrap_or(u64::MAX);
    if own.floor() as u64 != floor {
        return Err(Error::domain("the rank of Eq. 6", floor.to_string(), own.floor()));
    }
    let fraction = rank.minus(&Dyadic::count(floor));
    let mut results = vec![
        ("rank_floor", Value::Integers(vec![floor as i64])),
        ("rank_fraction", rounded(&[fraction], vec![own.fraction().to_f64()])),
    ];
    if case.has("G") {
        let (q, reference) = quantiles(&case.floats("G")?, case)?;
        results.push(("chunk_quantiles", rounded(&q, reference)));
    }
    Ok(results)
}

fn mean(quantiles: &[f64]) -> Result<Value> {
    let (total, count) = (sum(exact(quantiles)?), quantiles.len() as u64);
    Ok(Value::Reals(Reals {
        f64: vec![total.quotient(count, Format::F64)],
        f32: Some(vec![total.quotient(count, Format::F32) as f32]),
        reference: vec![mean_of_quantiles(quantiles)?],
    }))
}

fn eq7(case: &Case) -> Result<Results> {
    Ok(vec![("tau", mean(&case.floats("chunk_quantiles")?)?)])
}

/// `(alpha_0 (K - k) + alpha_K k) / K`.
fn eq8(case: &Case) -> Result<Results> {
    let (alpha_0, alpha_end, epochs) = (case.float("alpha_0")?, case.float("alpha_K")?, case.count("epochs")?);
    let (mut f64, mut f32, mut reference) = (Vec::new(), Vec::new(), Vec::new());
    for k in case.counts("k")? {
        reference.push(schedule::prune_rate(k, epochs, alpha_0, alpha_end)?);
        let start = Dyadic::new(alpha_0)?.times(&Dyadic::count((epochs - k) as u64));
        let total = start.plus(&Dyadic::new(alpha_end)?.times(&Dyadic::count(k as u64)));
        f64.push(total.quotient(epochs as u64, Format::F64));
        f32.push(total.quotient(epochs as u64, Format::F32) as f32);
    }
    Ok(vec![("alpha", Value::Reals(Reals { f64, f32: Some(f32), reference }))])
}

/// `w* lambda^t` in both formats, 0 where it is then below eps.
fn decayed(w_star: &[f64], lambda: f64, t: usize, eps: f64) -> Result<Reals> {
    /// The exact power has up to 53 bits for each step.
    const LONGEST: usize = 10_000;
    if t > LONGEST {
        return Err(Error::domain("t of an exact Eq. 9", format!("at most {LONGEST}"), t));
    }
    let factor = Dyadic::new(lambda)?.power(t as u64);
    let (mut f64, mut f32, mut reference) = (Vec::new(), Vec::new(), Vec::new());
    for &w in w_star {
        let product = Dyadic::new(w)?.times(&factor);
        let kept = |w: f64| if w.abs() >= eps { w } else { 0.0 };
        f64.push(kept(product.rounded(Format::F64)));
        f32.push(kept(product.rounded(Format::F32)) as f32);
        reference.push(decay::decayed_weight(w, lambda, t, eps)?);
    }
    Ok(Reals { f64, f32: Some(f32), reference })
}

fn eq9(case: &Case) -> Result<Results> {
    let decayed = decayed(&case.floats("w_star")?, case.float("lambda")?, case.count("t")?, case.float("eps")?)?;
    Ok(vec![("w", Value::Reals(decayed))])
}

/// Logarithms are no exact numbers: in DoubleDouble, whose error must leave no doubt about the rounding.
///
/// Both logarithms are within [`DoubleDouble::LN_ERROR`], the quotients of counts, the ratio, the difference and the
/// product within 16 units of 2^-106 each: all below 256 such units of 100, the largest intermediate value.
fn eq10(case: &Case) -> Result<Results> {
    let (mut f64, mut f32, mut reference) = (Vec::new(), Vec::new(), Vec::new());
    for (n, chunks) in case.counts("N")?.into_iter().zip(case.counts("C")?) {
        let percent = cost::computation_saving::<DoubleDouble>(n, chunks)?;
        let radius = DoubleDouble::from(256.0 * 100.0 * DoubleDouble::LN_ERROR / 64.0);
        let at = |x: DoubleDouble, format| -> Result<f64> {
            Ok(Dyadic::new(x.hi())?.plus(&Dyadic::new(x.lo())?).rounded(format))
        };
        let settled = |format| -> Result<f64> {
            let (low, nearest, high) =
                (at(percent - radius, format)?, at(percent, format)?, at(percent + radius, format)?);
            // Where N is a power of C, or C = 1, the result is a ratio of small integers: on no rounding's edge if it
            // is a number of the format itself.
            if (low <= nearest && nearest <= high && low == high) || percent.to_f64() == nearest && percent.lo() == 0.0
            {
                return Ok(nearest);
            }
            Err(Error::domain("Eq. 10", "a result whose rounding is beyond doubt", percent))
        };
        f64.push(settled(Format::F64)?);
        f32.push(settled(Format::F32)? as f32);
        reference.push(cost::computation_saving(n, chunks)?);
    }
    Ok(vec![("percent", Value::Reals(Reals { f64, f32: Some(f32), reference }))])
}

/// `100 (C - 1) / C`.
fn eq11(case: &Case) -> Result<Results> {
    let (mut f64, mut f32, mut reference) = (Vec::new(), Vec::new(), Vec::new());
    for chunks in case.counts("C")? {
        reference.push(cost::memory_saving(chunks)?);
        let parts = Dyadic::count(100).times(&Dyadic::count(chunks as u64 - 1));
        f64.push(parts.quotient(chunks as u64, Format::F64));
        f32.push(parts.quotient(chunks as u64, Format::F32) as f32);
    }
    Ok(vec![("percent", Value::Reals(Reals { f64, f32: Some(f32), reference }))])
}

fn alg4(case: &Case) -> Result<Results> {
    let mut point = RewindPoint::new(RewindCopy::Copy, &[]);
    let (mut minima, mut k_star, mut moved) = (Vec::new(), Vec::new(), Vec::new());
    for (i, s_f) in case.floats("S_F")?.into_iter().enumerate() {
        minima.push(point.minimum());
        moved.push(point.observe(i + case.reading.epoch_origin.first(), s_f, &[])?);
        k_star.push(point.k_star() as i64);
    }
    let minima = Value::Reals(Reals { reference: minima.clone(), f64: minima, f32: None });
    Ok(vec![("min_before", minima), ("k_star", Value::Integers(k_star)), ("moved", Value::Flags(moved))])
}

/// Each step from the rounded results of the one before, as [`crate::oracle::replay`] goes.
fn alg5(case: &Case) -> Result<Results> {
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
        let q: Vec<f64> = quantiles(&set, case)?.0.iter().map(|q| q.rounded(Format::F64)).collect();
        let tau = match mean(&q)? {
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

fn alg6(case: &Case) -> Result<Results> {
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
