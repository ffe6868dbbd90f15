//! Alg. 1: the optimizer's steps, from the weights that one epoch left to those at the end of the next.

mod fitted;
mod mistake;
mod mistakes;

use crate::error::Result;
use crate::oracle::arithmetic::L1;
use crate::oracle::claims::claim::{Claim, Judged};
use crate::oracle::claims::descent::{Descent, Rule, clipping};
use crate::oracle::claims::eq2::{self, Squares};
use crate::oracle::field::{Enclosure, Field};
use crate::oracle::outcome::{Label, Outcome, Place};
use crate::oracle::report::Event;
use crate::oracle::seen::{Carry, FINITE, GradientSums, Operands, Seen};
use crate::oracle::sgd::{Clipping, Momentum};
use crate::paper::reading::LearningRateStep;
use crate::trace::names::{gradient, within};
use crate::trace::{Arithmetic, Schedule, TracedParameter};

pub(crate) const LABEL: Label = Label::of("alg1");

/// The weights at an epoch's end are where its steps lead.
pub(crate) struct Alg1;

impl Claim for Alg1 {
    fn label(&self) -> Label {
        LABEL
    }

    fn judge(&self, seen: &Seen) -> Result<Judged> {
        judge(seen)
    }

    fn mistakes(&self, seen: &Seen, outcome: &Outcome) -> Result<Vec<String>> {
        mistakes::causes(seen, outcome)
    }
}

/// Reads the gradients once, for the steps, for Eq. 1 and for Eq. 2.
fn judge(seen: &Seen) -> Result<Judged> {
    let mut alg1 = Outcome::new(LABEL);
    let trace = seen.trace;
    let mut sums = GradientSums {
        norms: L1::default(),
        g: Enclosure { low: Field::nothing(trace.prunable()), high: Field::nothing(trace.prunable()) },
        eq2: eq2::outcome(),
    };
    seen.poison(&mut alg1, "weights_before", &seen.recorded.weights_before);
    let unfollowed = trace.header.optimizer.unfollowed();
    let clips = match unfollowed {
        None => clipping(seen, &mut alg1)?.unwrap_or_default(),
        Some(_) => Vec::new(),
    };
    let (mut exact, mut momentum) = (0, Vec::with_capacity(trace.parameters().len()));
    for (p, parameter) in trace.parameters().iter().enumerate() {
        let passed = pass(seen, &clips, (p, parameter), (&mut sums.norms, &mut sums.eq2, &mut alg1))?;
        let Some(passed) = passed else {
            momentum.push(None);
            continue;
        };
        if let Some((low, high)) = passed.squares {
            exact += usize::from(low == high);
            sums.g.low.set(p, trace.prunable(), &low);
            sums.g.high.set(p, trace.prunable(), &high);
        }
        momentum.push(passed.descent.and_then(|descent| arrive(seen, &mut alg1, (p, parameter), descent)));
    }
    if let Some(reason) = unfollowed {
        alg1.leave_out(reason);
    } else if alg1.compared == 0 && ends_too_early(seen) {
        alg1.leave_out("the header's `schedule` is a list that has no learning rate for this epoch");
    } else if alg1.compared == 0 {
        alg1.leave_out(
            "an optimizer step needs the epoch's gradients, the weights it starts from, those it ends with, and lr, \
             momentum and weight_decay; the momentum follows from gradients recorded since the first epoch",
        );
    }
    let squares_are_exact = exact == trace.prunable().len();
    let derived = Operands { sums: Some(sums), clipping: clips, momentum, squares_are_exact, ..Operands::default() };
    Ok(Judged { outcome: alg1, derived })
}

/// Whether the header lists fewer learning rates than the epoch's steps need.
fn ends_too_early(seen: &Seen) -> bool {
    let Schedule::Rates(rates) = &seen.trace.header.optimizer.schedule else { return false };
    match seen.reading().learning_rate {
        LearningRateStep::PerEpoch => rates.len() <= seen.index,
        LearningRateStep::PerStep => {
            let last = seen.carry.steps.map(|steps| steps + seen.trace.batches(seen.k));
            last.is_some_and(|last| rates.len() < last)
        }
    }
}

