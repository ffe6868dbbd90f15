//! Eq. 3: the squared norm from G, `S_sq = sum_j G_j`.

use crate::error::Result;
use crate::kernel::share;
use crate::oracle::arithmetic::{Sum, Tolerance, theta};
use crate::oracle::claims::claim::{Judged, OneNumber};
use crate::oracle::claims::mistakes::{COARSEST_SUM, Candidates, UNBOUNDED, lower_precision, reading};
use crate::oracle::claims::sampled::{self, Estimate};
use crate::oracle::claims::sums::{batches, by_parameter};
use crate::oracle::exact::case::{Case, Results};
use crate::oracle::exact::{exact, rounded, sum};
use crate::oracle::interval::Interval;
use crate::oracle::outcome::{Label, Outcome, pieces};
use crate::oracle::seen::{Operands, Seen};
use crate::paper::gradient_norm;
use crate::paper::reading::MaskedGradient;
use crate::scalar::{DoubleDouble, Scalar};
use crate::trace::Arithmetic;
use std::ops::Range;

const LABEL: Label = Label::of("eq3");

/// S_sq is the sum of G over W.
pub(crate) const EQ3: OneNumber = OneNumber { label: LABEL, judge, mistakes };

/// What a G costs in the sum of all, in operations: the end of an interval, an addition in 31 digits.
const SUMMAND: usize = 16;

/// The most batches that an epoch may have had if the trace records none of them.
const UNKNOWN_BATCHES: f64 = 1024.0;

impl Arithmetic {
    /// Eq. 3 from G: at most `n` sums over the weights in any order. A port may as well add up the squares themselves,
    /// batch by batch: it then has the roundings of a G over `batches` batches besides, and its recorded G too. Where the
    /// trace does not say how many batches there are, they are taken to be at most [`UNKNOWN_BATCHES`]; where so many
    /// would leave no bound, the sum is taken to be over G.
    pub(crate) fn sum_of_squares(&self, n: usize, batches: usize) -> Option<Tolerance> {
        let of_sum = (n as f64 + 1.0) * self.u_acc + self.u_out;
        let of_g = |b: f64| 2.0 * (b + 1.0) * self.u_acc + 4.0 * self.u_out + 2.0 * self.u_in;
        let (relative, b) = match batches {
            0 => match theta(of_sum + of_g(UNKNOWN_BATCHES)) {
                Some(relative) => (relative, UNKNOWN_BATCHES),
                None => (theta(of_sum)?, 0.0),
            },
            batches => (theta(of_sum + of_g(batches as f64))?, batches as f64),
        };
        Some(Tolerance { relative, absolute: (n as f64 * (1.0 + 4.0 * b) + 1.0) * self.underflow() * (1.0 + relative) })
    }
}

/// Eq. 3: `S_sq = sum_j G_j`.
fn judge(seen: &Seen) -> Judged {
    let mut outcome = Outcome::new(LABEL);
    let (trace, g, arithmetic) = (seen.trace, &seen.known.g, seen.arithmetic);
    let n = trace.weights();
    let mut unbounded = false;
    let expected = if g.low.is_complete(trace.prunable().len()) {
        let piece = |range: Range<usize>, end: fn(Interval) -> f64| -> DoubleDouble {
            range.map(|j| DoubleDouble::from(end(g.at(j)))).sum()
        };
        let sum = |end: fn(Interval) -> f64| -> DoubleDouble {
            let kept = trace.prunable().last().map_or(0, |parameter| parameter.range.end);
            let pieces = pieces(kept);
            let sums = share::map(pieces.len(), SUMMAND * kept, |i| piece(pieces[i].clone(), end));
            sums.into_iter().sum()
        };
        match arithmetic.sum_of_squares(n, trace.batches(seen.k)) {
            Some(t) => {
                let low = sum(|g_j| g_j.low);
                let high = if g.is_exact() { low } else { sum(|g_j| g_j.high) };
                let is_whole = trace.sample().is_none();
                let exact =
                    is_whole && seen.known.squares_are_exact && g.is_exact() && is_exact(&g.low.values, &arithmetic);
                Ok(if exact {
                    Interval::exact(low.to_f64())
                } else {
                    let low = Interval::around(low, t.relative, t.absolute).low;
                    Interval { low: low.max(0.0), high: Interval::around(high, t.relative, t.absolute).high }
                })
            }
            None => {
                unbounded = true;
                Err("no bound holds")
            }
        }
    } else {
        Err("G of all weights is neither recorded nor does it follow from gradients")
    };
    let expected = sampled::of_sum(seen, &mut outcome, "S_sq", expected);
    if unbounded && seen.recorded.s_sq.is_some_and(f64::is_finite) {
        outcome.no_bound(n, &arithmetic);
    } else {
        seen.judge(&mut outcome, "S_sq", seen.recorded.s_sq, expected);
    }
    if let (Some(estimate), Some(s_sq), 0) = (Estimate::of_g(seen), seen.recorded.s_sq, outcome.total)
        && !estimate.is_near(s_sq)
    {
        outcome.doubt(sampled::UNLIKELY_SUM);
    }
    let s_sq = seen.operand("S_sq", seen.recorded.s_sq).or(expected.ok());
    Judged { outcome, derived: Operands { s_sq, ..Operands::default() } }
}

