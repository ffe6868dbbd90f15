//! What a sample of the weights says of all of them.
//!
//! A sample's coordinates are chosen by a hash of names and places, which knows nothing of values: of m even coordinates of n,
//! every m are as likely. Of K entries among n the sample has then a number X that is hypergeometric, and by Hoeffding
//! (1963, theorem 4 and theorem 1) P[X >= x] <= exp(-m KL(x / m, K / n)) for x / m >= K / n, with Kullback and Leibler's
//! KL(a, p) = a ln(a / p) + (1 - a) ln((1 - a) / (1 - p)).

use crate::error::Result;
use crate::oracle::interval::Interval;
use crate::oracle::outcome::Outcome;
use crate::oracle::seen::Seen;
use crate::paper::quantile::chunk_sizes;
use crate::paper::reading::MaskedGradient;

/// With what probability the samples of a correct port's trace, all together, may lead to a finding. Chosen: once in the life
/// of no laboratory.
pub(crate) const DOUBT: f64 = 1e-12;

/// -ln of the probability that one test of a trace may have, so that all of them have [`DOUBT`] together: two for each chunk
/// of each epoch.
pub(crate) fn evidence(seen: &Seen) -> f64 {
    let tests = 2.0 * seen.trace.epochs().count() as f64 * seen.trace.header.hyper.chunks as f64;
    libm::log(tests / DOUBT)
}

/// The most entries of a kind that `drawn` coordinates have, if at most the share `share` of all entries is of it: more is
/// less likely than exp(-`evidence`).
///
/// The divergence as it is computed, of m = `drawn` coordinates and p = `share`, with u = 2^-53: a logarithm is within 2u of
/// itself, a difference and a product round once each, so a (ln a - ln p) is off by 4u a (|ln a| + |ln p|), and its like of
/// 1 - a and 1 - p, which are rounded themselves, by as much and 3u; the sum rounds once more. a = x / m is off by u a, and
/// with it the divergence by u a (|ln a| + |ln p| + |ln(1 - a)| + |ln(1 - p)|). As a |ln a| <= 1, (1 - a) |ln(1 - a)| <= 1 and,
/// for a < 1, |ln(1 - a)| <= ln m, all of these are below 8u (2 + |ln p| + |ln(1 - p)| + ln m), with what u^2 adds. m times
/// it, and 8u of the evidence, a logarithm too, are allowed beside.
pub(crate) fn most(drawn: usize, share: f64, evidence: f64) -> usize {
    if share <= 0.0 || drawn == 0 {
        return 0;
    }
    let (m, ln) = (drawn as f64, |x: f64| libm::log(x).abs());
    // A share of 1 allows all, whatever is added.
    let of_one = 2.0 + ln(share) + ln((1.0 - share).max(f64::MIN_POSITIVE)) + ln(m);
    let evidence = evidence + 4.0 * f64::EPSILON * (m * of_one + evidence);
    let is_likely = |x: usize| {
        let a = x as f64 / drawn as f64;
        a <= share || drawn as f64 * divergence(a, share) <= evidence
    };
    // The divergence rises from the share on.
    let (mut low, mut high) = (0, drawn);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if is_likely(middle) { low = middle } else { high = middle - 1 }
    }
    low
}

/// KL(a, p), for a > p.
fn divergence(a: f64, p: f64) -> f64 {
    let term = |a: f64, p: f64| if a == 0.0 { 0.0 } else { a * (libm::log(a) - libm::log(p)) };
    term(a, p) + term(1.0 - a, 1.0 - p)
}

/// A chunk of Eq. 6 as a sample sees it.
pub(crate) struct Chunk {
    /// How many entries it has.
    pub(crate) size: usize,
    /// What G may be at the even coordinates that fall into it, each end sorted.
    pub(crate) low: Vec<f64>,
    pub(crate) high: Vec<f64>,
}

