//! Eq. 6: the chunks' quantiles, `q_c = Quantile_alpha(G of chunk c)`.

mod derive;
mod mistakes;
mod quantile;
mod sampled;

pub(crate) use derive::{derive, quantiles};
pub(crate) use mistakes::{tolerance, ways};
pub(crate) use quantile::exact_quantile;

use crate::error::Result;
use crate::oracle::claims::claim::{Claim, Judged};
use crate::oracle::interval::Interval;
use crate::oracle::outcome::{Label, Outcome};
use crate::oracle::report::{Event, Finding};
use crate::oracle::seen::{FINITE, Operands, Seen};
use crate::paper::quantile::chunk_sizes;
use crate::paper::reading::{Chunking, MaskedGradient};
use quantile::quantile;

const LABEL: Label = Label::of("eq6");

/// The recorded quantiles are those of the chunks of G.
pub(crate) struct Eq6;

impl Claim for Eq6 {
    fn label(&self) -> Label {
        LABEL
    }

    fn judge(&self, seen: &Seen) -> Result<Judged> {
        judge(seen)
    }

    fn mistakes(&self, seen: &Seen, _: &Outcome) -> Result<Vec<String>> {
        Ok(mistakes::causes(seen))
    }
}

/// What G may be on the set that the quantile is taken of (open point 7); `None` if it is not known, or a sample of it is.
pub(crate) fn set(seen: &Seen) -> Option<(Vec<f64>, Option<Vec<f64>>)> {
    let (trace, g) = (seen.trace, &seen.known.g);
    let prunable = trace.prunable().len();
    if !g.low.is_complete(prunable) || trace.sample().is_some() {
        return None;
    }
    let alive = &seen.known.alive;
    let excludes = seen.reading().masked_gradient == MaskedGradient::Excluded;
    if excludes && !alive.is_complete(prunable) {
        return None;
    }
    let members = || (0..trace.weights()).filter(|&j| !excludes || alive.values[j]);
    if g.is_exact() {
        return Some((members().map(|j| g.low.values[j]).collect(), None));
    }
    let (low, high) = members().map(|j| g.at(j)).map(|g_j| (g_j.low, g_j.high)).unzip();
    Some((low, Some(high)))
}

/// Eq. 6 on the recorded G and alpha.
fn judge(seen: &Seen) -> Result<Judged> {
    let mut outcome = Outcome::new(LABEL);
    let expected = match seen.trace.sample() {
        None => expected_quantiles(seen),
        Some(_) => sampled::expected_quantiles(seen)?,
    };
    let recorded = seen.recorded.chunk_quantiles.clone();
    let place = seen.place("chunk_quantiles");
    let chunks = match seen.reading().chunking {
        Chunking::NearEqual => seen.trace.header.hyper.chunks,
        Chunking::Ceil => 0,
    };
    match (&recorded, &expected) {
        (None, _) => outcome.leave_out("chunk_quantiles is not recorded"),
        // The format has no rule for fewer weights than chunks.
        (Some(found), Some(expected)) if expected.len() < chunks && found.len() == chunks => {
            outcome.leave_out("chunk_quantiles: fewer weights are left than there are chunks");
        }
        (Some(found), Some(expected)) if found.len() != expected.len() => {
            let (got, chunks) = (found.len() as f64, Interval::exact(expected.len() as f64));
            outcome.compared += 1;
            let at = (place.tensor.clone(), Event::Epoch(seen.k), Vec::new());
            outcome.find(Finding::new(LABEL.equation, at, got, chunks, seen.arithmetic.dtype));
        }
        (Some(found), Some(expected)) => {
            let storage = seen.storage("chunk_quantiles");
            for (c, (&got, expected)) in found.iter().zip(expected).enumerate() {
                let allowed = expected.iter().map(|e| e.widened(storage));
                let distance = |e: &Interval| (got - e.low).abs().min((got - e.high).abs());
                let fits = allowed.clone().find(|e| e.contains(got));
                let nearest = allowed.min_by(|a, b| distance(a).total_cmp(&distance(b)));
                if let Some(expected) = fits.or(nearest) {
                    outcome.compare(&place, c, got, expected);
                }
            }
        }
        (Some(found), None) => {
            outcome.leave_out("G of all weights is neither recorded nor does it follow from gradients");
            for (c, &got) in found.iter().enumerate().filter(|(_, q)| !q.is_finite()) {
                outcome.compare(&place, c, got, FINITE);
            }
        }
    }
    let storage = seen.storage("chunk_quantiles");
    let finite = recorded.filter(|found| found.iter().all(|q| q.is_finite()));
    let own = finite.map(|found| found.iter().map(|&q| Interval::exact(q).widened(storage)).collect());
    let derived = || expected.map(|all| all.into_iter().filter_map(|e| e.into_iter().reduce(Interval::hull)).collect());
    let chunk_quantiles = own.or_else(derived);
    Ok(Judged { outcome, derived: Operands { chunk_quantiles, ..Operands::default() } })
}

/// What each chunk's quantile may be.
fn expected_quantiles(seen: &Seen) -> Option<Vec<Vec<Interval>>> {
    let (low, high) = set(seen)?;
    let (hyper, reading) = (&seen.trace.header.hyper, seen.reading());
    let alpha = seen.known.alpha?;
    if low.is_empty() {
        return Some(Vec::new());
    }
    let sizes = chunk_sizes(low.len(), hyper.chunks.min(low.len()), reading.chunking).ok()?;
    let mut start = 0;
    let chunks = sizes.into_iter().map(|size| {
        let range = start..start + size;
        start += size;
        let low = &low[range.clone()];
        let high = high.as_ref().map_or(low, |high| &high[range]);
        quantile(reading.quantile, alpha, low, high, &seen.arithmetic)
    });
    Some(chunks.collect())
}
