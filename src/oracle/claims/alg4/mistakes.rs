//! Known mistakes in Alg. 4, and in what other methods have in its place.

use super::course;
use crate::choice::Choice;
use crate::oracle::claims::mistakes::{Candidates, affected, is_near, reading};
use crate::oracle::field::Field;
use crate::oracle::interval::Decision;
use crate::oracle::report::Finding;
use crate::oracle::seen::Seen;
use crate::paper::decay::decay_factor;
use crate::paper::reading::{DecayStep, EpochOrigin, RewindCopy, RewindUpdate};
use crate::scalar::{DoubleDouble, Scalar};
use crate::trace::names::of_parameter;
use crate::trace::{RewindsAt, TracedMethod};
use half::{bf16, f16};

pub(crate) fn causes(seen: &Seen, findings: &[Finding]) -> Vec<String> {
    let Some(first) = findings.first() else { return Vec::new() };
    let of_minimum = first.tensor.ends_with("/min_before");
    let causes = if of_minimum { minimum(seen, first.got) } else { Vec::new() };
    let causes = if causes.is_empty() { course::causes(seen) } else { causes };
    if of_minimum || !causes.is_empty() {
        causes
    } else if first.tensor.ends_with("/k_star") {
        match seen.trace.header.method {
            TracedMethod::Gdstar => rewind_epoch(seen, first),
            TracedMethod::Reset => of_reset(seen, first.got),
            TracedMethod::RandomRewind => of_random_rewind(seen, first.got),
            TracedMethod::FixedRewind => of_fixed_rewind(seen),
        }
    } else {
        weights(seen, findings)
    }
}

/// What is told of an m that knows the epoch's own S_F.
const AHEAD: &str = "m is updated with this epoch's S_F before the comparison (or recorded after its update)";

/// The running minimum before the epoch.
fn minimum(seen: &Seen, got: f64) -> Vec<String> {
    let before = seen.carry.previous.as_ref().map(|p| &p.0);
    let expected = seen.carry.minimum.map(|m| m.low);
    if expected == Some(f64::INFINITY) {
        let updated = seen.recorded.s_f.is_some_and(|s_f| is_near(got, s_f, 4.0 * seen.arithmetic.u()));
        let cause = match updated {
            _ if got.is_nan() => "not a number",
            true => AHEAD,
            false => "m starts at a finite number, not at +inf",
        };
        return vec![cause.to_string()];
    }
    if got == f64::INFINITY {
        let had = before.and_then(|p| p.min_before).is_some_and(f64::is_finite);
        let recorded = |k| seen.trace.scalar(k, "min_before").ok().flatten();
        let cause = match had {
            true => "m is lost: it is +inf again, as after a resume from a checkpoint without it",
            false if seen.trace.epochs().filter_map(recorded).all(f64::is_infinite) => {
                "m is never updated: it is +inf still (> for <, or the update is missing)"
            }
            false => "m is +inf still: the first epochs do not update it (a warm-up)",
        };
        return vec![cause.to_string()];
    }
    let old = before.and_then(|p| p.min_before);
    let s_f = before.and_then(|p| p.s_f);
    let mut c = Candidates::default();
    c.add_known("m was not updated with the previous epoch's S_F", old);
    c.add_known("m follows every epoch's S_F, not the least one", s_f);
    c.add_known("m holds S_sq, not S_F", before.and_then(|p| p.s_sq));
    c.add_known("m holds S_abs, not S_F", before.and_then(|p| p.s_abs));
    c.add_known(AHEAD, seen.recorded.s_f);
    c.add_known("m is updated with this epoch's S_sq", seen.recorded.s_sq);
    c.add_known("m holds the largest S_F", old.zip(s_f).map(|(m, s_f)| m.max(s_f)));
    c.add("m is reset in every epoch", 0.0);
    c.matching(got, 4.0 * seen.arithmetic.u())
}

