//! Eq. 1: the sum of the gradients' sizes, `S_abs = sum_i sum_j |g_ij|`.

use crate::error::Result;
use crate::oracle::arithmetic::L1;
use crate::oracle::claims::claim::{Claim, Judged};
use crate::oracle::claims::mistakes::{COARSEST_SUM, Candidates, UNBOUNDED, lower_precision, reading};
use crate::oracle::claims::sampled;
use crate::oracle::claims::sums::{Sums, sums};
use crate::oracle::exact::case::{Case, Results};
use crate::oracle::exact::dyadic::Dyadic;
use crate::oracle::exact::{exact, rounded, sum};
use crate::oracle::interval::Interval;
use crate::oracle::outcome::{Label, Outcome};
use crate::oracle::seen::Seen;
use crate::paper::gradient_norm;
use crate::paper::reading::{GradientOf, MaskedGradient};
use crate::scalar::Scalar;

const LABEL: Label = Label::of("eq1");

/// S_abs is the sum of the sizes of all recorded gradients of W.
pub(crate) struct Eq1;

impl Claim for Eq1 {
    fn label(&self) -> Label {
        LABEL
    }

    fn judge(&self, seen: &Seen) -> Result<Judged> {
        let mut outcome = Outcome::new(LABEL);
        if let Some(sums) = &seen.known.sums {
            judge(seen, &sums.norms, &mut outcome);
        }
        Ok(Judged::only(outcome))
    }

    fn mistakes(&self, seen: &Seen, outcome: &Outcome) -> Result<Vec<String>> {
        // What a sample adds up to is none of the ways in which a whole goes wrong.
        let Some(first) = outcome.findings.first().filter(|_| seen.trace.sample().is_none()) else {
            return Ok(Vec::new());
        };
        mistakes(seen, first.got)
    }
}

/// Judges S_abs.
fn judge(seen: &Seen, norms: &L1, eq1: &mut Outcome) {
    let trace = seen.trace;
    let batches = trace.batches(seen.k);
    let terms = trace.weights().saturating_mul(batches);
    let expected = if norms.parameters < trace.prunable().len() {
        Err("the epoch's gradients of all weights are not recorded (or, where it matters, which weights are alive)")
    } else if seen.arithmetic.sum_over_gradients(terms).is_none() {
        if seen.recorded.s_abs.is_some_and(f64::is_finite) {
            eq1.no_bound(terms, &seen.arithmetic);
            return;
        }
        Err("no bound holds")
    } else {
        let sum = &norms.of_loss;
        let bound = seen.arithmetic.sum_over_gradients(terms);
        let around = |centre, absolute| match bound {
            Some(t) => Interval::around(centre, t.relative, t.absolute + absolute),
            None => Interval::ALL,
        };
        let is_whole = trace.sample().is_none();
        let of_loss = if is_whole && sum.is_exact_in(&seen.arithmetic) {
            Interval::exact(sum.value.to_f64())
        } else {
            around(sum.value, 0.0)
        };
        // Eq. 1 squares nothing: whether weight decay belongs in it is as open as in Eq. 2.
        match seen.reading().gradient {
            GradientOf::Loss => Ok(of_loss),
            GradientOf::LossAndDecay if norms.weights_unknown => {
                Err("`gradient` = `loss+decay` needs the weights of every step, which do not follow from the trace")
            }
            GradientOf::LossAndDecay => match norms.decayed() {
                Some((sum, error)) => Ok(of_loss.hull(around(sum, error))),
                None => Err("no bound holds"),
            },
        }
    };
    let expected = sampled::of_sum(seen, eq1, "S_abs", expected);
    seen.judge(eq1, "S_abs", seen.recorded.s_abs, expected);
}

