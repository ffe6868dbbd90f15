//! Eq. 8: the prune rate, `alpha_k = alpha_0 + (k / K)(alpha_K - alpha_0)`.

use crate::error::Result;
use crate::oracle::arithmetic::is_representable;
use crate::oracle::claims::claim::{Judged, OneNumber};
use crate::oracle::claims::mistakes::{COARSEST_RATE, Candidates, reading};
use crate::oracle::exact::case::{Case, Reals, Results, Value};
use crate::oracle::exact::dyadic::{Dyadic, Format};
use crate::oracle::interval::Interval;
use crate::oracle::outcome::{Label, Outcome};
use crate::oracle::seen::{Operands, Seen};
use crate::paper::reading::EpochOrigin;
use crate::paper::schedule;
use crate::scalar::{DoubleDouble, Scalar};
use crate::trace::Arithmetic;

const LABEL: Label = Label::of("eq8");

/// alpha is on the line of the header's hyper-parameters.
pub(crate) const EQ8: OneNumber = OneNumber { label: LABEL, judge, mistakes };

impl Arithmetic {
    /// Eq. 8, absolutely. With M the larger of alpha_0 and alpha_K: both may be rounded to the dtype (2 u M, and once
    /// more alpha_0 in the difference), the difference, the quotient k / K, the product and the sum are rounded
    /// (at most 4 u M, as `k / K <= 1`), and the result stored (u M): 8 u M. A port that adds a step every epoch rounds
    /// up to k sums more, and its step's error k times: 3 k u M. One u M covers all terms of second order.
    pub(crate) fn prune_rate(&self, k: usize, largest: f64) -> f64 {
        (9.0 + 3.0 * k as f64) * self.u() * largest
    }
}

/// `alpha_0 + (k / K)(alpha_K - alpha_0)` to about 31 digits, for any k.
pub(crate) fn exact_rate(k: usize, epochs: usize, alpha_0: f64, alpha_end: f64) -> DoubleDouble {
    let progress = DoubleDouble::from_usize(k) / DoubleDouble::from_usize(epochs);
    DoubleDouble::from(alpha_0) + progress * (DoubleDouble::from(alpha_end) - DoubleDouble::from(alpha_0))
}

/// Eq. 8 on the header's hyper-parameters.
fn judge(seen: &Seen) -> Judged {
    let mut outcome = Outcome::new(LABEL);
    let hyper = &seen.trace.header.hyper;
    let exact = exact_rate(seen.k, hyper.epochs, hyper.alpha_0, hyper.alpha_end);
    let error = seen.arithmetic.prune_rate(seen.k, hyper.alpha_0.max(hyper.alpha_end));
    let expected = Interval::around(exact, 0.0, error);
    seen.judge(&mut outcome, "alpha", seen.recorded.alpha, Ok(expected));
    // A recorded rate may be rounded: what the port went on with is near it, unless it is the exact one.
    let own = seen.recorded.alpha.filter(|x| x.is_finite());
    let alpha = match own {
        Some(own) if DoubleDouble::from(own) == exact && is_representable(exact, &seen.arithmetic) => {
            Interval::exact(own)
        }
        Some(own) => Interval::exact(own).widened(2.0 * seen.arithmetic.u()),
        None if is_representable(exact, &seen.arithmetic) => Interval::exact(exact.to_f64()),
        None => expected,
    };
    Judged { outcome, derived: Operands { alpha: Some(alpha), ..Operands::default() } }
}

/// Which mistakes give the port's alpha.
fn mistakes(seen: &Seen, got: f64) -> Result<Vec<String>> {
    let hyper = &seen.trace.header.hyper;
    let (k, epochs) = (seen.k as f64, hyper.epochs as f64);
    let (from, to) = (hyper.alpha_0, hyper.alpha_end);
    let line = |progress: f64| from + progress * (to - from);
    let rate = |k: usize| exact_rate(k, hyper.epochs, from, to).to_f64();
    let correct = rate(seen.k);
    let mut c = Candidates::default();
    match seen.reading().epoch_origin {
        EpochOrigin::Zero => c.add(format!("computed with k+1: {}", reading("epoch_origin", "1")), rate(seen.k + 1)),
        EpochOrigin::One => {
            c.add(format!("computed with k-1: {}", reading("epoch_origin", "0")), rate(seen.k.saturating_sub(1)));
        }
    }
    c.add("alpha_k was computed with k-1", line((k - 1.0) / epochs));
    c.add("alpha_k was computed with k+1", line((k + 1.0) / epochs));
    c.add("K-1 in the denominator", line(k / (epochs - 1.0)));
    c.add("K+1 in the denominator", line(k / (epochs + 1.0)));
    c.add("k-1 and K-1: progress (k-1)/(K-1)", line((k - 1.0) / (epochs - 1.0)));
    c.add("alpha_0 and alpha_K are swapped", to + k / epochs * (from - to));
    c.add("the sign of alpha_K - alpha_0 is wrong", from - k / epochs * (to - from));
    if is_constant(seen)? {
        c.add("constant: alpha_0 in every epoch (or an integer division k / K)", from);
        c.add("constant: alpha_K in every epoch", to);
    }
    c.add("alpha_0 is not added", k / epochs * (to - from));
    c.add("rounded to f32 (as torch.quantile does with its q)", f64::from(correct as f32));
    c.add("1 - alpha_k", 1.0 - correct);
    c.add("in percent", 100.0 * correct);
    c.add(
        "a cosine schedule instead of the line",
        to + (from - to) * 0.5 * (1.0 + libm::cos(std::f64::consts::PI * k / epochs)),
    );
    c.add("an exponential schedule instead of the line", from * libm::pow(to / from, k / epochs));
    c.add(
        "a cubic schedule (gradual magnitude pruning) instead of the line",
        to + (from - to) * libm::pow(1.0 - k / epochs, 3.0),
    );
    c.add("(k / K)^2 for k / K", line(k / epochs * k / epochs));
    c.add_known("the previous epoch's alpha", seen.carry.previous.as_ref().and_then(|p| p.0.alpha));
    // As many roundings as Eq. 8's own bound allows, of numbers no larger than 1.
    Ok(c.matching(got, seen.arithmetic.prune_rate(seen.k, 1.0).min(COARSEST_RATE)))
}

/// Whether the trace has but one alpha, in all of its epochs.
fn is_constant(seen: &Seen) -> Result<bool> {
    let mut first = None;
    for k in seen.trace.epochs() {
        let Some(alpha) = seen.trace.scalar(k, "alpha")? else { continue };
        if *first.get_or_insert(alpha) != alpha {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The exact result of a golden case: `(alpha_0 (K - k) + alpha_K k) / K`.
pub(crate) fn derive(case: &Case) -> Result<Results> {
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
