//! Alg. 6 and Eq. 9: the decay step, the decayed weights, the threshold, and the mask.

use super::epoch::{Carry, Epoch};
use super::field::Flags;
use super::outcome::{Outcome, Stage};
use crate::oracle::bounds::is_representable;
use crate::oracle::interval::{Decision, Interval};
use crate::paper::decay::decay_factor;
use crate::paper::reading::{DecayStep, RewindCopy, RewindUpdate, Threshold};
use crate::scalar::DoubleDouble;

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
        let range = match expected(j) {
            Decision::Yes => Interval::exact(1.0),
            Decision::No => Interval::exact(0.0),
            Decision::Either => Interval { low: 0.0, high: 1.0 },
        };
        outcome.compare_entry(&place, parameter, j, f64::from(u8::from(flag)), range);
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

/// What a living weight may have become: the numbers it may be if it is kept, and whether it is.
#[derive(Debug, Clone, Copy)]
struct Fate {
    kept_as: Interval,
    kept: Decision,
}

impl Fate {
    /// Whether some choice of decisions gives this value.
    fn allows(self, value: f64) -> bool {
        (self.kept != Decision::No && self.kept_as.contains(value)) || (self.kept != Decision::Yes && value == 0.0)
    }

    /// All of it, for a report.
    fn hull(self) -> Interval {
        match self.kept {
            Decision::Yes => self.kept_as,
            Decision::No => Interval::exact(0.0),
            Decision::Either => self.kept_as.hull(Interval::exact(0.0)),
        }
    }
}

/// Eq. 9 of one epoch: what every factor of `w* lambda^t` may be.
struct Decay {
    factor: DoubleDouble,
    relative: f64,
    lambda: f64,
    t: u64,
    /// No power of lambda up to t rounds.
    exact: bool,
    eps: Interval,
}

impl Decay {
    /// `None` where t is not one that Eq. 9 has, or no bound holds.
    fn new(epoch: &Epoch) -> Option<Self> {
        let t = u64::try_from(epoch.operands.t?).ok()?;
        let (lambda, arithmetic) = (epoch.trace.header.hyper.lambda, epoch.arithmetic);
        let power = |t: u64| decay_factor::<DoubleDouble>(lambda, usize::try_from(t).unwrap_or(usize::MAX)).ok();
        // More than 53 squarings of an inexact number are not exact: 64 steps settle it.
        let exact = t <= 64 && (1..=t).all(|t| power(t).is_some_and(|power| is_representable(power, &arithmetic)));
        Some(Self {
            factor: power(t)?,
            relative: if t == 0 { arithmetic.decayed(lambda, 0)? } else { arithmetic.decayed(lambda, t)? },
            lambda,
            t,
            exact,
            eps: arithmetic.threshold(epoch.trace.header.hyper.eps),
        })
    }

    /// A selected weight's fate.
    fn of(&self, w_star: f64, storage: f64, epoch: &Epoch) -> Fate {
        let arithmetic = &epoch.arithmetic;
        let product = DoubleDouble::from(w_star) * self.factor;
        let absolute = arithmetic.decayed_underflow(self.lambda, self.t, w_star);
        // lambda^0 = 1 rounds nothing, and neither does a product with 1.
        let one = self.t == 0 || self.lambda == 1.0;
        let around = Interval::around(product, self.relative + storage, absolute);
        let kept_as = if one { Interval::exact(w_star).widened(storage) } else { around };
        let decided_on = match () {
            () if one => kept_as,
            () if self.exact && storage == 0.0 && is_representable(product, arithmetic) => {
                Interval::exact(product.hi())
            }
            () => around,
        };
        Fate { kept_as, kept: decided_on.magnitude().less_than(self.eps).opposite() }
    }
}

/// What becomes of a living weight that is not selected.
fn unselected(epoch: &Epoch, w: f64, eps: Interval) -> Fate {
    let kept_as = Interval::exact(w).widened(epoch.recorded.weights_before.storage);
    let kept = match epoch.reading().threshold {
        Threshold::Selected => Decision::Yes,
        Threshold::All => kept_as.magnitude().less_than(eps).opposite(),
    };
    Fate { kept_as, kept }
}

/// What a living weight may have become, `None` where an operand is not known.
fn fates(epoch: &Epoch, decay: Option<&Decay>, p: usize, j: usize) -> Option<(Option<Fate>, Option<Fate>)> {
    let parameter = &epoch.trace.prunable()[p];
    let eps = epoch.arithmetic.threshold(epoch.trace.header.hyper.eps);
    let selected = epoch.operands.selected.of(p, parameter)?[j];
    let moved = || -> Option<Fate> {
        let w_star = epoch.operands.w_star.of(p, parameter)?[j];
        Some(decay?.of(w_star, epoch.operands.w_star.storage, epoch))
    };
    let stayed = || Some(unselected(epoch, epoch.recorded.weights_before.of(p, parameter)?[j], eps));
    match selected {
        Decision::Yes => Some((Some(moved()?), None)),
        Decision::No => Some((None, Some(stayed()?))),
        Decision::Either => Some((Some(moved()?), Some(stayed()?))),
    }
}