/// k*, given S_F and m.
fn rewind_epoch(seen: &Seen, first: &Finding) -> Vec<String> {
    let (k, got) = (seen.k as f64, first.got);
    let moved = got == k;
    let (s_f, m) = (seen.known.s_f.map(|s| s.low), seen.known.min_before.map(|m| m.low));
    let (Some(s_f), Some(m)) = (s_f, m) else { return Vec::new() };
    let previous = seen.carry.previous.as_ref().map(|p| &p.0);
    let was = seen.carry.k_star.map(|k_star| k_star as f64);
    let mut causes = Vec::new();
    if s_f == m && moved {
        causes.push("<= for <: a norm equal to the minimum moved k*".to_string());
    }
    if s_f > m && moved {
        if previous.and_then(|p| p.s_f).is_some_and(|before| s_f < before) {
            causes.push("S_F is compared with the previous epoch's, not with the running minimum".to_string());
        }
        if seen.recorded.s_sq.is_some_and(|s| s < m) || seen.recorded.s_f.is_some_and(|s| s * s < m) {
            causes.push("another norm than S_F (S_sq) is compared with m".to_string());
        }
        causes.push("k* moves in every epoch, whatever the norm (or > for <)".to_string());
    }
    if s_f < m && was == Some(got) {
        if got == 0.0 && never_moves(seen) {
            causes.push("k* never moves: reset to W_0".to_string());
        }
        if previous.and_then(|p| p.s_f).is_some_and(|stale| stale >= m) {
            causes.push("the comparison uses a stale S_F, the previous epoch's".to_string());
        }
        causes.push("k* was not updated although S_F < m (> for <, or another norm compared)".to_string());
    }
    if s_f < m && (got == k + 1.0 || got == k - 1.0) {
        let origin = match seen.reading().epoch_origin {
            EpochOrigin::Zero => reading("epoch_origin", "1"),
            EpochOrigin::One => reading("epoch_origin", "0"),
        };
        causes.push(format!("k* is off by one: it is counted from another origin ({origin})"));
    }
    if was.is_some_and(|was| got == was + 1.0 || got == was - 1.0) && s_f >= m && !moved {
        causes.push("k* is off by one".to_string());
    }
    if got == 0.0 && was != Some(0.0) && s_f >= m {
        causes.push("k* falls back to 0".to_string());
    }
    causes
}

/// Whether k* is 0 in all epochs of the trace.
fn never_moves(seen: &Seen) -> bool {
    let k_star = |k| seen.trace.integer(k, "k_star").ok().flatten();
    seen.trace.epochs().filter_map(k_star).all(|k_star| k_star == 0)
}

/// Whether Alg. 4 would have moved the rewind point, if S_F and its running minimum are known.
fn is_new_minimum(seen: &Seen) -> Option<bool> {
    Some(seen.known.s_f?.low < seen.known.min_before?.low)
}

/// The name of a mistake that is another method's rule.
fn method(choice: TracedMethod) -> String {
    format!("this is the rule of `{}` = `{choice}`: declare it, or change it", TracedMethod::KEY)
}

/// k*, which *reset* leaves at 0.
fn of_reset(seen: &Seen, got: f64) -> Vec<String> {
    let k = seen.k as f64;
    let mut causes = Vec::new();
    if got == k && is_new_minimum(seen) == Some(true) {
        causes.push(format!("k* moves where S_F is a new minimum: {}", method(TracedMethod::Gdstar)));
    }
    if got == seen.reading().epoch_origin.first() as f64 {
        causes.push("k* is the first epoch's number: it is 0, however epochs are counted".to_string());
    }
    if got == k {
        causes.push("k* moves: W_k* is captured, although reset never does".to_string());
    }
    causes
}

/// k*, which *random rewind* moves where its draw says so.
fn of_random_rewind(seen: &Seen, got: f64) -> Vec<String> {
    let (k, probability) = (seen.k as f64, seen.trace.header.rewind_probability);
    let Some(draw) = seen.recorded.draw else { return Vec::new() };
    let stale = seen.carry.previous.as_ref().and_then(|previous| previous.0.draw);
    let (moved, moves) = (got == k, draw < probability);
    let mut causes = Vec::new();
    let mut say = |holds: bool, cause: String| {
        if holds {
            causes.push(cause);
        }
    };
    say(moved && draw == probability, "<= for <: a draw equal to the probability moved k*".to_string());
    say(
        stale.is_some_and(|stale| (stale < probability) == moved && moved != moves),
        "a stale draw: the previous epoch's".to_string(),
    );
    say(
        moved && !moves && draw >= 1.0 - probability,
        "1 - draw for draw: k* moves where the draw is large".to_string(),
    );
    say(moved && !moves, "k* moves where the draw is not below the probability (> for <, or another one)".to_string());
    let as_alg4 = is_new_minimum(seen) == Some(moved) && moved != moves;
    say(as_alg4, format!("k* moves where S_F is a new minimum: {}", method(TracedMethod::Gdstar)));
    say(!moved && moves && never_moves(seen), format!("k* never moves: {}", method(TracedMethod::Reset)));
    let off_by_one = moves && (got == k + 1.0 || got == k - 1.0);
    say(off_by_one, "k* is off by one: it is counted from another origin".to_string());
    say(!moved && moves, "k* was not updated although the draw is below the probability (> for <)".to_string());
    causes
}

