//! Alg. 4: the running minimum, the rewind epoch k* and its weights W_k*; and what other methods have in its place.

mod course;
mod mistakes;

use crate::error::Result;
use crate::oracle::claims::claim::{Claim, Judged};
use crate::oracle::epoch::Recorded;
use crate::oracle::exact::case::{Case, Reals, Results, Value};
use crate::oracle::field::Field;
use crate::oracle::interval::{Decision, Interval};
use crate::oracle::outcome::{Label, Outcome};
use crate::oracle::seen::{FINITE, Operands, Seen};
use crate::paper::reading::{RewindCopy, RewindUpdate};
use crate::paper::rewind::RewindPoint;
use crate::trace::{RewindsAt, TracedMethod, TracedParameter};

const LABEL: Label = Label::of("alg4");

/// k* and W_k* move as the method says, and m is the least S_F so far.
pub(crate) struct Alg4;

impl Claim for Alg4 {
    fn label(&self) -> Label {
        LABEL
    }

    fn judge(&self, seen: &Seen) -> Result<Judged> {
        judge(seen)
    }

    fn mistakes(&self, seen: &Seen, outcome: &Outcome) -> Result<Vec<String>> {
        Ok(mistakes::causes(seen, &outcome.findings))
    }
}

/// What an epoch does to the rewind point.
#[derive(Clone, Copy)]
struct Moved {
    /// Whether it moves; `None` where that is not known.
    moved: Option<bool>,
    /// k* after it.
    k_star: Option<i64>,
}

/// Lines 10 to 14 of Alg. 4: `if S_F < m { m <- S_F; k* <- k; W_k* <- W }`, on the recorded S_F and m. *Reset* has no such
/// lines, *random rewind* has the last two of them where the recorded draw says so, and *fixed rewind* in the epoch that the
/// header names, or in which the step lies that it names.
fn judge(seen: &Seen) -> Result<Judged> {
    let mut outcome = Outcome::new(LABEL);
    let method = seen.trace.header.method;
    // A method without a running minimum may be confused with one that has it: what it would be is carried on.
    let min_before = match method {
        TracedMethod::Gdstar => minimum(seen, &mut outcome),
        TracedMethod::Reset | TracedMethod::RandomRewind | TracedMethod::FixedRewind => seen.carry.minimum,
    };
    let improves = improves(seen, min_before);
    let moved = match method {
        TracedMethod::Gdstar => moves_if(seen, improves.map(|(improves, _)| improves), &mut outcome),
        TracedMethod::Reset => stays_at_the_start(seen, &mut outcome),
        TracedMethod::FixedRewind => {
            let moves = is_there(seen);
            moved_in_epoch_0(seen, moves, moves_if(seen, moves, &mut outcome))
        }
        TracedMethod::RandomRewind => {
            let drawn = drawn(seen, &mut outcome);
            moved_in_epoch_0(seen, drawn, moves_if(seen, drawn, &mut outcome))
        }
    };
    let rewind = match captured_within(seen) {
        // Between two steps of this epoch, of which the trace need not tell.
        Some(live) => weights_of_a_step(seen, live, &mut outcome)?,
        None => weights(seen, moved.moved, &mut outcome),
    };
    let minimum = improves.map(|(_, minimum)| minimum);
    let Moved { moved, k_star } = moved;
    Ok(Judged { outcome, derived: Operands { min_before, minimum, moved, k_star, rewind, ..Operands::default() } })
}

/// *Reset*: k* is 0, whatever the epoch and however epochs are counted.
fn stays_at_the_start(seen: &Seen, outcome: &mut Outcome) -> Moved {
    match seen.recorded.k_star {
        Some(found) => outcome.compare(&seen.place("k_star"), 0, found as f64, Interval::exact(0.0)),
        None => outcome.leave_out("k_star is not recorded"),
    }
    Moved { moved: Some(false), k_star: seen.recorded.k_star.or(Some(0)) }
}

/// *Fixed rewind*: whether the rewind point moves in this epoch; `None` where the steps before it are not known.
fn is_there(seen: &Seen) -> Option<Decision> {
    Some(Decision::of(match seen.trace.header.rewinds_at? {
        RewindsAt::Epoch(k) => k == seen.k,
        RewindsAt::Step(step) => {
            let before = seen.carry.steps?;
            let steps = seen.trace.batches(seen.k);
            if steps == 0 {
                return None;
            }
            before < step && step <= before + steps
        }
    }))
}

