//! Eq. 9: the weights after the epoch, `w_j = (w_j* lambda^t) 1(|w_j* lambda^t| >= eps)` where they are selected.

mod fate;
mod mistakes;

use crate::error::Error;
use crate::error::Result;
use crate::kernel::share;
use crate::oracle::arithmetic::theta;
use crate::oracle::claims::claim::{Claim, Judged};
use crate::oracle::exact::case::{Case, Reals, Results, Value};
use crate::oracle::exact::dyadic::{Dyadic, Format};
use crate::oracle::field::Field;
use crate::oracle::interval::{Decision, Interval};
use crate::oracle::outcome::{Label, Outcome, pieces};
use crate::oracle::seen::{Operands, Seen};
use crate::paper::decay;
use crate::trace::{Arithmetic, TracedParameter};
use fate::{Factor, Fate, OfParameter};
use std::ops::Range;

const LABEL: Label = Label::of("eq9");

/// What a weight costs, in operations: what it may have become, in 31 digits, with bounds.
const JUDGED: usize = 64;

/// Selected weights are rewound, decayed and cut at eps, others stay.
pub(crate) struct Eq9;

impl Claim for Eq9 {
    fn label(&self) -> Label {
        LABEL
    }

    fn judge(&self, seen: &Seen) -> Result<Judged> {
        Ok(judge(seen))
    }

    fn mistakes(&self, seen: &Seen, outcome: &Outcome) -> Result<Vec<String>> {
        Ok(mistakes::causes(seen, outcome))
    }
}

impl Arithmetic {
    /// Eq. 9's product `w* lambda^t`, relatively: lambda may be rounded (t u), the power is t - 1 products in any order,
    /// or `exp(t ln lambda)`, whose argument carries 3 roundings that the exponential turns into `3 t |ln lambda| u`;
    /// then the function itself (4 u: CUDA's documentation gives `powf` 4 ulp), the product, and storage twice.
    pub(crate) fn decayed(&self, lambda: f64, t: u64) -> Option<f64> {
        let per_step = 2.0 + 3.0 * libm::log(lambda).abs();
        theta((t as f64 * per_step + 8.0) * self.u())
    }

    /// Eq. 9's product near 0, absolutely: the power may be off by an underflow at each of its steps, of which later ones
    /// shrink what earlier ones left (a sum of at most min(t, 1 / (1 - lambda)) underflows), times w*, and the product.
    pub(crate) fn decayed_underflow(&self, lambda: f64, t: u64, w_star: f64) -> f64 {
        let steps = (t as f64).min(1.0 / (1.0 - lambda)) + 1.0;
        // `lambda = 1` gives t steps.
        2.0 * self.underflow() * (steps * w_star.abs() + 1.0)
    }
}

/// Eq. 9 and the weights that it leaves alone. With the outcome: which weights live after the epoch, given the recorded
/// ones: one that is not 0 does; one that is 0 was eliminated if Eq. 9 says so, or may say so; one that the port made 0
/// although it should live may be either.
fn judge(seen: &Seen) -> Judged {
    let mut outcome = Outcome::new(LABEL);
    let (trace, recorded) = (seen.trace, seen.recorded);
    seen.poison(&mut outcome, "weights_after", &recorded.weights_after);
    let decay = Factor::new(seen);
    if decay.is_none() && seen.known.t.is_some_and(|t| t >= 0) {
        outcome.no_bound(seen.known.t.unwrap_or(0) as usize, &seen.arithmetic);
    }
    let mut lives = Field::nothing(trace.prunable());
    for (p, parameter) in trace.parameters().iter().enumerate() {
        if p >= trace.prunable().len() {
            untouched(seen, &mut outcome, p, parameter);
        } else if let Some(alive) = seen.known.alive.of(p, parameter) {
            let operands = OfParameter::new(seen, decay.as_ref(), p);
            let of_parameter = eq9_of_parameter(seen, &mut outcome, (p, parameter), alive, &operands);
            lives.set(p, trace.prunable(), &of_parameter);
        }
    }
    if outcome.compared == 0 {
        outcome.leave_out("weights_after: it, or weights_before, rewind, selected, t or the mask before is not known");
    }
    Judged { outcome, derived: Operands { lives, ..Operands::default() } }
}

/// Not a parameter of W: the method leaves it alone.
fn untouched(seen: &Seen, outcome: &mut Outcome, p: usize, parameter: &TracedParameter) {
    let recorded = seen.recorded;
    let found = recorded.weights_after.of(p, parameter);
    let (Some(found), Some(before)) = (found, recorded.weights_before.of(p, parameter)) else { return };
    let storage = recorded.weights_after.storage.max(recorded.weights_before.storage);
    let place = seen.place("weights_after");
    for (j, (&got, &w)) in found.iter().zip(before).enumerate() {
        outcome.compare_entry(&place, parameter, j, got, Interval::exact(w).widened(storage));
    }
}

