//! Alg. 4: the running minimum, the rewind epoch k* and its weights W_k*; and what other methods have in its place.

use super::epoch::{Carry, Epoch, FINITE, Recorded};
use super::field::Field;
use super::outcome::{Outcome, Stage};
use crate::oracle::interval::{Decision, Interval};
use crate::paper::reading::{RewindCopy, RewindUpdate};
use crate::trace::{TracedMethod, TracedParameter};

/// Lines 10 to 14 of Alg. 4: `if S_F < m { m <- S_F; k* <- k; W_k* <- W }`, on the recorded S_F and m. *Reset* has no such
/// lines, and *random rewind* has the last two of them where the recorded draw says so.
pub(super) fn alg4(epoch: &mut Epoch, carry: &Carry) -> Outcome {
    let mut outcome = Outcome::new(Stage::Alg4);
    match epoch.trace.header.method {
        TracedMethod::Gdstar => {
            minimum(epoch, carry, &mut outcome);
            let improves = improves(epoch);
            improves.into_iter().for_each(|improves| outcome.decide(improves));
            rewind_epoch(epoch, carry, improves, &mut outcome);
        }
        TracedMethod::Reset => {
            follow_minimum(epoch, carry);
            stays_at_the_start(epoch, &mut outcome);
        }
        TracedMethod::RandomRewind => {
            follow_minimum(epoch, carry);
            let moves = drawn(epoch, &mut outcome);
            moves.into_iter().for_each(|moves| outcome.decide(moves));
            rewind_epoch(epoch, carry, moves, &mut outcome);
            moved_in_epoch_0(epoch, carry, moves);
        }
    }
    weights(epoch, carry, &mut outcome);
    outcome
}

/// m as Alg. 4 would have it, which a method without one may be confused with.
fn follow_minimum(epoch: &mut Epoch, carry: &Carry) {
    epoch.operands.min_before = carry.minimum;
    improves(epoch);
}

/// *Reset*: k* is 0, whatever the epoch and however epochs are counted.
fn stays_at_the_start(epoch: &mut Epoch, outcome: &mut Outcome) {
    match epoch.recorded.k_star {
        Some(found) => outcome.compare(&epoch.place("k_star"), 0, found as f64, Interval::exact(0.0)),
        None => outcome.leave_out("k_star is not recorded"),
    }
    epoch.operands.moved = Some(false);
    epoch.operands.k_star = epoch.recorded.k_star.or(Some(0));
}

/// *Random rewind*: whether the recorded draw is below the probability, which the port may have rounded.
fn drawn(epoch: &Epoch, outcome: &mut Outcome) -> Option<Decision> {
    if let Some(draw) = epoch.recorded.draw.filter(|draw| !draw.is_finite()) {
        outcome.compare(&epoch.place("draw"), 0, draw, FINITE);
    }
    let draw = epoch.operand("draw", epoch.recorded.draw)?;
    Some(draw.less_than(epoch.arithmetic.threshold(epoch.trace.header.rewind_probability)))
}

/// In epoch 0 k* is 0 whether the rewind point moved or not: the draw alone says which.
fn moved_in_epoch_0(epoch: &mut Epoch, carry: &Carry, moves: Option<Decision>) {
    if carry.k_star == Some(epoch.k as i64) {
        epoch.operands.moved = match moves {
            Some(Decision::Yes) => Some(true),
            Some(Decision::No) => Some(false),
            _ => None,
        };
    }
}

/// One of S_F and m may be recorded in a wider type than the other.
fn storage_difference(epoch: &Epoch) -> f64 {
    let name = |quantity: &str| format!("epoch/{}/{quantity}", epoch.k);
    epoch.trace.storage_difference(&name("S_F"), &name("min_before"))
}

fn minimum(epoch: &mut Epoch, carry: &Carry, outcome: &mut Outcome) {
    let expected = carry.minimum.ok_or("the running minimum before this epoch does not follow from the trace");
    // Both may have been rounded from what the port held.
    let slack = epoch.storage("min_before").max(storage_difference(epoch));
    let recorded = epoch.recorded.min_before;
    epoch.judge(outcome, "min_before", recorded, expected.map(|e| e.widened(slack)));
    let own = match recorded {
        Some(m) if m == f64::INFINITY => Some(Interval::exact(m)),
        other => epoch.operand("min_before", other),
    };
    epoch.operands.min_before = own.or(carry.minimum);
}

