//! Eq. 4: the norm from its square, `S_F = sqrt(S_sq)`.

use crate::error::Result;
use crate::oracle::arithmetic::{Tolerance, theta};
use crate::oracle::claims::claim::{Judged, OneNumber};
use crate::oracle::claims::mistakes::{Candidates, UNBOUNDED, lower_precision};
use crate::oracle::claims::sums::{batches, by_parameter};
use crate::oracle::exact::case::{Case, Reals, Results, Value};
use crate::oracle::exact::dyadic::Dyadic;
use crate::oracle::interval::Interval;
use crate::oracle::outcome::{Label, Outcome};
use crate::oracle::seen::{Operands, Seen};
use crate::paper::gradient_norm;
use crate::scalar::{DoubleDouble, Scalar};
use crate::trace::Arithmetic;

const LABEL: Label = Label::of("eq4");

/// S_F is the root of S_sq.
pub(crate) const EQ4: OneNumber = OneNumber { label: LABEL, judge, mistakes };

impl Arithmetic {
    /// Eq. 4: the operand as recorded may have been rounded (half of which passes the root), the root and its storage.
    pub(crate) fn root(&self) -> Option<Tolerance> {
        let relative = theta(0.5 * self.u_out + self.u() + self.u_out)?;
        // A flushed operand: the root of everything below the smallest normal number.
        let absolute = if self.ftz { self.smallest_normal().sqrt() } else { self.underflow() };
        Some(Tolerance { relative, absolute })
    }
}

/// Eq. 4: `S_F = sqrt(S_sq)`.
fn judge(seen: &Seen) -> Judged {
    let mut outcome = Outcome::new(LABEL);
    let root = |x: f64| DoubleDouble::from(x.max(0.0)).sqrt();
    let expected = match (seen.known.s_sq, seen.arithmetic.root()) {
        (Some(s_sq), Some(t)) => {
            let low = Interval::around(root(s_sq.low), t.relative, t.absolute).low;
            Ok(Interval { low: low.max(0.0), high: Interval::around(root(s_sq.high), t.relative, t.absolute).high })
        }
        _ => Err("S_sq is neither recorded nor does it follow from G"),
    };
    seen.judge(&mut outcome, "S_F", seen.recorded.s_f, expected);
    let s_f = seen.operand("S_F", seen.recorded.s_f).or(expected.ok());
    Judged { outcome, derived: Operands { s_f, ..Operands::default() } }
}

/// Which mistakes give the port's S_F.
fn mistakes(seen: &Seen, got: f64) -> Result<Vec<String>> {
    let s_sq = seen.known.s_sq.map_or(f64::NAN, |s| s.low);
    let (n, parameters) = (seen.trace.weights() as f64, by_parameter(seen));
    let largest = parameters.iter().map(|(_, sum)| *sum).fold(0.0, f64::max);
    let norms: f64 = parameters.iter().map(|(_, sum)| sum.sqrt()).sum();
    let mut c = Candidates::default();
    c.add("no square root: this is S_sq", s_sq);
    c.add("squared, not its root taken", s_sq * s_sq);
    c.add("the root is taken twice", s_sq.sqrt().sqrt());
    c.add("the logarithm of S_sq, not its root", libm::log(s_sq));
    c.add("the root mean square over the weights: divided by N before the root", (s_sq / n).sqrt());
    c.add("divided by N after the root", s_sq.sqrt() / n);
    c.add("the sum of the parameters' norms, not the norm of all", norms);
    c.add("the mean of the parameters' norms", norms / parameters.len() as f64);
    c.add("the largest parameter's norm alone", largest.sqrt());
    c.add("half of the norm", 0.5 * s_sq.sqrt());
    let squares: f64 = seen.known.g.low.values.iter().map(|g| g * g).sum();
    c.add("the norm of G: the root of the sum of G^2, squares squared again", squares.sqrt());
    c.add("the sum of the roots of G, not the root of the sum", seen.known.g.low.values.iter().map(|g| g.sqrt()).sum());
    if let Some(batches) = batches(seen)? {
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
    c.add_known("S_abs, not S_F", seen.recorded.s_abs);
    c.add_known("stale: the previous epoch's", seen.carry.previous.as_ref().and_then(|p| p.0.s_f));
    c.add_known(
        "the root of the previous epoch's S_sq",
        seen.carry.previous.as_ref().and_then(|p| p.0.s_sq).map(f64::sqrt),
    );
    let tolerance = seen.arithmetic.root().map_or(UNBOUNDED, |t| 4.0 * t.relative + 64.0 * seen.arithmetic.u());
    let causes = c.matching(got, tolerance);
    Ok(if causes.is_empty() { lower_precision(got, s_sq.sqrt(), 1) } else { causes })
}

/// The exact result of a golden case.
///
/// The root of an `f64` is correctly rounded by IEEE 754. Rounded on to `f32` it is too, unless it seems to lie halfway:
/// then the square of the middle says on which side it is.
pub(crate) fn derive(case: &Case) -> Result<Results> {
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
