//! Eq. 7: the threshold, `tau = (1 / C) sum_c q_c`.

use crate::error::Result;
use crate::oracle::arithmetic::{Tolerance, theta};
use crate::oracle::claims::claim::{Judged, OneNumber};
use crate::oracle::claims::eq6::{exact_quantile, tolerance, ways};
use crate::oracle::claims::mistakes::{COARSEST, Candidates};
use crate::oracle::exact::case::{Case, Reals, Results, Value};
use crate::oracle::exact::dyadic::Format;
use crate::oracle::exact::{exact, sum};
use crate::oracle::interval::Interval;
use crate::oracle::outcome::{Label, Outcome};
use crate::oracle::seen::{Operands, Seen};
use crate::paper::quantile::chunk_sizes;
use crate::paper::quantile::mean_of_quantiles;
use crate::paper::reading::QuantileRule;
use crate::scalar::{DoubleDouble, Scalar};
use crate::trace::Arithmetic;

const LABEL: Label = Label::of("eq7");

/// tau is the mean of the chunks' quantiles.
pub(crate) const EQ7: OneNumber = OneNumber { label: LABEL, judge, mistakes };

impl Arithmetic {
    /// Eq. 7: the quantiles as recorded may have been rounded, C - 1 sums and the quotient are, or C products with a
    /// rounded 1/C, and the result is stored.
    pub(crate) fn mean(&self, chunks: usize) -> Option<Tolerance> {
        let relative = theta((chunks as f64 + 2.0) * self.u() + 2.0 * self.u_out)?;
        Some(Tolerance { relative, absolute: (chunks as f64 + 1.0) * self.underflow() * (1.0 + relative) })
    }
}

/// Eq. 7 on the recorded quantiles: `tau = (1 / C) sum_c q_c`; 0 where no weight is left.
fn judge(seen: &Seen) -> Judged {
    let mut outcome = Outcome::new(LABEL);
    let expected = match &seen.known.chunk_quantiles {
        None => Err("the chunks' quantiles are neither recorded nor do they follow from G"),
        Some(quantiles) if quantiles.is_empty() => Ok(Interval::exact(0.0)),
        Some(quantiles) => {
            let sum =
                |end: fn(&Interval) -> f64| quantiles.iter().map(|q| DoubleDouble::from(end(q))).sum::<DoubleDouble>();
            let count = DoubleDouble::from_usize(quantiles.len());
            let (low, high) = (sum(|q| q.low) / count, sum(|q| q.high) / count);
            match seen.arithmetic.mean(quantiles.len()) {
                Some(t) => {
                    Ok(Interval::around(low, t.relative, t.absolute)
                        .hull(Interval::around(high, t.relative, t.absolute)))
                }
                None => Err("no bound holds"),
            }
        }
    };
    seen.judge(&mut outcome, "tau", seen.recorded.tau, expected);
    let tau = seen.operand("tau", seen.recorded.tau).or(expected.ok());
    Judged { outcome, derived: Operands { tau, ..Operands::default() } }
}

/// Which mistakes give the port's tau.
fn mistakes(seen: &Seen, got: f64) -> Result<Vec<String>> {
    let mut c = Candidates::default();
    let own = seen.recorded.chunk_quantiles.as_ref().filter(|quantiles| !quantiles.is_empty());
    if let Some(quantiles) = own {
        let count = quantiles.len() as f64;
        let sum: f64 = quantiles.iter().sum();
        c.add(
            "the median of the chunks' quantiles for their mean",
            exact_quantile(QuantileRule::Linear, 0.5, quantiles).to_f64(),
        );
        c.add(
            "the lower median of the chunks' quantiles for their mean",
            exact_quantile(QuantileRule::Lower, 0.5, quantiles).to_f64(),
        );
        c.add("the sum without 1/C", sum);
        let (least, largest) = quantiles.iter().fold((f64::MAX, f64::MIN), |(a, b), &q| (q.min(a), q.max(b)));
        c.add("the largest of the chunks' quantiles", largest);
        c.add("the smallest of the chunks' quantiles", least);
        c.add("half way from the smallest of the chunks' quantiles to the largest", 0.5 * (least + largest));
        let squares: f64 = quantiles.iter().map(|q| q * q).sum();
        c.add("the root mean square of the chunks' quantiles", (squares / count).sqrt());
        let inverses: f64 = quantiles.iter().map(|q| 1.0 / q).sum();
        c.add("the harmonic mean", count / inverses);
        c.add("the first chunk's quantile alone", quantiles[0]);
        c.add("the last chunk's quantile alone", quantiles[quantiles.len() - 1]);
        c.add("divided by C - 1", sum / (count - 1.0));
        c.add("divided by C + 1", sum / (count + 1.0));
        c.add("divided by C twice", sum / count / count);
        let logs: f64 = quantiles.iter().map(|&q| libm::log(q)).sum();
        c.add("the geometric mean", libm::exp(logs / count));
        c.add("the square root of the mean", (sum / count).sqrt());
        let (n, chunks) = (seen.trace.weights(), seen.trace.header.hyper.chunks);
        if let Ok(sizes) = chunk_sizes(n, chunks, seen.reading().chunking) {
            let weighted: f64 = sizes.iter().zip(quantiles).map(|(&size, q)| size as f64 * q).sum();
            c.add("a mean weighted by the chunks' sizes", weighted / n as f64);
        }
    }
    c.add_known("stale: the previous epoch's tau", seen.carry.previous.as_ref().and_then(|p| p.0.tau));
    c.add_known("alpha, not a quantile", seen.recorded.alpha);
    for (cause, quantiles) in ways(seen) {
        c.add(cause, quantiles.iter().sum::<f64>() / quantiles.len() as f64);
    }
    Ok(c.matching(got, tolerance(seen).min(COARSEST)))
}

/// The exact mean, in both formats.
pub(crate) fn mean(quantiles: &[f64]) -> Result<Value> {
    let (total, count) = (sum(exact(quantiles)?), quantiles.len() as u64);
    Ok(Value::Reals(Reals {
        f64: vec![total.quotient(count, Format::F64)],
        f32: Some(vec![total.quotient(count, Format::F32) as f32]),
        reference: vec![mean_of_quantiles(quantiles)?],
    }))
}

/// The exact result of a golden case.
pub(crate) fn derive(case: &Case) -> Result<Results> {
    Ok(vec![("tau", mean(&case.floats("chunk_quantiles")?)?)])
}
