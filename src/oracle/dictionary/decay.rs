//! Known mistakes in Eq. 9 and Alg. 6: the decay step, the decayed weights, the mask.

use super::{COARSEST, Candidates, UNBOUNDED, affected, is_near, reading};
use crate::oracle::Decision;
use crate::oracle::check::{Carry, Epoch, Outcome};
use crate::oracle::report::Finding;
use crate::paper::decay::decay_factor;
use crate::paper::reading::{DecayStep, RewindUpdate, Threshold};
use crate::scalar::{DoubleDouble, Scalar};
use crate::trace::TracedParameter;

/// Which mistakes give the port's t.
pub(super) fn of_step(epoch: &Epoch, carry: &Carry, got: f64) -> Vec<String> {
    let (k, now) = (epoch.k as f64, epoch.reading().decay_step);
    let k_star = epoch.operands.decay_k_star.map(|k_star| k_star as f64);
    let batches = epoch.trace.batches(epoch.k) as f64;
    let since = k_star.map(|k_star| k - k_star);
    let mut c = Candidates::default();
    let mut choice = |step: DecayStep, what: &str, value: Option<f64>| {
        if step != now {
            c.add_known(format!("{what}: {}", reading("decay_step", step.name())), value);
        }
    };
    choice(DecayStep::SinceRewind, "t = k - k*", since);
    choice(DecayStep::Epoch, "t = k", Some(k));
    choice(DecayStep::Constant, "t = 1", Some(1.0));
    choice(DecayStep::RewindEpoch, "t = k*", k_star);
    choice(DecayStep::Iteration, "t counts optimizer steps", carry.steps.map(|steps| steps as f64 + batches));
    c.add_known("t is off by one: k - k* + 1", since.map(|t| t + 1.0));
    c.add_known("t is off by one: k - k* - 1", since.map(|t| t - 1.0));
    c.add_known("k and k* are swapped: k* - k", since.map(|t| -t));
    c.add_known("a stale k*: that of the previous epoch", carry.k_star.map(|k_star| k - k_star as f64));
    c.add_known("k* after the epoch's update", epoch.operands.k_star.map(|k_star| k - k_star as f64));
    c.add("t = 0 always", 0.0);
    c.add("t is off by one: k + 1", k + 1.0);
    c.add_known("t counts optimizer steps", carry.steps.map(|steps| steps as f64));
    c.add("t counts from the end: K - k", epoch.trace.header.hyper.epochs as f64 - k);
    c.add_known("stale: the previous epoch's t", carry.previous.as_ref().and_then(|p| p.1.t).map(|t| t as f64));
    c.matching(got, 0.0)
}

/// What Eq. 9 sees of one weight.
#[derive(Clone, Copy)]
struct Weight {
    before: f64,
    star: f64,
    initial: f64,
    stale_star: f64,
    alive: bool,
    selected: bool,
}

/// One number per weight.
type Guess<'a> = Box<dyn Fn(&Weight) -> f64 + 'a>;

/// Which mistakes give the port's weights.
pub(super) fn of_eq9(epoch: &Epoch, carry: &Carry, outcome: &Outcome) -> Vec<String> {
    let Some(t) = epoch.operands.t.and_then(|t| usize::try_from(t).ok()) else { return Vec::new() };
    let relative =
        epoch.arithmetic.decayed(epoch.trace.header.hyper.lambda, t as u64).unwrap_or(UNBOUNDED).min(COARSEST);
    let guesses = guesses(epoch, carry, t);
    let mut surviving: Vec<bool> = vec![true; guesses.len()];
    let mut compared = false;
    for (p, parameter) in affected(epoch, &outcome.findings) {
        let Some(found) = epoch.recorded.weights_after.of(p, parameter) else { continue };
        if p >= epoch.trace.prunable().len() {
            return vec!["a parameter outside W (a bias) is rewound, decayed or pruned too".to_string()];
        }
        let Some(weights) = weights(epoch, carry, p, parameter) else { continue };
        compared = true;
        for ((_, guess), survives) in guesses.iter().zip(&mut surviving).filter(|(_, survives)| **survives) {
            *survives = found.iter().zip(&weights).all(|(&got, w)| is_near(got, guess(w), 2.0 * relative));
        }
    }
    let matching = guesses.into_iter().zip(surviving).filter(|(_, survives)| *survives && compared);
    matching.map(|((cause, _), _)| cause).collect()
}