/// Eq. 9 and the weights that it leaves alone. With the outcome: where a weight is 0 although it should not be, flat
/// over W.
pub(super) fn eq9(epoch: &mut Epoch) -> (Outcome, Vec<bool>) {
    let mut outcome = Outcome::new(Stage::Eq9);
    let (trace, recorded) = (epoch.trace, &epoch.recorded);
    epoch.poison(&mut outcome, "weights_after", &recorded.weights_after);
    let decay = Decay::new(epoch);
    if decay.is_none() && epoch.operands.t.is_some_and(|t| t >= 0) {
        outcome.no_bound(epoch.operands.t.unwrap_or(0) as usize, &epoch.arithmetic);
    }
    let mut zeroed = vec![false; trace.weights()];
    let place = epoch.place("weights_after");
    let mut complete = true;
    for (p, parameter) in trace.parameters().iter().enumerate() {
        let Some(found) = recorded.weights_after.of(p, parameter) else { continue };
        let before = recorded.weights_before.of(p, parameter);
        let Some(alive) = epoch.operands.alive.of(p, parameter) else {
            // Not a parameter of W: the method does not touch it.
            if let (true, Some(before)) = (p >= trace.prunable().len(), before) {
                let storage = recorded.weights_after.storage.max(recorded.weights_before.storage);
                for (j, (&got, &w)) in found.iter().zip(before).enumerate() {
                    outcome.compare_entry(&place, parameter, j, got, Interval::exact(w).widened(storage));
                }
            }
            continue;
        };
        for (j, &got) in found.iter().enumerate() {
            if !alive[j] {
                outcome.compare_entry(&place, parameter, j, got, Interval::exact(0.0));
                continue;
            }
            let Some((moved, stayed)) = fates(epoch, decay.as_ref(), p, j) else {
                complete = false;
                continue;
            };
            let both = [moved, stayed];
            let possible = both.iter().flatten();
            if possible.clone().any(|fate| fate.kept == Decision::Either) || (moved.is_some() && stayed.is_some()) {
                outcome.decide(Decision::Either);
            } else {
                outcome.decide(Decision::Yes);
            }
            let storage = recorded.weights_after.storage;
            let fits = |fate: &Fate| Fate { kept_as: fate.kept_as.widened(storage), ..*fate }.allows(got);
            let expected = possible.clone().map(|fate| fate.hull()).reduce(Interval::hull).unwrap_or(Interval::ALL);
            if possible.clone().any(fits) {
                outcome.compared += 1;
            } else {
                // The hull of separate possibilities may hold a number that none of them does.
                let shown = if expected.contains(got) {
                    both.iter().flatten().next().map_or(expected, |f| f.kept_as)
                } else {
                    expected
                };
                outcome.compare_entry(&place, parameter, j, got, shown);
                zeroed[parameter.range.start + j] = got == 0.0;
            }
        }
    }
    if !complete || outcome.compared == 0 {
        outcome.leave_out("weights_after: it, or weights_before, rewind, selected, t or the mask before is not known");
    }
    (outcome, zeroed)
}

/// The mask after the epoch, on the recorded weights: an eliminated weight stays so; one that is not 0 lives; one that
/// is 0 was eliminated if Eq. 9 says so or may say so. `zeroed`: where the port made a weight 0 that should live.
pub(super) fn mask(epoch: &mut Epoch, zeroed: &[bool]) -> Outcome {
    let mut outcome = Outcome::new(Stage::Alg6Mask);
    let (trace, prunable) = (epoch.trace, epoch.trace.prunable());
    let decay = Decay::new(epoch);
    let mut left = Flags::nothing(prunable);
    for (p, parameter) in prunable.iter().enumerate() {
        let found = epoch.recorded.mask.of(p, parameter);
        let after = epoch.recorded.weights_after.of(p, parameter);
        let Some(alive) = epoch.operands.alive.of(p, parameter) else {
            if let Some(found) = found {
                left.set(p, prunable, found);
            }
            continue;
        };
        let lives = |j: usize| -> Decision {
            if !alive[j] {
                return Decision::No;
            }
            let value = after.map(|after| after[j]);
            match (value, fates(epoch, decay.as_ref(), p, j)) {
                (Some(w), _) if w != 0.0 => Decision::Yes,
                (Some(_), _) if zeroed[parameter.range.start + j] => Decision::Either,
                (_, Some((moved, stayed))) => {
                    let both = [moved, stayed];
                    let mut possible = both.iter().flatten().filter(|fate| value.is_none_or(|w| fate.allows(w)));
                    let Some(first) = possible.next() else { return Decision::Either };
                    if possible.all(|fate| fate.kept == first.kept) { first.kept } else { Decision::Either }
                }
                (_, None) => Decision::Either,
            }
        };
        let lives: Vec<Decision> = (0..parameter.range.len()).map(lives).collect();
        match found {
            Some(found) => {
                compare_flags(&mut outcome, epoch, "mask", (p, found), |j| lives[j]);
                left.set(p, prunable, found);
            }
            // Not recorded: what follows, a weight that may be either being as alive as its value says.
            None => {
                let follows = |(j, &lives): (usize, &Decision)| match (lives, after) {
                    (Decision::Either, Some(after)) => Some(after[j] != 0.0),
                    (Decision::Either, None) => None,
                    (sure, _) => Some(sure == Decision::Yes),
                };
                if let Some(follows) = lives.iter().enumerate().map(follows).collect::<Option<Vec<bool>>>() {
                    left.set(p, prunable, &follows);
                }
            }
        }
    }
    if epoch.recorded.mask.is_empty() {
        outcome.leave_out("mask is not recorded");
    } else if outcome.compared == 0 {
        outcome.leave_out("mask: which weights were alive before is not known");
    }
    debug_assert_eq!(trace.weights(), zeroed.len());
    epoch.operands.mask = left;
    outcome
}
