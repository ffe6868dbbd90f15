//! What needs the batches' gradients: Eq. 1, Eq. 2, and the optimizer's steps (Alg. 1). Each gradient is read once.

use super::clip;
use super::epoch::{Carry, Epoch, FINITE};
use super::field::{Enclosure, Field};
use super::optimizer::{Descent, Rule};
use super::outcome::{Outcome, Place, Stage};
use super::squares::{L1, Squares};
use super::within;
use crate::error::Result;
use crate::oracle::interval::Interval;
use crate::paper::reading::GradientOf;
use crate::scalar::Scalar;
use crate::trace::TracedParameter;

/// The name of a gradient.
pub(crate) fn gradient_name(k: usize, i: usize, parameter: &TracedParameter) -> String {
    format!("epoch/{k}/batch/{i}/grad/{}", parameter.name)
}

/// The judgements on Eq. 1, Eq. 2 and Alg. 1.
///
/// # Errors
/// [`crate::Error::Io`].
pub(super) fn check(epoch: &mut Epoch, carry: &mut Carry) -> Result<Vec<Outcome>> {
    let mut alg1 = Outcome::new(Stage::Alg1);
    let mut eq1 = Outcome::new(Stage::Eq1);
    let mut eq2 = Outcome::new(Stage::Eq2);
    let trace = epoch.trace;
    let mut norms = L1::default();
    let mut enclosure = Enclosure { low: Field::nothing(trace.prunable()), high: Field::nothing(trace.prunable()) };
    epoch.poison(&mut alg1, "weights_before", &epoch.recorded.weights_before);
    carry.momentum_before = std::mem::take(&mut carry.momentum);
    let unfollowed = trace.header.optimizer.unfollowed();
    if unfollowed.is_none() {
        epoch.operands.clipping = clip::of_epoch(epoch, &mut alg1)?.unwrap_or_default();
    }
    let mut exact = 0;
    for (p, parameter) in trace.parameters().iter().enumerate() {
        let descent = Descent::start(epoch, carry, p, parameter);
        let passed = pass(epoch, carry, (p, parameter), descent, (&mut norms, &mut eq2, &mut alg1))?;
        let momentum = match passed {
            None => None,
            Some(passed) => {
                if let Some((low, high)) = passed.squares {
                    exact += usize::from(low == high);
                    enclosure.low.set(p, trace.prunable(), &low);
                    enclosure.high.set(p, trace.prunable(), &high);
                }
                passed.descent.and_then(|descent| arrive(epoch, &mut alg1, (p, parameter), descent))
            }
        };
        carry.momentum.push(momentum);
    }
    if let Some(reason) = unfollowed {
        alg1.leave_out(reason);
    } else if alg1.compared == 0 {
        alg1.leave_out(
            "an optimizer step needs the epoch's gradients, the weights it starts from, those it ends with, and lr, \
             momentum and weight_decay; the momentum follows from gradients recorded since the first epoch",
        );
    }
    epoch.operands.squares_are_exact = exact == trace.prunable().len();
    judge_eq1(epoch, &norms, &mut eq1);
    judge_eq2(epoch, &enclosure, &mut eq2);
    Ok(vec![alg1, eq1, eq2])
}

/// What came of reading one parameter's gradients.
struct Passed {
    /// What G may be, low and high.
    squares: Option<(Vec<f64>, Vec<f64>)>,
    descent: Option<Descent>,
}

/// Reads a parameter's gradients, batch by batch; `None` if it has none.
fn pass(
    epoch: &Epoch,
    carry: &Carry,
    (p, parameter): (usize, &TracedParameter),
    mut descent: Option<Descent>,
    (norms, eq2, alg1): (&mut L1, &mut Outcome, &mut Outcome),
) -> Result<Option<Passed>> {
    let (trace, batches) = (epoch.trace, epoch.trace.batches(epoch.k));
    if batches == 0 || !trace.has(&gradient_name(epoch.k, 0, parameter)) {
        return Ok(None);
    }
    let prunable = p < trace.prunable().len();
    let alive = if prunable { epoch.operands.alive.of(p, parameter) } else { None };
    let mut squares = prunable.then(|| Squares::new(epoch, parameter, alive)).flatten();
    for i in 0..batches {
        let name = gradient_name(epoch.k, i, parameter);
        let Some(gradient) = trace.floats(&name)? else { return Ok(None) };
        if let Some(j) = gradient.iter().position(|g| !g.is_finite()) {
            let place = Place { tensor: format!("epoch/{}/batch/{i}/grad", epoch.k), ..epoch.place("") };
            eq2.compare_entry(&place, parameter, j, gradient[j], FINITE);
            if let Some(finding) = eq2.findings.last_mut() {
                finding.batch = Some(i);
            }
            return Ok(None);
        }
        if let Some(squares) = &mut squares {
            squares.add(epoch, &gradient, alive, descent.as_ref(), norms);
        }
        if let Some(descent) = &descent {
            compare_within(epoch, alg1, (p, parameter), i, descent)?;
        }
        let rule = Rule::of(epoch, carry, (i, batches), parameter);
        match (&mut descent, rule) {
            (Some(descent), Some(rule)) => {
                descent.step(&gradient, &rule);
                if let Some(alive) = alive {
                    descent.hold(alive);
                }
            }
            _ => descent = None,
        }
    }
    norms.parameters += usize::from(squares.is_some());
    let squares = squares.and_then(|squares| squares.finish(epoch, batches, alive, eq2));
    Ok(Some(Passed { squares, descent }))
}