/// What Eq. 9 sees of a parameter; `None` where an operand is missing.
fn weights(epoch: &Epoch, carry: &Carry, p: usize, parameter: &TracedParameter) -> Option<Vec<Weight>> {
    let before = epoch.recorded.weights_before.of(p, parameter);
    let star = epoch.operands.w_star.of(p, parameter)?;
    let before = before.unwrap_or(star);
    let initial = carry.initial.of(p, parameter);
    let stale = carry.rewind.of(p, parameter);
    let alive = epoch.operands.alive.of(p, parameter)?;
    let selected = epoch.operands.selected.of(p, parameter)?;
    let weight = |j: usize| Weight {
        before: before[j],
        star: star[j],
        initial: initial.map_or(f64::NAN, |initial| initial[j]),
        stale_star: stale.map_or(f64::NAN, |stale| stale[j]),
        alive: alive[j],
        selected: selected[j] == Decision::Yes,
    };
    Some((0..parameter.range.len()).map(weight).collect())
}

/// Every mistake's weights.
fn guesses<'a>(epoch: &Epoch, carry: &Carry, t: usize) -> Vec<(String, Guess<'a>)> {
    let (hyper, now) = (epoch.trace.header.hyper, *epoch.reading());
    let (lambda, eps) = (hyper.lambda, hyper.eps);
    let power = |t: usize| decay_factor::<DoubleDouble>(lambda, t).map_or(f64::NAN, Scalar::to_f64);
    let factor = power(t);
    let cut = move |w: f64| if w.abs() >= eps { w } else { 0.0 };
    let all_cut = now.threshold == Threshold::All;
    // What everything but the mistake does: living selected weights become `new`, the others stay.
    let apply = move |w: &Weight, new: f64| match (w.alive, w.selected) {
        (false, _) => 0.0,
        (true, true) => new,
        (true, false) if all_cut => cut(w.before),
        (true, false) => w.before,
    };
    let mut all: Vec<(String, Guess)> = Vec::new();
    let mut add = |cause: String, guess: Guess<'a>| all.push((cause, guess));
    add("selected weights are set to 0 at once".to_string(), Box::new(move |w| apply(w, 0.0)));
    let steps: [(&str, f64); 5] = [
        ("lambda^(t+1) for lambda^t: t is off by one", power(t.saturating_add(1))),
        ("lambda^(t-1) for lambda^t: t is off by one", if t > 0 { power(t - 1) } else { 1.0 / lambda }),
        ("lambda t for lambda^t", lambda * t as f64),
        ("(1 - lambda)^t for lambda^t", libm::pow(1.0 - lambda, t as f64)),
        ("exp(-lambda t) for lambda^t", libm::exp(-lambda * t as f64)),
    ];
    for (cause, factor) in steps {
        add(cause.to_string(), Box::new(move |w| apply(w, cut(w.star * factor))));
    }
    let more: [(&str, f64); 9] = [
        ("a linear decay, 1 - (1 - lambda) t for lambda^t", 1.0 - (1.0 - lambda) * t as f64),
        ("lambda is rounded to f32", libm::pow(f64::from(lambda as f32), t as f64)),
        ("no decay: W_k* as it is", 1.0),
        ("lambda for lambda^t: decayed by one step", lambda),
        ("divided by lambda^t", 1.0 / factor),
        ("1 - lambda^t for lambda^t", 1.0 - factor),
        ("1 - lambda t for lambda^t", 1.0 - lambda * t as f64),
        (
            "lambda^(1 + 2 + .. + t): the decay compounds, as with an alias of the live weights",
            power(t.saturating_mul(t.saturating_add(1)) / 2),
        ),
        ("t^lambda for lambda^t", libm::pow(t as f64, lambda)),
    ];
    for (cause, factor) in more {
        add(cause.to_string(), Box::new(move |w| apply(w, cut(w.star * factor))));
    }
    for (step, value) in [
        (DecayStep::Constant, Some(1)),
        (DecayStep::Epoch, Some(epoch.k)),
        (DecayStep::RewindEpoch, epoch.operands.decay_k_star.and_then(|k_star| usize::try_from(k_star).ok())),
        (DecayStep::Iteration, carry.steps.map(|steps| steps + epoch.trace.batches(epoch.k))),
    ] {
        if let Some(factor) = value.filter(|_| step != now.decay_step).map(power) {
            let cause = format!("decayed with another t: {}", reading("decay_step", step.name()));
            add(cause, Box::new(move |w| apply(w, cut(w.star * factor))));
        }
    }
    let alias = reading("rewind_copy", "alias");
    add(
        format!("decay of w, not of w*: the live weights are multiplied by lambda^t ({alias})"),
        Box::new(move |w| apply(w, cut(w.before * factor))),
    );
    add("decay of W_0, not of W_k*: reset to W_0".to_string(), Box::new(move |w| apply(w, cut(w.initial * factor))));
    let stale = match now.rewind_update {
        RewindUpdate::BeforePruning => {
            format!("a stale W_k*, the previous epoch's: {}", reading("rewind_update", "after-pruning"))
        }
        RewindUpdate::AfterPruning => "a stale W_k*, the previous epoch's".to_string(),
    };
    add(stale, Box::new(move |w| apply(w, cut(w.stale_star * factor))));
    thresholds(&mut add, factor, eps, now.threshold);
    add(
        "selected weights are left as they are: no rewind, no decay".to_string(),
        Box::new(move |w| apply(w, w.before)),
    );
    add(
        "every weight is rewound, selected or not".to_string(),
        Box::new(move |w| if w.alive { cut(w.star * factor) } else { 0.0 }),
    );
    add(
        "the selection is inverted: the weights that are not selected are rewound".to_string(),
        Box::new(move |w| match (w.alive, w.selected) {
            (false, _) => 0.0,
            (true, false) => cut(w.star * factor),
            (true, true) => w.before,
        }),
    );
    add(
        "the mask is ignored: an eliminated weight that is selected comes back (resurrected)".to_string(),
        Box::new(move |w| match (w.alive, w.selected) {
            (_, true) => cut(w.star * factor),
            (alive, false) => {
                if alive {
                    w.before
                } else {
                    w.before * 0.0
                }
            }
        }),
    );
    add(
        "eliminated weights take their rewind values (resurrected)".to_string(),
        Box::new(move |w| if w.alive { apply(w, cut(w.star * factor)) } else { cut(w.star * factor) }),
    );
    add(
        "the mean of w and w* lambda^t".to_string(),
        Box::new(move |w| apply(w, cut(0.5 * (w.before + w.star * factor)))),
    );
    add("the sign is lost".to_string(), Box::new(move |w| apply(w, cut((w.star * factor).abs()))));
    add("the sign is turned".to_string(), Box::new(move |w| apply(w, cut(-w.star * factor))));
    all
}

