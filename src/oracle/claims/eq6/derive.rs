//! Eq. 6 on exact numbers.

use crate::error::{Error, Result};
use crate::oracle::exact::case::{Case, Results, Value};
use crate::oracle::exact::dyadic::Dyadic;
use crate::oracle::exact::rounded;
use crate::paper::quantile::{Rank, chunk_quantiles, chunk_sizes};
use crate::paper::reading::QuantileRule;
use crate::scalar::Scalar;

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
pub(crate) fn quantiles(set: &[f64], case: &Case) -> Result<(Vec<Dyadic>, Vec<f64>)> {
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
pub(crate) fn derive(case: &Case) -> Result<Results> {
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
