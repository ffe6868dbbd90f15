//! Alg. 6 and Eq. 9: the decay step, the decayed weights, the threshold, and the mask.

use super::epoch::{Carry, Epoch};
use super::fate::{Decay, Fate, Operands};
use super::field::Field;
use super::outcome::{Outcome, Stage, pieces};
use crate::oracle::interval::{Decision, Interval};
use crate::paper::reading::{DecayStep, RewindCopy, RewindUpdate};
use crate::trace::TracedParameter;
use rayon::prelude::*;
use std::ops::Range;

/// What an epoch finds: the mask is the one that was left, and an eliminated weight is 0.
pub(super) fn at_start(epoch: &mut Epoch, carry: &Carry) -> Outcome {
    let mut outcome = Outcome::new(Stage::Alg6Start);
    let prunable = epoch.trace.prunable();
    let recorded = &epoch.recorded;
    epoch.operands.alive = recorded.mask_before.clone().or(&carry.mask, prunable);
    for (p, parameter) in prunable.iter().enumerate() {
        if let (Some(found), Some(left)) = (recorded.mask_before.of(p, parameter), carry.mask.of(p, parameter)) {
            compare_flags(&mut outcome, epoch, "mask_before", (p, found), |j| Decision::of(left[j]));
        }
        let (Some(alive), Some(weights)) =
            (epoch.operands.alive.of(p, parameter), recorded.weights_before.of(p, parameter))
        else {
            continue;
        };
        let place = epoch.place("weights_before");
        for (j, &w) in weights.iter().enumerate().filter(|(j, _)| !alive[*j]) {
            outcome.compare_entry(&place, parameter, j, w, Interval::exact(0.0));
        }
    }
    outcome
}

/// Compares a parameter's flags.
fn compare_flags(
    outcome: &mut Outcome,
    epoch: &Epoch,
    quantity: &str,
    (p, found): (usize, &[bool]),
    expected: impl Fn(usize) -> Decision,
) {
    let (place, parameter) = (epoch.place(quantity), &epoch.trace.prunable()[p]);
    for (j, &flag) in found.iter().enumerate() {
        outcome.compare_entry(&place, parameter, j, f64::from(u8::from(flag)), expected(j).flags());
    }
}

/// Line 2 of Alg. 6: t, on the recorded k*.
pub(super) fn step(epoch: &mut Epoch, carry: &Carry) -> Outcome {
    let mut outcome = Outcome::new(Stage::Alg6Step);
    let reading = *epoch.reading();
    let (k_star, w_star) = match reading.rewind_update {
        RewindUpdate::BeforePruning => (epoch.operands.k_star, &epoch.operands.rewind),
        RewindUpdate::AfterPruning => (carry.k_star, &carry.rewind),
    };
    epoch.operands.w_star = match reading.rewind_copy {
        RewindCopy::Copy => w_star.clone(),
        RewindCopy::Alias => epoch.recorded.weights_before.clone(),
    };
    epoch.operands.decay_k_star = k_star;
    let k = epoch.k as i64;
    let batches = epoch.trace.batches(epoch.k);
    let expected = match reading.decay_step {
        DecayStep::SinceRewind => k_star.and_then(|k_star| k.checked_sub(k_star)).filter(|&t| t >= 0),
        DecayStep::Constant => Some(1),
        DecayStep::Epoch => Some(k),
        DecayStep::Iteration => {
            carry.steps.filter(|_| batches > 0).and_then(|steps| i64::try_from(steps + batches).ok())
        }
        DecayStep::RewindEpoch => k_star,
    };
    match (epoch.recorded.t, expected) {
        (Some(t), Some(expected)) => {
            outcome.compare(&epoch.place("t"), 0, t as f64, Interval::exact(expected as f64));
        }
        (Some(_), None) => outcome.leave_out("t: what it counts (k*, or the batches of every epoch) is not known"),
        (None, _) => outcome.leave_out("t is not recorded"),
    }
    epoch.operands.t = epoch.recorded.t.or(expected);
    outcome
}