/// Mistakes in the indicator of Eq. 9.
fn thresholds<'a>(add: &mut impl FnMut(String, Guess<'a>), factor: f64, eps: f64, now: Threshold) {
    let product = move |w: &Weight| w.star * factor;
    let apply = move |w: &Weight, keeps: bool| match (w.alive, w.selected) {
        (false, _) => 0.0,
        (true, true) => {
            if keeps {
                product(w)
            } else {
                0.0
            }
        }
        (true, false) if now == Threshold::All && w.before.abs() < eps => 0.0,
        (true, false) => w.before,
    };
    let mut rule = |cause: &str, keeps: fn(f64, f64) -> bool| {
        add(cause.to_string(), Box::new(move |w| apply(w, keeps(product(w), eps))));
    };
    rule("> for >=: a weight of size eps is eliminated", |w, eps| w.abs() > eps);
    rule("no absolute value in the threshold: every negative weight is eliminated", |w, eps| w >= eps);
    rule("no threshold: weights below eps stay", |_, _| true);
    rule("the threshold is turned: weights above eps are eliminated", |w, eps| w.abs() < eps);
    rule("eps^2 for eps", |w, eps| w.abs() >= eps * eps);
    rule("sqrt(eps) for eps", |w, eps| w.abs() >= eps.sqrt());
    rule("w^2 is compared with eps", |w, eps| w * w >= eps);
    rule("10 eps for eps", |w, eps| w.abs() >= 10.0 * eps);
    rule("eps / 10 for eps", |w, eps| w.abs() >= eps / 10.0);
    add("the threshold is taken before the decay, of w*".to_string(), Box::new(move |w| apply(w, w.star.abs() >= eps)));
    add(
        "the threshold is taken of w, not of w* lambda^t".to_string(),
        Box::new(move |w| apply(w, w.before.abs() >= eps)),
    );
    let other = if now == Threshold::All { Threshold::Selected } else { Threshold::All };
    let value = move |w: &Weight| match (w.alive, w.selected) {
        (false, _) => 0.0,
        (true, true) => {
            if product(w).abs() >= eps {
                product(w)
            } else {
                0.0
            }
        }
        (true, false) if other == Threshold::All && w.before.abs() < eps => 0.0,
        (true, false) => w.before,
    };
    add(format!("eps acts on other weights: {}", reading("threshold", other.name())), Box::new(value));
}