/// Which mistakes give the port's S_abs.
fn mistakes(seen: &Seen, got: f64) -> Result<Vec<String>> {
    let (mut w, mut masked, mut others) = (Sums::default(), 0.0, 0.0);
    let (mut norms, mut by_parameter) = (vec![0.0; seen.trace.batches(seen.k)], Vec::new());
    // Of each parameter: its norms and its largest entries in each batch, and the mean over its weights.
    let (mut parts, mut maxima, mut means) = (0.0, 0.0, 0.0);
    let prunable = seen.trace.prunable().len();
    for (p, parameter) in seen.trace.parameters().iter().enumerate() {
        let Some(sums) = sums(seen, p, parameter)? else { continue };
        if p >= prunable {
            others += sums.weights.iter().map(|s| s.abs).sum::<f64>();
            continue;
        }
        let alive = seen.known.alive.of(p, parameter);
        for (j, s) in sums.weights.iter().enumerate() {
            w.abs += s.abs;
            w.plain += s.plain;
            w.squares += s.squares;
            w.last_abs += s.last_abs;
            w.largest = w.largest.max(s.largest);
            w.summed_abs += s.plain.abs();
            w.first_abs += s.first_abs;
            masked += if alive.is_none_or(|alive| alive[j]) { s.abs } else { 0.0 };
        }
        by_parameter.push((&parameter.name, sums.weights.iter().map(|s| s.abs).sum::<f64>()));
        norms.iter_mut().zip(&sums.batches).for_each(|(norm, batch)| *norm += batch);
        parts += sums.batches.iter().map(|squares| squares.sqrt()).sum::<f64>();
        maxima += sums.maxima.iter().sum::<f64>();
        means += sums.weights.iter().map(|s| s.abs).sum::<f64>() / sums.weights.len().max(1) as f64;
    }
    let (n, batches) = (seen.trace.weights() as f64, norms.len() as f64);
    let masks = seen.reading().masked_gradient != MaskedGradient::Dense;
    let right = if masks { masked } else { w.abs };
    let mut c = Candidates::default();
    if masks {
        c.add(format!("the gradient of eliminated weights is kept: {}", reading("masked_gradient", "dense")), w.abs);
    } else {
        c.add(format!("the gradient of eliminated weights is masked: {}", reading("masked_gradient", "zero")), masked);
    }
    c.add("g^2 for |g|", w.squares);
    c.add("no absolute value: the gradients themselves are summed", w.plain);
    c.add("no absolute value of the single entries: that of the sum is taken", w.plain.abs());
    c.add("the absolute values of the gradient summed over batches", w.summed_abs);
    c.add("the first batch is left out", right - w.first_abs);
    c.add("the last batch is left out", right - w.last_abs);
    c.add("the first batch counts twice", right + w.first_abs);
    c.add("counted twice", 2.0 * right);
    c.add("the last batch only", w.last_abs);
    c.add("the mean over the batches for the sum", right / batches);
    c.add("the mean over the weights for the sum", right / n);
    c.add("the mean over weights and batches for the sum", right / n / batches);
    c.add("parameters outside W (biases) are counted too", right + others);
    c.add("Frobenius norms of the batches, not 1-norms", norms.iter().map(|s| s.sqrt()).sum());
    c.add("Frobenius norms of each parameter in each batch, not 1-norms", parts);
    c.add("the largest entry of each parameter in each batch, not the sum", maxima);
    c.add("the mean over each parameter's weights, not the sum", means);
    c.add("the square root of the sum of squares", w.squares.sqrt());
    c.add("the largest entry, not the sum", w.largest.sqrt());
    c.add_known(
        "not reset at the start of the epoch",
        seen.carry.previous.as_ref().and_then(|p| p.0.s_abs).map(|s| s + right),
    );
    c.add_known("stale: the previous epoch's", seen.carry.previous.as_ref().and_then(|p| p.0.s_abs));
    for (name, sum) in &by_parameter {
        c.add(format!("`{name}` is left out"), right - sum);
        c.add(format!("of `{name}` alone"), *sum);
    }
    let terms = seen.trace.weights() * norms.len();
    let tolerance = seen.arithmetic.sum_over_gradients(terms).map_or(UNBOUNDED, |t| t.relative.min(COARSEST_SUM));
    let causes = c.matching(got, tolerance);
    Ok(if causes.is_empty() { lower_precision(got, right, terms) } else { causes })
}

/// The exact result of a golden case.
pub(crate) fn derive(case: &Case) -> Result<Results> {
    let gradients = case.rows("grad")?;
    let s_abs = sum(exact(&gradients.concat())?.into_iter().map(Dyadic::abs));
    let rows: Vec<&[f64]> = gradients.iter().map(Vec::as_slice).collect();
    Ok(vec![("S_abs", rounded(&[s_abs], vec![gradient_norm::sum_of_l1_norms(&rows)]))])
}
