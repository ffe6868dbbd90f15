//! Known mistakes in Eq. 9: other operands, other decays, other thresholds.

use crate::oracle::claims::mistakes::{COARSEST, UNBOUNDED, affected, is_near, reading};
use crate::oracle::interval::Decision;
use crate::oracle::outcome::Outcome;
use crate::oracle::seen::Seen;
use crate::paper::decay::decay_factor;
use crate::paper::reading::{DecayStep, RewindUpdate, Threshold};
use crate::scalar::{DoubleDouble, Scalar};
use crate::trace::TracedParameter;
use std::collections::BTreeSet;

/// What Eq. 9 sees of one weight.
#[derive(Clone, Copy)]
struct Weight {
    before: f64,
    star: f64,
    initial: f64,
    stale_star: f64,
    /// The parameter's largest `|w*|`.
    largest: f64,
    alive: bool,
    selected: bool,
}

/// One number per weight.
type Guess<'a> = Box<dyn Fn(&Weight) -> f64 + 'a>;

/// Which mistakes give the port's weights.
pub(crate) fn causes(seen: &Seen, outcome: &Outcome) -> Vec<String> {
    let Some(t) = seen.known.t.and_then(|t| usize::try_from(t).ok()) else { return Vec::new() };
    let relative = seen.arithmetic.decayed(seen.trace.header.hyper.lambda, t as u64).unwrap_or(UNBOUNDED).min(COARSEST);
    let guesses = guesses(seen, t);
    let mut surviving: Vec<bool> = vec![true; guesses.len()];
    let mut compared = false;
    for (p, parameter) in affected(seen, &outcome.findings) {
        let Some(found) = seen.recorded.weights_after.of(p, parameter) else { continue };
        if p >= seen.trace.prunable().len() {
            return vec!["a parameter outside W (a bias) is rewound, decayed or pruned too".to_string()];
        }
        let Some(weights) = weights(seen, p, parameter) else { continue };
        compared = true;
        for ((_, guess), survives) in guesses.iter().zip(&mut surviving).filter(|(_, survives)| **survives) {
            *survives = found.iter().zip(&weights).all(|(&got, w)| is_near(got, guess(w), 2.0 * relative));
        }
    }
    let matching = guesses.into_iter().zip(surviving).filter(|(_, survives)| *survives && compared);
    let causes: Vec<String> = matching.map(|((cause, _), _)| cause).collect();
    if causes.is_empty() { exponents(seen, outcome, relative).into_iter().collect() } else { causes }
}

/// Whether selected weights are decayed by whole powers of lambda that are not all one: each has a count of its own.
fn exponents(seen: &Seen, outcome: &Outcome, relative: f64) -> Option<String> {
    let hyper = seen.trace.header.hyper;
    if hyper.lambda >= 1.0 {
        return None;
    }
    let mut exponents = BTreeSet::new();
    for (p, parameter) in affected(seen, &outcome.findings) {
        let (found, weights) = (seen.recorded.weights_after.of(p, parameter)?, weights(seen, p, parameter)?);
        let is_decayed = |got: f64, w: &Weight| w.alive && w.selected && got != 0.0 && w.star != 0.0;
        for (&got, w) in found.iter().zip(&weights).filter(|(got, w)| is_decayed(**got, w)) {
            let exponent = (libm::log(got / w.star) / libm::log(hyper.lambda)).round();
            let is_power = is_near(got, w.star * libm::pow(hyper.lambda, exponent), 4.0 * relative);
            if !is_power || !(0.0..=f64::from(u16::MAX)).contains(&exponent) {
                return None;
            }
            exponents.insert(exponent as u32);
        }
    }
    (exponents.len() > 1).then(|| {
        "each weight has an exponent of its own: lambda to a count that every weight keeps, not to t".to_string()
    })
}

/// What Eq. 9 sees of a parameter; `None` where an operand is missing.
fn weights(seen: &Seen, p: usize, parameter: &TracedParameter) -> Option<Vec<Weight>> {
    let before = seen.recorded.weights_before.of(p, parameter);
    let star = seen.known.w_star.of(p, parameter)?;
    let before = before.unwrap_or(star);
    let initial = seen.carry.initial.of(p, parameter);
    let stale = seen.carry.rewind.of(p, parameter);
    let alive = seen.known.alive.of(p, parameter)?;
    let selected = seen.known.selected.of(p, parameter)?;
    let largest = star.iter().fold(0.0, |largest: f64, w| largest.max(w.abs()));
    let weight = |j: usize| Weight {
        largest,
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
fn guesses<'a>(seen: &Seen, t: usize) -> Vec<(String, Guess<'a>)> {
    let (hyper, now) = (seen.trace.header.hyper, *seen.reading());
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
    let more: [(&str, f64); 11] = [
        ("lambda^(t/2) for lambda^t", factor.sqrt()),
        ("lambda^(2t) for lambda^t", factor * factor),
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
        (DecayStep::Epoch, Some(seen.k)),
        (DecayStep::RewindEpoch, seen.known.decay_k_star.and_then(|k_star| usize::try_from(k_star).ok())),
        (DecayStep::Iteration, seen.carry.steps.map(|steps| steps + seen.trace.batches(seen.k))),
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
    add(
        "w* lambda^t is blended with w: w* lambda^t + (1 - lambda^t) w".to_string(),
        Box::new(move |w| apply(w, cut(w.star * factor + (1.0 - factor) * w.before))),
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
    let relative = move |w: &Weight| apply(w, product(w).abs() >= eps * w.largest);
    add("eps is taken relative to the parameter's largest |w*|".to_string(), Box::new(relative));
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