/// The comparison, and m after it.
fn improves(epoch: &mut Epoch) -> Option<Decision> {
    let (s_f, m) = (epoch.operands.s_f?, epoch.operands.min_before?);
    let improves = s_f.widened(storage_difference(epoch)).less_than(m);
    epoch.operands.minimum = Some(match improves {
        Decision::Yes => s_f,
        Decision::No => m,
        Decision::Either => Interval { low: s_f.low.min(m.low), high: s_f.high.min(m.high) },
    });
    Some(improves)
}

fn rewind_epoch(epoch: &mut Epoch, carry: &Carry, improves: Option<Decision>, outcome: &mut Outcome) {
    let (k, before) = (epoch.k as i64, carry.k_star);
    let moved = |k_star: i64| k_star == k;
    let Some(found) = epoch.recorded.k_star else {
        outcome.leave_out("k_star is not recorded");
        epoch.operands.moved = match improves {
            Some(Decision::Yes) => Some(true),
            Some(Decision::No) => Some(false),
            _ => None,
        };
        epoch.operands.k_star = match epoch.operands.moved {
            Some(true) => Some(k),
            Some(false) => before,
            None => None,
        };
        return;
    };
    // An epoch before the first has no number: whatever is below k.
    let stays =
        before.map_or(Interval { low: f64::MIN, high: (k - 1) as f64 }, |k_star| Interval::exact(k_star as f64));
    let expected = match improves {
        Some(Decision::Yes) => Interval::exact(k as f64),
        Some(Decision::No) => stays,
        Some(Decision::Either) if moved(found) => Interval::exact(k as f64),
        Some(Decision::Either) => stays,
        None => {
            outcome.leave_out(match epoch.trace.header.method {
                TracedMethod::RandomRewind => "k_star: draw is not recorded",
                _ => "k_star: S_F or the running minimum is not known",
            });
            if moved(found) { Interval::exact(k as f64) } else { stays }
        }
    };
    outcome.compare(&epoch.place("k_star"), 0, found as f64, expected);
    epoch.operands.moved = Some(moved(found));
    epoch.operands.k_star = Some(found);
}

/// W_k*: captured if k* moved, else what it was.
fn weights(epoch: &mut Epoch, carry: &Carry, outcome: &mut Outcome) {
    let parameters = epoch.trace.parameters();
    epoch.poison(outcome, "rewind", &epoch.recorded.rewind);
    let reading = epoch.reading();
    let recorded = &epoch.recorded;
    let resets = epoch.trace.header.method == TracedMethod::Reset;
    let expected = match (reading.rewind_copy, epoch.operands.moved, reading.rewind_update) {
        (RewindCopy::Alias, ..) => live(recorded, epoch.trace.prunable()),
        (RewindCopy::Copy, ..) if resets => Some(&carry.initial),
        (RewindCopy::Copy, Some(true), RewindUpdate::BeforePruning) => Some(&recorded.weights_before),
        (RewindCopy::Copy, Some(true), RewindUpdate::AfterPruning) => Some(&recorded.weights_after),
        (RewindCopy::Copy, Some(false), _) => Some(&carry.rewind),
        (RewindCopy::Copy, None, _) => None,
    };
    let place = epoch.place("rewind");
    let mut known = false;
    for (p, parameter) in parameters.iter().enumerate() {
        let Some(found) = recorded.rewind.of(p, parameter) else { continue };
        let Some(expected) = expected.and_then(|field| field.of(p, parameter)) else { continue };
        known = true;
        let storage = recorded.rewind.storage.max(recorded.weights_before.storage);
        for (j, (&got, &expected)) in found.iter().zip(expected).enumerate() {
            outcome.compare_entry(&place, parameter, j, got, Interval::exact(expected).widened(storage));
        }
    }
    if !known {
        outcome.leave_out("rewind is not recorded, or the weights it must be equal to are not");
    }
    let captured = expected.cloned().unwrap_or_default();
    epoch.operands.rewind = recorded.rewind.clone().or(&captured, parameters);
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
