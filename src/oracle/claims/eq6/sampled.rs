//! Eq. 6 on a sample: between which numbers a chunk's quantile lies, by how many of those drawn are below and above it.

use super::quantile::Ranks;
use crate::error::Result;
use crate::oracle::claims::sampled::{Chunk, chunks, evidence, most};
use crate::oracle::interval::Interval;
use crate::oracle::seen::Seen;
use crate::scalar::{DoubleDouble, Scalar};

/// What each chunk's quantile may be, of a correct port with all but the probability [`DOUBT`](super::super::sampled::DOUBT);
/// `None` where G or alpha is not known.
///
/// # Errors
/// As [`chunks`].
pub(super) fn expected_quantiles(seen: &Seen) -> Result<Option<Vec<Vec<Interval>>>> {
    let Some(alpha) = seen.known.alpha else { return Ok(None) };
    let Some(chunks) = chunks(seen)? else { return Ok(None) };
    Ok(Some(chunks.iter().map(|chunk| vec![quantile(seen, chunk, alpha)]).collect()))
}

/// The quantile lies between the values of ranks floor(r) and ceil(r), r = alpha (n - 1), whatever the rule. No more than
/// ceil(r) entries are below the latter, and no more than n - 1 - floor(r) above the former: so many of those drawn that more
/// are [too unlikely](most) bound it, and what interpolation rounds comes on top.
fn quantile(seen: &Seen, chunk: &Chunk, alpha: Interval) -> Interval {
    let (drawn, n) = (chunk.low.len(), chunk.size);
    let ranks = Ranks::new(alpha, n, &seen.arithmetic);
    let below = (ranks.high.to_f64().ceil() / n as f64).min(1.0);
    let above = ((n as f64 - 1.0 - ranks.low.to_f64().floor()) / n as f64).clamp(0.0, 1.0);
    let evidence = evidence(seen);
    let high = chunk.high.get(most(drawn, below, evidence)).copied();
    let low = drawn.checked_sub(most(drawn, above, evidence) + 1).map(|rank| chunk.low[rank]);
    let tolerance = seen.arithmetic.interpolation();
    let off = |end: f64| Interval::around(DoubleDouble::from(end), tolerance.relative, tolerance.absolute);
    // A sum of squares is not negative.
    Interval { low: low.map_or(0.0, |low| off(low).low), high: high.map_or(f64::MAX, |high| off(high).high) }
}