/// What revived eliminated weights at the start of an epoch, or changed the mask.
pub(super) fn of_start(epoch: &Epoch, carry: &Carry, first: &Finding) -> Vec<String> {
    if first.tensor.contains("/weights_before/") {
        let revived =
            "the mask is not applied after the optimizer's step: momentum or the gradient revives eliminated weights";
        return vec![revived.to_string()];
    }
    let (found, left) = (&epoch.recorded.mask_before.values, &carry.mask.values);
    let mut causes = Vec::new();
    if found.iter().all(|&alive| alive) {
        causes.push("the mask is forgotten: every weight is alive again (mask resurrected)".to_string());
    }
    if let Some(previous) = &carry.previous
        && previous.1.alive.values == *found
    {
        causes.push("a stale mask: that of the start of the previous epoch".to_string());
    }
    if found.iter().zip(left).all(|(found, left)| found != left) {
        causes.push("the mask is inverted".to_string());
    }
    if epoch.recorded.weights_before.values.iter().zip(found).all(|(w, &alive)| (*w != 0.0) == alive) {
        causes.push(
            "the mask is taken from the weights that are not 0: one that the optimizer moves is resurrected"
                .to_string(),
        );
    }
    if causes.is_empty() && found.iter().zip(left).any(|(&found, &left)| found && !left) {
        causes.push("eliminated weights come back: mask resurrected".to_string());
    }
    causes
}

/// Which mistakes give the port's mask.
pub(super) fn of_mask(epoch: &Epoch, outcome: &Outcome) -> Vec<String> {
    let eps = epoch.trace.header.hyper.eps;
    let affected = affected(epoch, &outcome.findings);
    let says = |rule: &dyn Fn(bool, bool, f64, f64) -> bool| {
        let mut any = false;
        for &(p, parameter) in &affected {
            let (Some(found), Some(alive)) =
                (epoch.recorded.mask.of(p, parameter), epoch.operands.alive.of(p, parameter))
            else {
                return false;
            };
            let selected = epoch.operands.selected.of(p, parameter);
            let after = epoch.recorded.weights_after.of(p, parameter);
            let before = epoch.recorded.weights_before.of(p, parameter);
            any = true;
            for (j, &flag) in found.iter().enumerate() {
                let chosen = selected.is_some_and(|s| s[j] == Decision::Yes);
                let (after, before) = (after.map_or(f64::NAN, |w| w[j]), before.map_or(f64::NAN, |w| w[j]));
                if rule(alive[j], chosen, after, before) != flag {
                    return false;
                }
            }
        }
        any
    };
    let mut causes = Vec::new();
    let mut try_rule = |cause: &str, rule: &dyn Fn(bool, bool, f64, f64) -> bool| {
        if says(rule) {
            causes.push(cause.to_string());
        }
    };
    try_rule(
        "mask = not selected: every selected weight is taken out, not only those below eps",
        &|alive, chosen, _, _| alive && !chosen,
    );
    try_rule("mask = not selected, and eliminated weights are resurrected", &|_, chosen, _, _| !chosen);
    try_rule("mask = selected: the flags are inverted", &|_, chosen, _, _| chosen);
    try_rule("the mask is not updated: eliminated weights stay in it", &|alive, _, _, _| alive);
    try_rule("the mask holds every weight: eliminated ones are resurrected", &|_, _, _, _| true);
    try_rule("the mask is inverted", &|_, _, after, _| after == 0.0);
    try_rule(
        "the mask is taken from this epoch's weights alone: eliminated ones are resurrected",
        &|_, _, after, _| after != 0.0,
    );
    try_rule("every weight below eps is taken out of the mask, selected or not", &|alive, _, after, _| {
        alive && after.abs() >= eps
    });
    try_rule(
        "weights below eps that are not selected stay in the mask (eps acts on every weight)",
        &|alive, chosen, after, _| alive && (!chosen || after != 0.0),
    );
    try_rule(
        "the mask is taken from this epoch's threshold alone: eliminated weights are resurrected",
        &|_, chosen, after, _| !chosen || after != 0.0,
    );
    try_rule("the mask is taken from the weights before the decay", &|alive, _, _, before| {
        alive && before.abs() >= eps
    });
    causes
}