/// What is wrong with W_0, which is recorded once and of no epoch.
pub(crate) fn initial(carry: &Carry, arithmetic: Arithmetic) -> Outcome {
    let mut outcome = Outcome::new(LABEL);
    let first = carry.trace.header.reading.epoch_origin.first();
    for &(p, j, value) in &carry.initial.poison {
        let place = Place { tensor: "init".to_string(), event: Event::Epoch(first), arithmetic };
        outcome.compare_entry(&place, &carry.trace.parameters()[p], j, value, FINITE);
    }
    outcome
}

/// What came of reading one parameter's gradients.
struct Passed {
    /// What G may be, low and high.
    squares: Option<(Vec<f64>, Vec<f64>)>,
    descent: Option<Descent>,
}

/// Reads a parameter's gradients, batch by batch; `None` if it has none.
fn pass(
    seen: &Seen,
    clipping: &[Clipping],
    (p, parameter): (usize, &TracedParameter),
    (norms, eq2, alg1): (&mut L1, &mut Outcome, &mut Outcome),
) -> Result<Option<Passed>> {
    let (trace, batches) = (seen.trace, seen.trace.batches(seen.k));
    if batches == 0 || !trace.has(&gradient(seen.k, 0, parameter)) {
        return Ok(None);
    }
    let prunable = p < trace.prunable().len();
    let alive = seen.alive(p);
    let mut descent = Descent::start(seen, p, parameter);
    let mut squares = prunable.then(|| Squares::new(seen, parameter, alive)).flatten();
    for i in 0..batches {
        let name = gradient(seen.k, i, parameter);
        let Some(gradient) = trace.floats(&name)? else { return Ok(None) };
        if let Some(j) = gradient.iter().position(|g| !g.is_finite()) {
            let place = Place { tensor: format!("epoch/{}/batch/{i}/grad", seen.k), ..seen.place("") };
            eq2.compare_entry(&place, parameter, j, gradient[j], FINITE);
            if let Some(finding) = eq2.findings.last_mut() {
                finding.batch = Some(i);
            }
            return Ok(None);
        }
        if let Some(squares) = &mut squares {
            squares.add(seen, &gradient, alive, descent.as_ref(), norms);
        }
        if let Some(descent) = &descent {
            compare_within(seen, alg1, (p, parameter), i, descent)?;
        }
        let rule = Rule::of(seen, clipping, (i, batches), parameter);
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
    let squares = squares.and_then(|squares| squares.finish(seen, batches, alive, eq2));
    Ok(Some(Passed { squares, descent }))
}

/// Compares the weights that batch `i` was taken at, where they are recorded; those of eliminated weights are Alg. 6's.
fn compare_within(
    seen: &Seen,
    alg1: &mut Outcome,
    (p, parameter): (usize, &TracedParameter),
    i: usize,
    descent: &Descent,
) -> Result<()> {
    let name = within(seen.k, i, parameter);
    let Some(found) = seen.trace.floats(&name)? else { return Ok(()) };
    let alive = seen.alive(p);
    let storage = seen.trace.storage_error(&name);
    let before = alg1.findings.len();
    for (j, &w) in found.iter().enumerate().filter(|(j, _)| alive.is_none_or(|alive| alive[*j])) {
        alg1.compare_entry(
            &seen.place(&format!("batch/{i}/weights")),
            parameter,
            j,
            w,
            descent.weight(j).widened(storage),
        );
    }
    alg1.findings[before..].iter_mut().for_each(|finding| finding.batch = Some(i));
    Ok(())
}

/// Compares the weights at the epoch's end with those that the port had; gives the momentum to go on with, unless the
/// port's steps were other ones.
fn arrive(
    seen: &Seen,
    alg1: &mut Outcome,
    (p, parameter): (usize, &TracedParameter),
    descent: Descent,
) -> Option<Momentum> {
    let Some(found) = seen.recorded.weights_before.of(p, parameter) else { return Some(descent.momentum) };
    let alive = seen.alive(p);
    let place = seen.place("weights_before");
    let findings = alg1.total;
    for (j, &w) in found.iter().enumerate() {
        if alive.is_none_or(|alive| alive[j]) {
            let expected = descent.weight(j).widened(seen.recorded.weights_before.storage);
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