/// W_k*.
fn weights(seen: &Seen, findings: &[Finding]) -> Vec<String> {
    let recorded = &seen.recorded;
    // A parameter that is right says nothing about the mistake.
    let parameters = affected(seen, findings);
    let all = |candidate: &Field<f64>, fits: &dyn Fn(usize, f64, f64) -> bool| {
        let mut compared = false;
        for &(p, parameter) in &parameters {
            let Some(found) = recorded.rewind.of(p, parameter) else { continue };
            let Some(values) = candidate.of(p, parameter) else { continue };
            let start = parameter.range.start;
            if !found.iter().zip(values).enumerate().all(|(j, (&got, &w))| fits(start + j, w, got)) {
                return false;
            }
            compared = true;
        }
        compared
    };
    let is =
        |candidate: &Field<f64>, scale: &dyn Fn(usize, f64) -> f64| all(candidate, &|j, w, got| got == scale(j, w));
    let any = |candidate: &Field<f64>, fits: &dyn Fn(f64, f64) -> bool| !all(candidate, &|_, w, got| !fits(w, got));
    let holds = |candidate: &Field<f64>, fits: &dyn Fn(f64, f64) -> bool| all(candidate, &|_, w, got| fits(w, got));
    let plain = |_: usize, w: f64| w;
    let moved = seen.known.moved == Some(true);
    let reading_now = seen.reading();
    let alive_after = |j: usize, w: f64| if recorded.mask.values.get(j).is_some_and(|&alive| !alive) { 0.0 } else { w };
    let alive_before =
        |j: usize, w: f64| if seen.known.alive.values.get(j).is_some_and(|&alive| !alive) { 0.0 } else { w };
    let mut causes = Vec::new();
    let mut say = |holds: bool, cause: String| {
        if holds {
            causes.push(cause);
        }
    };
    let is_random = seen.trace.header.method == TracedMethod::RandomRewind;
    say(
        is_random && seen.known.moved == Some(false) && is(&recorded.weights_before, &plain),
        "W_k* is captured although the draw is not below the probability (> for <, 1 - draw for draw, another probability)"
            .to_string(),
    );
    let is_pruned = is(&recorded.weights_after, &plain);
    if moved && reading_now.rewind_update == RewindUpdate::BeforePruning && steps_from(seen, seen.carry.k_star) {
        let cause = reading("rewind_update", "after-pruning");
        say(is_pruned, format!("captured after the epoch's pruning: {cause}"));
    }
    if moved && reading_now.rewind_update == RewindUpdate::AfterPruning {
        let cause = reading("rewind_update", "before-pruning");
        say(is(&recorded.weights_before, &plain), format!("captured before the epoch's pruning: {cause}"));
    }
    if reading_now.rewind_copy == RewindCopy::Copy {
        let alias = reading("rewind_copy", "alias");
        let is_copy = stays_elsewhere(seen);
        let is_own = moved && is_pruned && is_copy && !steps_from(seen, seen.carry.k_star);
        say(is_own, "captured after the epoch's own pruning, though k* had moved before it".to_string());
        let follows = if moved {
            is_pruned && !is_copy && steps_from(seen, seen.known.k_star)
        } else {
            is_pruned || is(&recorded.weights_before, &plain)
        };
        say(
            follows,
            format!(
                "W_k* follows the live weights, an alias and not a copy (or it is captured in every epoch): {alias}"
            ),
        );
    }
    if reading_now.rewind_copy == RewindCopy::Alias {
        say(is(&seen.carry.rewind, &plain), format!("W_k* is a copy: {}", reading("rewind_copy", "copy")));
    }
    if seen.trace.header.method == TracedMethod::Reset {
        let is_captured = is(&recorded.weights_before, &plain) || is(&seen.carry.rewind, &plain);
        say(is_captured, "W_k* is captured, although reset never does: it is W_0".to_string());
    }
    say(is(&seen.carry.initial, &plain), "W_k* is always W_0 (reset): it was never captured".to_string());
    say(moved && is(&seen.carry.rewind, &plain), "W_k* was not updated although k* moved".to_string());
    say(moved && is(&seen.carry.weights, &plain), "stale: captured from the weights at the epoch's start".to_string());
    if let Some(previous) = &seen.carry.previous {
        say(moved && is(&previous.0.weights_before, &plain), "stale: the previous epoch's weights".to_string());
    }
    say(is(base_of(moved, seen), &|_, w| -w), "the sign of W_k* is turned".to_string());
    let masked = "W_k* is masked: eliminated weights are set to 0 in it";
    let base = base_of(moved, seen);
    let is_masked = is(base, &alive_after) || is(base, &alive_before);
    say(is_masked && !(moved && keeps_eliminated(seen)), masked.to_string());
    let factor = seen.known.t.and_then(|t| usize::try_from(t).ok());
    let factor = factor.and_then(|t| decay_factor::<DoubleDouble>(seen.trace.header.hyper.lambda, t).ok());
    if let Some(factor) = factor {
        let t = seen.known.t.and_then(|t| u64::try_from(t).ok()).unwrap_or(0);
        let near = seen.arithmetic.decayed(seen.trace.header.hyper.lambda, t).unwrap_or(0.0);
        let eps = seen.trace.header.hyper.eps;
        let product = |w: f64| (DoubleDouble::from(w) * factor).to_f64();
        // In place: of selected weights alone, or of all, cut at eps or not.
        let decayed =
            |w: f64, got: f64| got == w || is_near(got, product(w), near) || got == 0.0 && product(w).abs() < eps;
        let shrinks = |w: f64, got: f64| got != w && got != 0.0 && is_near(got, product(w), near);
        let some_differ = t > 0 && any(base, &shrinks);
        say(some_differ && holds(base, &decayed), "the decay is applied to W_k* in place".to_string());
    }
    say(is(base, &|_, w| f16::from_f64(w).to_f64()), "W_k* is kept in half precision".to_string());
    say(is(base, &|_, w| bf16::from_f64(w).to_f64()), "W_k* is kept in bfloat16".to_string());
    causes
}