/// Compares one parameter's weights, where they are recorded; gives which of them live.
fn eq9_of_parameter(
    seen: &Seen,
    outcome: &mut Outcome,
    (p, parameter): (usize, &TracedParameter),
    alive: &[bool],
    operands: &OfParameter,
) -> Vec<Decision> {
    let found = seen.recorded.weights_after.of(p, parameter);
    let storage = seen.recorded.weights_after.storage;
    let place = seen.place("weights_after");
    let judge = |outcome: &mut Outcome, unknown: &mut bool, j: usize| -> Decision {
        let got = found.map(|found| found[j]);
        if !alive[j] {
            // One that was revived before this epoch's pruning is a finding already.
            let revived = operands.before.map_or(0.0, |before| before[j]);
            match got {
                Some(got) if got == revived => outcome.compared += 1,
                Some(got) => outcome.compare_entry(&place, parameter, j, got, Interval::exact(0.0)),
                None => {}
            }
            return Decision::No;
        }
        let Some(fates) = operands.fates(j) else {
            *unknown = true;
            return got.map_or(Decision::Either, |w| if w == 0.0 { Decision::Either } else { Decision::Yes });
        };
        let possible = || fates.iter().flatten().map(|fate| Fate { kept_as: fate.kept_as.widened(storage), ..*fate });
        let Some(got) = got else { return agreed(possible().map(|fate| fate.kept)) };
        let sure = possible().count() == 1 && possible().all(|fate| fate.kept != Decision::Either);
        outcome.decide(if sure { Decision::Yes } else { Decision::Either });
        if possible().any(|fate| fate.allows(got)) {
            outcome.compared += 1;
        } else {
            // The hull of separate possibilities may hold a number that none of them is.
            let expected = possible().map(Fate::hull).reduce(Interval::hull).unwrap_or(Interval::ALL);
            let first = possible().next().map_or(expected, |fate| fate.kept_as);
            outcome.compare_entry(&place, parameter, j, got, if expected.contains(got) { first } else { expected });
            return if got == 0.0 { Decision::Either } else { Decision::Yes };
        }
        if got != 0.0 {
            Decision::Yes
        } else {
            agreed(possible().filter(|fate| fate.allows(0.0)).map(|fate| fate.kept))
        }
    };
    let piece = |range: Range<usize>| {
        let (mut outcome, mut unknown) = (Outcome::new(LABEL), false);
        let lives: Vec<Decision> = range.map(|j| judge(&mut outcome, &mut unknown, j)).collect();
        (outcome, unknown, lives)
    };
    let pieces = pieces(parameter.range.len());
    let parts = share::map(pieces.len(), JUDGED * parameter.range.len(), |i| piece(pieces[i].clone()));
    let (mut all, mut any_unknown) = (Vec::with_capacity(parameter.range.len()), false);
    for (part, unknown, lives) in parts {
        outcome.absorb(part);
        any_unknown |= unknown;
        all.extend(lives);
    }
    if any_unknown && found.is_some() {
        outcome.leave_out("weights_after: weights_before, rewind, selected or t is not known everywhere");
    }
    all
}

/// What all of some decisions say.
fn agreed(decisions: impl Iterator<Item = Decision>) -> Decision {
    decisions.reduce(|a, b| if a == b { a } else { Decision::Either }).unwrap_or_default()
}

/// `w* lambda^t` in both formats, 0 where it is then below eps.
pub(crate) fn decayed(w_star: &[f64], lambda: f64, t: usize, eps: f64) -> Result<Reals> {
    /// The exact power has up to 53 bits for each step.
    const LONGEST: usize = 10_000;
    if t > LONGEST {
        return Err(Error::domain("t of an exact Eq. 9", format!("at most {LONGEST}"), t));
    }
    let factor = Dyadic::new(lambda)?.power(t as u64);
    let (mut f64, mut f32, mut reference) = (Vec::new(), Vec::new(), Vec::new());
    for &w in w_star {
        let product = Dyadic::new(w)?.times(&factor);
        let kept = |w: f64| if w.abs() >= eps { w } else { 0.0 };
        f64.push(kept(product.rounded(Format::F64)));
        f32.push(kept(product.rounded(Format::F32)) as f32);
        reference.push(decay::decayed_weight(w, lambda, t, eps)?);
    }
    Ok(Reals { f64, f32: Some(f32), reference })
}

/// The exact result of a golden case.
pub(crate) fn derive(case: &Case) -> Result<Results> {
    let decayed = decayed(&case.floats("w_star")?, case.float("lambda")?, case.count("t")?, case.float("eps")?)?;
    Ok(vec![("w", Value::Reals(decayed))])
}