/// Compares the weights that batch `i` was taken at, where they are recorded; those of eliminated weights are Alg. 6's.
fn compare_within(
    epoch: &Epoch,
    alg1: &mut Outcome,
    (p, parameter): (usize, &TracedParameter),
    i: usize,
    descent: &Descent,
) -> Result<()> {
    let name = within::weights_name(epoch.k, i, parameter);
    let Some(found) = epoch.trace.floats(&name)? else { return Ok(()) };
    let alive = if p < epoch.trace.prunable().len() { epoch.operands.alive.of(p, parameter) } else { None };
    let storage = epoch.trace.storage_error(&name);
    let before = alg1.findings.len();
    for (j, &w) in found.iter().enumerate().filter(|(j, _)| alive.is_none_or(|alive| alive[*j])) {
        alg1.compare_entry(&within::place(epoch, i), parameter, j, w, descent.weight(j).widened(storage));
    }
    alg1.findings[before..].iter_mut().for_each(|finding| finding.batch = Some(i));
    Ok(())
}

/// Compares the weights at the epoch's end with those that the port had; gives the momentum to go on with, unless the
/// port's steps were other ones.
fn arrive(
    epoch: &Epoch,
    alg1: &mut Outcome,
    (p, parameter): (usize, &TracedParameter),
    descent: Descent,
) -> Option<super::optimizer::Momentum> {
    let Some(found) = epoch.recorded.weights_before.of(p, parameter) else { return Some(descent.momentum) };
    let alive = if p < epoch.trace.prunable().len() { epoch.operands.alive.of(p, parameter) } else { None };
    let place = epoch.place("weights_before");
    let findings = alg1.total;
    for (j, &w) in found.iter().enumerate() {
        if alive.is_none_or(|alive| alive[j]) {
            let expected = descent.weight(j).widened(epoch.recorded.weights_before.storage);
            alg1.compare_entry(&place, parameter, j, w, expected);
        }
    }
    if alg1.total > findings {
        alg1.leave_out(format!(
            "`{}` from the next epoch on: after other steps the momentum is not known",
            parameter.name
        ));
        return None;
    }
    Some(descent.momentum)
}

fn judge_eq1(epoch: &Epoch, norms: &L1, eq1: &mut Outcome) {
    let trace = epoch.trace;
    let batches = trace.batches(epoch.k);
    let terms = trace.weights().saturating_mul(batches);
    let expected = if norms.parameters < trace.prunable().len() {
        Err("the epoch's gradients of all weights are not recorded (or, where it matters, which weights are alive)")
    } else if epoch.arithmetic.sum_over_gradients(terms).is_none() {
        if epoch.recorded.s_abs.is_some_and(f64::is_finite) {
            eq1.no_bound(terms, &epoch.arithmetic);
            return;
        }
        Err("no bound holds")
    } else {
        let sum = &norms.of_loss;
        let bound = epoch.arithmetic.sum_over_gradients(terms);
        let around = |centre, absolute| match bound {
            Some(t) => Interval::around(centre, t.relative, t.absolute + absolute),
            None => Interval::ALL,
        };
        let of_loss = if sum.is_exact_in(&epoch.arithmetic) {
            Interval::exact(sum.value.to_f64())
        } else {
            around(sum.value, 0.0)
        };
        // Eq. 1 squares nothing: whether weight decay belongs in it is as open as in Eq. 2.
        match epoch.reading().gradient {
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
    epoch.judge(eq1, "S_abs", epoch.recorded.s_abs, expected);
}

fn judge_eq2(epoch: &mut Epoch, expected: &Enclosure, eq2: &mut Outcome) {
    let prunable = epoch.trace.prunable();
    epoch.poison(eq2, "G", &epoch.recorded.g);
    for (p, parameter) in prunable.iter().enumerate() {
        let (Some(low), Some(high)) = (expected.low.of(p, parameter), expected.high.of(p, parameter)) else { continue };
        let Some(found) = epoch.recorded.g.of(p, parameter) else { continue };
        let place = epoch.place("G");
        for (j, &g) in found.iter().enumerate() {
            let expected = Interval { low: low[j], high: high[j] }.widened(epoch.recorded.g.storage);
            eq2.compare_entry(&place, parameter, j, g, expected);
        }
    }
    if eq2.compared == 0 && eq2.unbounded.is_none() {
        eq2.leave_out("G of any parameter together with its gradients is not recorded");
    }
    // What the port recorded is what it went on with; elsewhere, what its gradients allow.
    let recorded = &epoch.recorded.g;
    epoch.operands.g = if recorded.is_complete(prunable.len()) {
        Enclosure { low: recorded.clone(), high: Field::default() }
    } else {
        Enclosure {
            low: recorded.clone().or(&expected.low, prunable),
            high: recorded.clone().or(&expected.high, prunable),
        }
    };
}