/// Whether no order of adding up the values rounds.
fn is_exact(values: &[f64], arithmetic: &Arithmetic) -> bool {
    let mut sum = Sum::default();
    values.iter().for_each(|&x| sum.add(x));
    sum.is_exact_in(arithmetic)
}

/// Which mistakes give the port's S_sq.
fn mistakes(seen: &Seen, got: f64) -> Result<Vec<String>> {
    if seen.trace.sample().is_some() {
        return Ok(Vec::new());
    }
    let g = &seen.known.g.low.values;
    let alive = &seen.known.alive.values;
    let right: f64 = g.iter().sum();
    let of = |counts: &dyn Fn(bool) -> bool| -> f64 {
        g.iter().enumerate().filter(|(j, _)| counts(alive.get(*j).copied().unwrap_or(true))).map(|(_, g)| g).sum()
    };
    let n = g.len() as f64;
    let mut c = Candidates::default();
    c.add("G is squared once more", g.iter().map(|g| g * g).sum());
    c.add("the square of the sum", right * right);
    c.add("the square root is taken already: this is S_F", right.sqrt());
    c.add("the mean over the weights for the sum", right / n);
    c.add("the sum of the roots of G", g.iter().map(|g| g.sqrt()).sum());
    c.add("the largest G, not the sum", g.iter().copied().fold(0.0, f64::max));
    if seen.reading().masked_gradient == MaskedGradient::Dense {
        let masked = reading("masked_gradient", "zero");
        c.add(format!("eliminated weights are left out: {masked}"), of(&|alive| alive));
    }
    c.add("of eliminated weights alone", of(&|alive| !alive));
    let parameters = by_parameter(seen);
    for (name, sum) in &parameters {
        c.add(format!("`{name}` is left out"), right - sum);
        c.add(format!("of `{name}` alone"), *sum);
    }
    c.add("the mean over the parameters for the sum", right / parameters.len() as f64);
    c.add("the sum of the parameters' norms, not of their squares", parameters.iter().map(|(_, sum)| sum.sqrt()).sum());
    if let Some(batches) = batches(seen)? {
        c.add("the last batch only, as the equation's last member is printed", batches.last);
        c.add("the square of the summed gradient, not the sum of squares", batches.summed);
        c.add("the mean over the batches for the sum", right / batches.norms.len() as f64);
        c.add("parameters outside W (biases) are counted too", right + batches.others);
        c.add("|g| for g^2: this is S_abs", batches.abs);
    }
    c.add_known("S_abs, not S_sq", seen.recorded.s_abs);
    c.add_known(
        "not reset: added to the previous epoch's",
        seen.carry.previous.as_ref().and_then(|p| p.0.s_sq).map(|s| s + right),
    );
    c.add_known("stale: the previous epoch's", seen.carry.previous.as_ref().and_then(|p| p.0.s_sq));
    if let Some(previous) = seen.carry.previous.as_ref().filter(|p| !p.0.g.values.is_empty()) {
        c.add("of the previous epoch's G", previous.0.g.values.iter().sum());
    }
    let tolerance = seen.arithmetic.sum_of_squares(g.len(), seen.trace.batches(seen.k));
    let causes = c.matching(got, tolerance.map_or(UNBOUNDED, |t| t.relative.min(COARSEST_SUM)));
    Ok(if causes.is_empty() { lower_precision(got, right, g.len()) } else { causes })
}

/// The exact result of a golden case.
pub(crate) fn derive(case: &Case) -> Result<Results> {
    let g = case.floats("G")?;
    let terms = exact(&g)?;
    Ok(vec![("S_sq", rounded(&[sum(terms)], vec![gradient_norm::sum_of_squares(&g)]))])
}