/// *Fixed rewind* after a step that is not its epoch's last: the batch before which the weights stand that are captured.
fn captured_within(seen: &Seen) -> Option<usize> {
    let RewindsAt::Step(step) = seen.trace.header.rewinds_at? else { return None };
    let batch = step.checked_sub(seen.carry.steps?)?;
    (batch > 0 && batch < seen.trace.batches(seen.k)).then_some(batch)
}

/// W_k* that was captured before batch `i`, held to the weights that the trace records of it.
fn weights_of_a_step(seen: &Seen, i: usize, outcome: &mut Outcome) -> Result<Field<f64>> {
    let parameters = seen.trace.parameters();
    let live = Field::load(seen.trace, &format!("epoch/{}/batch/{i}/weights", seen.k), parameters)?;
    seen.poison(outcome, "rewind", &seen.recorded.rewind);
    let found = &seen.recorded.rewind;
    if !equals(seen, found, &live, outcome) {
        outcome.leave_out(format!("rewind: the weights before batch {i}, at which it is captured, are not recorded"));
    }
    Ok(found.clone().or(&live, parameters))
}

/// Compares W_k* with what it must be equal to; whether there was anything to compare.
fn equals(seen: &Seen, found: &Field<f64>, expected: &Field<f64>, outcome: &mut Outcome) -> bool {
    let place = seen.place("rewind");
    let mut known = false;
    for (p, parameter) in seen.trace.parameters().iter().enumerate() {
        let (Some(found_of), Some(expected_of)) = (found.of(p, parameter), expected.of(p, parameter)) else { continue };
        known = true;
        let storage = found.storage.max(seen.recorded.weights_before.storage);
        for (j, (&got, &expected)) in found_of.iter().zip(expected_of).enumerate() {
            outcome.compare_entry(&place, parameter, j, got, Interval::exact(expected).widened(storage));
        }
    }
    known
}

/// *Random rewind*: whether the recorded draw is below the probability, which the port may have rounded.
fn drawn(seen: &Seen, outcome: &mut Outcome) -> Option<Decision> {
    if let Some(draw) = seen.recorded.draw.filter(|draw| !draw.is_finite()) {
        outcome.compare(&seen.place("draw"), 0, draw, FINITE);
    }
    let draw = seen.operand("draw", seen.recorded.draw)?;
    Some(draw.less_than(seen.arithmetic.threshold(seen.trace.header.rewind_probability)))
}

/// In epoch 0 k* is 0 whether the rewind point moved or not: what moves it alone says which.
fn moved_in_epoch_0(seen: &Seen, moves: Option<Decision>, moved: Moved) -> Moved {
    if seen.carry.k_star == Some(seen.k as i64) { Moved { moved: known(moves), ..moved } } else { moved }
}

/// What a decision is, if it is one.
fn known(decision: Option<Decision>) -> Option<bool> {
    match decision {
        Some(Decision::Yes) => Some(true),
        Some(Decision::No) => Some(false),
        Some(Decision::Either) | None => None,
    }
}

/// One of S_F and m may be recorded in a wider type than the other.
fn storage_difference(seen: &Seen) -> f64 {
    let name = |quantity: &str| format!("epoch/{}/{quantity}", seen.k);
    seen.trace.storage_difference(&name("S_F"), &name("min_before"))
}

/// Judges the m that the epoch found; gives the one to go on with.
fn minimum(seen: &Seen, outcome: &mut Outcome) -> Option<Interval> {
    let expected = seen.carry.minimum.ok_or("the running minimum before this epoch does not follow from the trace");
    // Both may have been rounded from what the port held.
    let slack = seen.storage("min_before").max(storage_difference(seen));
    let recorded = seen.recorded.min_before;
    seen.judge(outcome, "min_before", recorded, expected.map(|e| e.widened(slack)));
    let own = match recorded {
        Some(m) if m == f64::INFINITY => Some(Interval::exact(m)),
        other => seen.operand("min_before", other),
    };
    own.or(seen.carry.minimum)
}

/// The comparison, and m after it.
fn improves(seen: &Seen, min_before: Option<Interval>) -> Option<(Decision, Interval)> {
    let (s_f, m) = (seen.known.s_f?, min_before?);
    let improves = s_f.widened(storage_difference(seen)).less_than(m);
    let minimum = match improves {
        Decision::Yes => s_f,
        Decision::No => m,
        Decision::Either => Interval { low: s_f.low.min(m.low), high: s_f.high.min(m.high) },
    };
    Some((improves, minimum))
}