/// The chunks of the set that the quantile is taken of (open point 7); `None` where G or the set is not known.
///
/// # Errors
/// As [`Seen::whole_alive`].
pub(crate) fn chunks(seen: &Seen) -> Result<Option<Vec<Chunk>>> {
    let (trace, g) = (seen.trace, &seen.known.g);
    let Some(sample) = trace.sample() else { return Ok(None) };
    if !g.low.is_complete(trace.prunable().len()) {
        return Ok(None);
    }
    let excludes = seen.reading().masked_gradient == MaskedGradient::Excluded;
    // The place of each even coordinate in the set, with its G.
    let (mut members, mut end): (Vec<(usize, Interval)>, usize) = (Vec::new(), 0);
    for (p, parameter) in trace.prunable().iter().enumerate() {
        let Some(coordinates) = &parameter.coordinates else { return Ok(None) };
        let even = || sample.are_even(&parameter.name, coordinates).enumerate().filter(|(_, is_even)| *is_even);
        if !excludes {
            members.extend(even().map(|(j, _)| (end + coordinates[j], g.at(parameter.range.start + j))));
            end += parameter.size();
            continue;
        }
        let Some(alive) = seen.whole_alive(p)? else { return Ok(None) };
        let (mut at, mut before) = (0, 0);
        for (j, _) in even() {
            before += alive[at..coordinates[j]].iter().filter(|&&alive| alive).count();
            at = coordinates[j];
            if alive[at] {
                members.push((end + before, g.at(parameter.range.start + j)));
            }
        }
        end += before + alive[at..].iter().filter(|&&alive| alive).count();
    }
    let hyper = &trace.header.hyper;
    if end == 0 {
        return Ok(Some(Vec::new()));
    }
    let Ok(sizes) = chunk_sizes(end, hyper.chunks.min(end), seen.reading().chunking) else { return Ok(None) };
    let (mut members, mut start) = (members.into_iter().peekable(), 0);
    let chunk = |size: usize| {
        start += size;
        let (mut low, mut high): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
        while let Some((_, g)) = members.next_if(|(place, _)| *place < start) {
            low.push(g.low);
            high.push(g.high);
        }
        low.sort_by(f64::total_cmp);
        high.sort_by(f64::total_cmp);
        Chunk { size, low, high }
    };
    Ok(Some(sizes.into_iter().map(chunk).collect()))
}

/// What a sum over W of numbers that are not negative may be, given what those that are kept come to: of a sample no less,
/// and no word of the rest.
pub(crate) fn of_sum<'e>(
    seen: &Seen,
    outcome: &mut Outcome,
    quantity: &str,
    kept: std::result::Result<Interval, &'e str>,
) -> std::result::Result<Interval, &'e str> {
    if seen.trace.sample().is_none() {
        return kept;
    }
    let sum = kept?;
    outcome.leave_out(format!(
        "{quantity} is a sum over all of W: by a sample it is no less than the sample's, and no more is known"
    ));
    Ok(Interval { low: sum.low, high: f64::MAX })
}

/// What is said of a recorded S_sq that is not near the estimate.
pub(crate) const UNLIKELY_SUM: &str =
    "S_sq is more than 8 standard errors from what the sample makes of it: wrong, or a few weights hold most of it";

/// What a sample makes of the sum of G over W.
pub(crate) struct Estimate {
    sum: f64,
    variance: f64,
}

/// By how many of its standard errors an estimate may be off before it is told: of a normal one in 10^15 is. Chosen, as is
/// the share of itself below; what lies beyond is a doubt (INCONCLUSIVE), never a FAIL.
const STANDARD_ERRORS: f64 = 8.0;

/// What is allowed beside: where hardly anything is left out the standard errors are 0, and the two sums round.
const OF_ITSELF: f64 = 1e-3;

impl Estimate {
    /// Horvitz and Thompson's estimate of the sum of G, each entry over the chance that its parameter's have to be kept; and
    /// the estimate of its variance from the sample.
    pub(crate) fn of_g(seen: &Seen) -> Option<Self> {
        let sample = seen.trace.sample()?;
        let (mut sum, mut variance) = (0.0, 0.0);
        for parameter in seen.trace.prunable() {
            let share = sample.share_of(parameter.size()).min(1.0);
            for j in parameter.range.clone() {
                let g = seen.known.g.low.values.get(j)?;
                sum += g / share;
                variance += (1.0 - share) * (g / share) * (g / share);
            }
        }
        Some(Self { sum, variance })
    }

    /// Whether a recorded sum is near.
    pub(crate) fn is_near(&self, recorded: f64) -> bool {
        (recorded - self.sum).abs() <= STANDARD_ERRORS * self.variance.sqrt() + OF_ITSELF * self.sum.abs()
    }
}
