//! Known mistakes in Eq. 3 and Eq. 4.

use super::gradients::sums;
use super::{COARSEST_SUM, Candidates, UNBOUNDED, lower_precision, reading};
use crate::error::Result;
use crate::oracle::check::{Carry, Epoch};
use crate::paper::reading::MaskedGradient;

/// What the batches' gradients say besides G: sums over all of W, and over the parameters outside.
struct Batches {
    /// `||grad_i||_F^2` of each batch.
    norms: Vec<f64>,
    /// `sum_j g_j^2` of the last batch, `sum_j (sum_i g_ij)^2`, `sum |g|`.
    last: f64,
    summed: f64,
    abs: f64,
    /// `sum g^2` of the parameters outside W.
    others: f64,
}

fn batches(epoch: &Epoch, carry: &Carry) -> Result<Option<Batches>> {
    let mut all =
        Batches { norms: vec![0.0; epoch.trace.batches(epoch.k)], last: 0.0, summed: 0.0, abs: 0.0, others: 0.0 };
    let mut any = false;
    for (p, parameter) in epoch.trace.parameters().iter().enumerate() {
        let Some(sums) = sums(epoch, carry, p, parameter)? else { continue };
        if p >= epoch.trace.prunable().len() {
            all.others += sums.weights.iter().map(|s| s.squares).sum::<f64>();
            continue;
        }
        any = true;
        all.norms.iter_mut().zip(&sums.batches).for_each(|(norm, batch)| *norm += batch);
        for s in &sums.weights {
            all.last += s.last;
            all.summed += s.plain * s.plain;
            all.abs += s.abs;
        }
    }
    Ok(any.then_some(all))
}

/// `sum_j G_j` of each parameter.
fn by_parameter<'a>(epoch: &'a Epoch) -> Vec<(&'a str, f64)> {
    let g = &epoch.operands.g.low;
    let sum = |p: usize| epoch.trace.prunable()[p].range.clone().map(|j| g.values.get(j).copied().unwrap_or(0.0)).sum();
    epoch.trace.prunable().iter().enumerate().map(|(p, parameter)| (parameter.name.as_str(), sum(p))).collect()
}

/// Which mistakes give the port's S_sq.
pub(super) fn of_eq3(epoch: &Epoch, carry: &Carry, got: f64) -> Result<Vec<String>> {
    let g = &epoch.operands.g.low.values;
    let alive = &epoch.operands.alive.values;
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
    if epoch.reading().masked_gradient == MaskedGradient::Dense {
        let masked = reading("masked_gradient", "zero");
        c.add(format!("eliminated weights are left out: {masked}"), of(&|alive| alive));
    }
    c.add("of eliminated weights alone", of(&|alive| !alive));
    let parameters = by_parameter(epoch);
    for (name, sum) in &parameters {
        c.add(format!("`{name}` is left out"), right - sum);
        c.add(format!("of `{name}` alone"), *sum);
    }
    c.add("the mean over the parameters for the sum", right / parameters.len() as f64);
    c.add("the sum of the parameters' norms, not of their squares", parameters.iter().map(|(_, sum)| sum.sqrt()).sum());
    if let Some(batches) = batches(epoch, carry)? {
        c.add("the last batch only, as the equation's last member is printed", batches.last);
        c.add("the square of the summed gradient, not the sum of squares", batches.summed);
        c.add("the mean over the batches for the sum", right / batches.norms.len() as f64);
        c.add("parameters outside W (biases) are counted too", right + batches.others);
        c.add("|g| for g^2: this is S_abs", batches.abs);
    }
    c.add_known("S_abs, not S_sq", epoch.recorded.s_abs);
    c.add_known(
        "not reset: added to the previous epoch's",
        carry.previous.as_ref().and_then(|p| p.0.s_sq).map(|s| s + right),
    );
    c.add_known("stale: the previous epoch's", carry.previous.as_ref().and_then(|p| p.0.s_sq));
    if let Some(previous) = carry.previous.as_ref().filter(|p| !p.0.g.values.is_empty()) {
        c.add("of the previous epoch's G", previous.0.g.values.iter().sum());
    }
    let tolerance = epoch.arithmetic.sum_of_squares(g.len(), epoch.trace.batches(epoch.k));
    let causes = c.matching(got, tolerance.map_or(UNBOUNDED, |t| t.relative.min(COARSEST_SUM)));
    Ok(if causes.is_empty() { lower_precision(got, right, g.len()) } else { causes })
}

/// Which mistakes give the port's S_F.
pub(super) fn of_eq4(epoch: &Epoch, carry: &Carry, got: f64) -> Result<Vec<String>> {
    let s_sq = epoch.operands.s_sq.map_or(f64::NAN, |s| s.low);
    let (n, parameters) = (epoch.trace.weights() as f64, by_parameter(epoch));
    let largest = parameters.iter().map(|(_, sum)| *sum).fold(0.0, f64::max);
    let norms: f64 = parameters.iter().map(|(_, sum)| sum.sqrt()).sum();
    let mut c = Candidates::default();
    c.add("no square root: this is S_sq", s_sq);
    c.add("squared, not its root taken", s_sq * s_sq);
    c.add("the root is taken twice", s_sq.sqrt().sqrt());
    c.add("the root mean square over the weights: divided by N before the root", (s_sq / n).sqrt());
    c.add("divided by N after the root", s_sq.sqrt() / n);
    c.add("the sum of the parameters' norms, not the norm of all", norms);
    c.add("the mean of the parameters' norms", norms / parameters.len() as f64);
    c.add("the largest parameter's norm alone", largest.sqrt());
    c.add("half of the norm", 0.5 * s_sq.sqrt());
    c.add(
        "the sum of the roots of G, not the root of the sum",
        epoch.operands.g.low.values.iter().map(|g| g.sqrt()).sum(),
    );
    if let Some(batches) = batches(epoch, carry)? {
        let count = batches.norms.len() as f64;
        let sum: f64 = batches.norms.iter().map(|norm| norm.sqrt()).sum();
        c.add("the norm of the last batch's gradient alone", batches.last.sqrt());
        c.add("the sum of the batches' norms", sum);
        c.add("the mean of the batches' norms", sum / count);
        c.add("divided by the number of batches before the root", (s_sq / count).sqrt());
        c.add("divided by the number of batches", s_sq.sqrt() / count);
        c.add("the norm of the summed gradient", batches.summed.sqrt());
        c.add("the norm of the mean gradient", batches.summed.sqrt() / count);
        c.add("parameters outside W (biases) are counted too", (s_sq + batches.others).sqrt());
    }
    c.add_known("S_abs, not S_F", epoch.recorded.s_abs);
    c.add_known("stale: the previous epoch's", carry.previous.as_ref().and_then(|p| p.0.s_f));
    c.add_known("the root of the previous epoch's S_sq", carry.previous.as_ref().and_then(|p| p.0.s_sq).map(f64::sqrt));
    let tolerance = epoch.arithmetic.root().map_or(UNBOUNDED, |t| 4.0 * t.relative + 64.0 * epoch.arithmetic.u());
    let causes = c.matching(got, tolerance);
    Ok(if causes.is_empty() { lower_precision(got, s_sq.sqrt(), 1) } else { causes })
}