/// Whether W_k* stays what it is in some epoch whose pruning changes the weights: an alias of them would not.
fn stays_elsewhere(seen: &Seen) -> bool {
    let Some(parameter) = seen.trace.prunable().first() else { return false };
    let of = |k: usize, quantity: &str| seen.trace.floats(&of_parameter(k, quantity, parameter)).ok().flatten();
    let k_star = |k: usize| seen.trace.integer(k, "k_star").ok().flatten();
    let stays = |k: usize| {
        let Some(before) = k.checked_sub(1).filter(|&before| k_star(before).is_some()) else { return false };
        let (now, pruned) = (of(k, "rewind"), of(k, "weights_after"));
        k_star(before) == k_star(k) && now.is_some() && now == of(before, "rewind") && pruned.is_some() && now != pruned
    };
    seen.trace.epochs().any(stays)
}

/// Whether W_k* of some epoch holds a number for a weight that is eliminated by then.
fn keeps_eliminated(seen: &Seen) -> bool {
    seen.trace.epochs().any(|k| {
        seen.trace.prunable().iter().any(|parameter| {
            let rewind = seen.trace.floats(&of_parameter(k, "rewind", parameter)).ok().flatten();
            let mask = seen.trace.mask(&of_parameter(k, "mask", parameter), parameter).ok().flatten();
            let is_kept = |(w, alive): (&f64, &bool)| *w != 0.0 && !alive;
            rewind.zip(mask).is_some_and(|(rewind, mask)| rewind.iter().zip(&mask).any(is_kept))
        })
    })
}

/// Whether the epoch's t is counted from this k*, as far as that is known: a rewind point that moves before the pruning
/// gives t = 0, one that moves after it does not.
fn steps_from(seen: &Seen, k_star: Option<i64>) -> bool {
    match (seen.recorded.t, k_star) {
        (Some(t), Some(k_star)) if seen.reading().decay_step == DecayStep::SinceRewind => t == seen.k as i64 - k_star,
        _ => true,
    }
}

/// k* of *fixed rewind*.
fn of_fixed_rewind(seen: &Seen) -> Vec<String> {
    let mut causes = Vec::new();
    let mut say = |holds: bool, cause: String| {
        if holds {
            causes.push(cause);
        }
    };
    let moves = seen.known.moved == Some(true);
    let improves = seen.known.s_f.zip(seen.known.min_before).map(|(s_f, m)| s_f.less_than(m));
    say(
        moves && improves == Some(Decision::Yes),
        format!("k* moves where S_F is a new minimum: {}", method(TracedMethod::Gdstar)),
    );
    say(!moves && never_moves(seen), format!("k* never moves: {}", method(TracedMethod::Reset)));
    if let Some(RewindsAt::Epoch(k)) = seen.trace.header.rewinds_at {
        say(moves && k.abs_diff(seen.k) == 1, format!("captured one epoch off {k}: epochs are counted from another"));
        say(moves && seen.k > k, format!("k* moves on after epoch {k}"));
    }
    causes
}

/// What W_k* should be equal to.
fn base_of<'a>(moved: bool, seen: &Seen<'a>) -> &'a Field<f64> {
    if moved { &seen.recorded.weights_before } else { &seen.carry.rewind }
}