/// Eq. 9 and the weights that it leaves alone. With the outcome: which weights live after the epoch, given the recorded
/// ones: one that is not 0 does; one that is 0 was eliminated if Eq. 9 says so, or may say so; one that the port made 0
/// although it should live may be either.
pub(super) fn eq9(epoch: &mut Epoch) -> (Outcome, Field<Decision>) {
    let mut outcome = Outcome::new(Stage::Eq9);
    let (trace, recorded) = (epoch.trace, &epoch.recorded);
    epoch.poison(&mut outcome, "weights_after", &recorded.weights_after);
    let decay = Decay::new(epoch);
    if decay.is_none() && epoch.operands.t.is_some_and(|t| t >= 0) {
        outcome.no_bound(epoch.operands.t.unwrap_or(0) as usize, &epoch.arithmetic);
    }
    let mut lives = Field::nothing(trace.prunable());
    for (p, parameter) in trace.parameters().iter().enumerate() {
        if p >= trace.prunable().len() {
            untouched(epoch, &mut outcome, p, parameter);
        } else if let Some(alive) = epoch.operands.alive.of(p, parameter) {
            let operands = Operands::new(epoch, decay.as_ref(), p);
            let of_parameter = eq9_of_parameter(epoch, &mut outcome, (p, parameter), alive, &operands);
            lives.set(p, trace.prunable(), &of_parameter);
        }
    }
    if outcome.compared == 0 {
        outcome.leave_out("weights_after: it, or weights_before, rewind, selected, t or the mask before is not known");
    }
    (outcome, lives)
}

/// Not a parameter of W: the method leaves it alone.
fn untouched(epoch: &Epoch, outcome: &mut Outcome, p: usize, parameter: &TracedParameter) {
    let recorded = &epoch.recorded;
    let found = recorded.weights_after.of(p, parameter);
    let (Some(found), Some(before)) = (found, recorded.weights_before.of(p, parameter)) else { return };
    let storage = recorded.weights_after.storage.max(recorded.weights_before.storage);
    let place = epoch.place("weights_after");
    for (j, (&got, &w)) in found.iter().zip(before).enumerate() {
        outcome.compare_entry(&place, parameter, j, got, Interval::exact(w).widened(storage));
    }
}

/// Compares one parameter's weights, where they are recorded; gives which of them live.
fn eq9_of_parameter(
    epoch: &Epoch,
    outcome: &mut Outcome,
    (p, parameter): (usize, &TracedParameter),
    alive: &[bool],
    operands: &Operands,
) -> Vec<Decision> {
    let found = epoch.recorded.weights_after.of(p, parameter);
    let storage = epoch.recorded.weights_after.storage;
    let place = epoch.place("weights_after");
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
        let (mut outcome, mut unknown) = (Outcome::new(Stage::Eq9), false);
        let lives: Vec<Decision> = range.map(|j| judge(&mut outcome, &mut unknown, j)).collect();
        (outcome, unknown, lives)
    };
    let parts: Vec<_> = pieces(parameter.range.len()).into_par_iter().map(piece).collect();
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

/// The mask after the epoch, on the recorded weights: an eliminated weight stays so, and `lives` says the rest.
pub(super) fn mask(epoch: &mut Epoch, lives: &Field<Decision>) -> Outcome {
    let mut outcome = Outcome::new(Stage::Alg6Mask);
    let prunable = epoch.trace.prunable();
    let mut left = epoch.recorded.mask.clone();
    for (p, parameter) in prunable.iter().enumerate() {
        let Some(lives) = lives.of(p, parameter) else { continue };
        if let Some(found) = epoch.recorded.mask.of(p, parameter) {
            compare_flags(&mut outcome, epoch, "mask", (p, found), |j| lives[j]);
            continue;
        }
        // Not recorded: what follows, if it does. A weight of 0 may be alive.
        let after = epoch.recorded.weights_after.of(p, parameter);
        let follows = |(j, &lives): (usize, &Decision)| match lives {
            Decision::Either => after.filter(|after| after[j] != 0.0).map(|_| true),
            sure => Some(sure == Decision::Yes),
        };
        if let Some(follows) = lives.iter().enumerate().map(follows).collect::<Option<Vec<bool>>>() {
            left.set(p, prunable, &follows);
        }
    }
    if epoch.recorded.mask.is_empty() {
        outcome.leave_out("mask is not recorded");
    } else if outcome.compared == 0 {
        outcome.leave_out("mask: which weights were alive before is not known");
    }
    epoch.operands.mask = left;
    outcome
}