/// Judges a k* that moves to this epoch where a decision says so.
fn moves_if(seen: &Seen, moves: Option<Decision>, outcome: &mut Outcome) -> Moved {
    moves.into_iter().for_each(|moves| outcome.decide(moves));
    let (k, before) = (seen.k as i64, seen.carry.k_star);
    let Some(found) = seen.recorded.k_star else {
        outcome.leave_out("k_star is not recorded");
        let moved = known(moves);
        let k_star = match moved {
            Some(true) => Some(k),
            Some(false) => before,
            None => None,
        };
        return Moved { moved, k_star };
    };
    let moved = found == k;
    // An epoch before the first has no number: whatever is below k.
    let stays =
        before.map_or(Interval { low: f64::MIN, high: (k - 1) as f64 }, |k_star| Interval::exact(k_star as f64));
    let expected = match moves {
        Some(Decision::Yes) => Interval::exact(k as f64),
        Some(Decision::No) => stays,
        Some(Decision::Either) if moved => Interval::exact(k as f64),
        Some(Decision::Either) => stays,
        None => {
            outcome.leave_out(match seen.trace.header.method {
                TracedMethod::RandomRewind => "k_star: draw is not recorded",
                TracedMethod::FixedRewind => "k_star: how many steps were taken before is not known",
                _ => "k_star: S_F or the running minimum is not known",
            });
            if moved { Interval::exact(k as f64) } else { stays }
        }
    };
    outcome.compare(&seen.place("k_star"), 0, found as f64, expected);
    Moved { moved: Some(moved), k_star: Some(found) }
}

/// W_k*: captured if k* moved, else what it was.
fn weights(seen: &Seen, moved: Option<bool>, outcome: &mut Outcome) -> Field<f64> {
    let parameters = seen.trace.parameters();
    seen.poison(outcome, "rewind", &seen.recorded.rewind);
    let reading = seen.reading();
    let recorded = seen.recorded;
    let resets = seen.trace.header.method == TracedMethod::Reset;
    let expected = match (reading.rewind_copy, moved, reading.rewind_update) {
        (RewindCopy::Alias, ..) => live(recorded, seen.trace.prunable()),
        (RewindCopy::Copy, ..) if resets => Some(&seen.carry.initial),
        (RewindCopy::Copy, Some(true), RewindUpdate::BeforePruning) => Some(&recorded.weights_before),
        (RewindCopy::Copy, Some(true), RewindUpdate::AfterPruning) => Some(&recorded.weights_after),
        (RewindCopy::Copy, Some(false), _) => Some(&seen.carry.rewind),
        (RewindCopy::Copy, None, _) => None,
    };
    if !expected.is_some_and(|expected| equals(seen, &recorded.rewind, expected, outcome)) {
        outcome.leave_out("rewind is not recorded, or the weights it must be equal to are not");
    }
    let captured = expected.cloned().unwrap_or_default();
    recorded.rewind.clone().or(&captured, parameters)
}

/// What an alias shows: the live weights at the time of recording, which is before the epoch's pruning or after it;
/// `None` where they are not those before, and those after are not recorded.
fn live<'a>(recorded: &'a Recorded, prunable: &[TracedParameter]) -> Option<&'a Field<f64>> {
    let (rewind, before, after) = (&recorded.rewind, &recorded.weights_before, &recorded.weights_after);
    let known = |field: &Field<f64>| {
        prunable.iter().enumerate().all(|(p, w)| rewind.of(p, w).is_none() || field.of(p, w).is_some())
    };
    let shows = |field: &Field<f64>| {
        let storage = rewind.storage.max(field.storage);
        let equal = |(&got, &w): (&f64, &f64)| Interval::exact(w).widened(storage).contains(got);
        let of_parameter = |(p, parameter): (usize, &TracedParameter)| {
            let (Some(found), Some(live)) = (rewind.of(p, parameter), field.of(p, parameter)) else { return true };
            found.iter().zip(live).all(equal)
        };
        known(field) && prunable.iter().enumerate().all(of_parameter)
    };
    if shows(after) {
        Some(after)
    } else if known(after) || shows(before) {
        Some(before)
    } else {
        None
    }
}

/// The exact result of a golden case.
pub(crate) fn derive(case: &Case) -> Result<Results> {
    let mut point = RewindPoint::new(RewindCopy::Copy, &[]);
    let (mut minima, mut k_star, mut moved) = (Vec::new(), Vec::new(), Vec::new());
    for (i, s_f) in case.floats("S_F")?.into_iter().enumerate() {
        minima.push(point.minimum());
        moved.push(point.observe(i + case.reading.epoch_origin.first(), s_f, &[])?);
        k_star.push(point.k_star() as i64);
    }
    let minima = Value::Reals(Reals { reference: minima.clone(), f64: minima, f32: None });
    Ok(vec![("min_before", minima), ("k_star", Value::Integers(k_star)), ("moved", Value::Flags(moved))])
}
