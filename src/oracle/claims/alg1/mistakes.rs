//! Known mistakes in the optimizer's steps: the epoch is run again under each.

use super::fitted;
use super::mistake::{Mistake, mistake};
use crate::error::Result;
use crate::oracle::claims::descent::{Descent, Rule};
use crate::oracle::claims::mistakes::{affected, is_bf16, reading};
use crate::oracle::outcome::Outcome;
use crate::oracle::seen::Seen;
use crate::oracle::sgd::Clipping;
use crate::paper::reading::{LearningRateStep, MomentumOnPrune};
use crate::trace::names::gradient;
use crate::trace::{Schedule, TracedParameter};
use crate::train::cosine_learning_rate;

fn mistakes(seen: &Seen) -> Vec<Mistake> {
    let mut all = choices(seen);
    all.extend(rules(seen));
    all.extend(rates(seen));
    all
}

/// Other readings.
fn choices(seen: &Seen) -> Vec<Mistake> {
    let Some(sgd) = seen.trace.header.sgd else { return Vec::new() };
    let (epochs, index, base) = (seen.trace.header.hyper.epochs, seen.index, sgd.lr);
    let mut all = Vec::new();
    let is_cosine = seen.trace.header.optimizer.schedule == Schedule::Cosine;
    match (seen.reading().learning_rate, seen.carry.steps) {
        (LearningRateStep::PerEpoch, Some(steps)) if is_cosine => {
            let cause = format!("the learning rate moves every step: {}", reading("learning_rate", "per-step"));
            let total = epochs * seen.trace.batches(seen.k);
            all.push(mistake(cause, move |rule, i| Rule {
                rate: cosine_learning_rate(base, steps + i, total),
                ..rule
            }));
        }
        (LearningRateStep::PerStep, _) if is_cosine => {
            let cause = format!("the learning rate moves once an epoch: {}", reading("learning_rate", "per-epoch"));
            all.push(mistake(cause, move |rule, _| Rule { rate: cosine_learning_rate(base, index, epochs), ..rule }));
        }
        _ => {}
    }
    let (forgets, choice, what) = match seen.reading().momentum_on_prune {
        MomentumOnPrune::ZeroSelected => (false, MomentumOnPrune::Zero, "keep their momentum"),
        _ => (true, MomentumOnPrune::ZeroSelected, "lose their momentum"),
    };
    let cause = format!("weights that are selected {what}: {}", reading("momentum_on_prune", choice.name()));
    all.push(Mistake { forgets_selected: Some(forgets), ..mistake(cause, |rule, _| rule) });
    all
}

/// Other rules than SGD with momentum.
fn rules(seen: &Seen) -> Vec<Mistake> {
    let Some(sgd) = seen.trace.header.sgd else { return Vec::new() };
    let (epochs, index, carry_steps) = (seen.trace.header.hyper.epochs, seen.index, seen.carry.steps);
    // What the buffer of a port that has the rate inside holds at the epoch's start, in units of the right one.
    let before = if index > 0 { cosine_learning_rate(sgd.lr, index - 1, epochs) } else { 1.0 };
    let mut all = vec![
        mistake("no momentum", |rule, _| Rule { momentum: 0.0, ..rule }),
        mistake("neither momentum nor weight decay", |rule, _| Rule { momentum: 0.0, weight_decay: 0.0, ..rule }),
        mistake("the momentum is multiplied by 1 - momentum", |rule, _| Rule { momentum: 1.0 - rule.momentum, ..rule }),
        mistake("weight decay is subtracted from the gradient, not added", |rule, _| Rule {
            weight_decay: -rule.weight_decay,
            ..rule
        }),
        mistake("decoupled weight decay (AdamW's), not in the gradient", |rule, _| Rule { decoupled: true, ..rule }),
        match seen.trace.header.optimizer.nesterov {
            false => mistake("Nesterov momentum: declare `nesterov`", |rule, _| Rule { nesterov: true, ..rule }),
            true => mistake("the momentum is not Nesterov's", |rule, _| Rule { nesterov: false, ..rule }),
        },
        mistake("dampening: (1 - momentum) g enters the buffer", |rule, _| Rule { dampening: rule.momentum, ..rule }),
        // PyTorch's first step takes the gradient whole.
        mistake("dampening: (1 - momentum) g enters the buffer after the first step", move |rule, i| {
            let first = carry_steps == Some(0) && i == 0;
            Rule { dampening: if first { 0.0 } else { rule.momentum }, ..rule }
        }),
        Mistake {
            buffer: before,
            ..mistake("the learning rate is inside the momentum buffer", |rule, _| Rule {
                rate_in_buffer: true,
                ..rule
            })
        },
        mistake("weight decay counted twice", |rule, _| Rule { weight_decay: 2.0 * rule.weight_decay, ..rule }),
        mistake("half the weight decay", |rule, _| Rule { weight_decay: 0.5 * rule.weight_decay, ..rule }),
        mistake("the gradient is added, not subtracted", |rule, _| Rule { rate: -rule.rate, ..rule }),
        Mistake { skips: |i, last| i == last, ..mistake("the last batch's step is missing", |rule, _| rule) },
        Mistake { skips: |i, _| i == 0, ..mistake("the first batch's step is missing", |rule, _| rule) },
        Mistake { buffer: 0.0, ..mistake("the momentum is forgotten at the start of every epoch", |rule, _| rule) },
        mistake("no gradient reaches the weights", |rule, _| Rule {
            clipping: Clipping::Scaled { factor: 0.0, error: 0.0 },
            ..rule
        }),
    ];
    if seen.trace.header.optimizer.clip.is_some() {
        all.push(mistake("the gradients are not clipped", |rule, _| Rule { clipping: Clipping::None, ..rule }));
    }
    if !seen.trace.header.optimizer.no_decay.is_empty() {
        let decay = sgd.weight_decay;
        all.push(mistake("parameters of `no_decay` decay", move |rule, _| Rule { weight_decay: decay, ..rule }));
    }
    all
}

/// Other learning rates.
fn rates(seen: &Seen) -> Vec<Mistake> {
    let Some(sgd) = seen.trace.header.sgd else { return Vec::new() };
    let (epochs, index, base) = (seen.trace.header.hyper.epochs, seen.index, sgd.lr);
    let cosine = move |step: usize, total: usize| cosine_learning_rate(base, step, total);
    let with_rate = |cause: &str, rate: f64| mistake(cause, move |rule, _| Rule { rate, ..rule });
    let mut all = vec![
        with_rate("the learning rate does not decay: it is constant", base),
        with_rate("the learning rate of the next epoch (stepped too early)", cosine(index + 1, epochs)),
        with_rate(
            "the learning rate of the previous epoch (stepped too late)",
            cosine(index.saturating_sub(1), epochs),
        ),
        with_rate(
            "a quarter of the cosine, cos(pi k / 2K)",
            base * libm::cos(0.5 * std::f64::consts::PI * index as f64 / epochs as f64),
        ),
        with_rate("the learning rate decays linearly", base * (1.0 - index as f64 / epochs as f64)),
        with_rate("the cosine runs over K - 1 epochs", cosine(index, epochs.saturating_sub(1))),
    ];
    if let Some(steps) = seen.carry.steps {
        let total = epochs * (seen.trace.batches(seen.k) + 1);
        all.push(mistake(
            "the scheduler is stepped after every batch, its length (T_max) counts epochs",
            move |rule, i| Rule { rate: cosine(steps + i, epochs), ..rule },
        ));
        all.push(mistake(
            "the schedule's length counts one batch an epoch more: the last, short batch is dropped from training alone",
            move |rule, i| Rule { rate: cosine(steps + i, total), ..rule },
        ));
    }
    all
}

/// Steps without weight decay; told by name where other parameters do decay.
fn without_decay(seen: &Seen, affected: &[(usize, &TracedParameter)]) -> Result<Mistake> {
    let steps = |cause: String| mistake(cause, |rule, _| Rule { weight_decay: 0.0, ..rule });
    let recorded = seen.recorded.weights_before.present.iter().zip(seen.trace.parameters()).enumerate();
    let all: Vec<_> = recorded.filter(|(_, (there, _))| **there).map(|(p, (_, parameter))| (p, parameter)).collect();
    let nowhere = "no weight decay, or it is in the recorded gradients already, by a penalty in the loss".to_string();
    if surviving(seen, &all, vec![steps(nowhere.clone())])?.is_some_and(|named| !named.is_empty()) {
        return Ok(steps(nowhere));
    }
    let names: Vec<String> = affected.iter().map(|(_, parameter)| format!("`{}`", parameter.name)).collect();
    Ok(steps(format!("no weight decay of {}: declare `no_decay`", names.join(", "))))
}

/// Which mistakes take the weights where the port's are.
///
/// # Errors
/// [`crate::Error::Io`].
pub(crate) fn causes(seen: &Seen, outcome: &Outcome) -> Result<Vec<String>> {
    let affected = affected(seen, &outcome.findings);
    let mut tried = mistakes(seen);
    tried.insert(0, without_decay(seen, &affected)?);
    let mut named = surviving(seen, &affected, tried)?;
    if named.as_ref().is_some_and(Vec::is_empty)
        && let Some(&(p, parameter)) = affected.first()
        && let Some(found) = seen.recorded.weights_before.of(p, parameter)
        && let Some(gradients) = gradients(seen, parameter)?
    {
        let fitted = fitted::mistakes(seen, (p, parameter), &gradients, found)?;
        named = surviving(seen, &affected, fitted)?;
    }
    let Some(named) = named else { return Ok(Vec::new()) };
    let stored = |&(p, parameter): &(usize, &TracedParameter)| {
        seen.recorded.weights_before.of(p, parameter).is_some_and(|w| w.iter().all(|&w| is_bf16(w)))
    };
    Ok(match named.is_empty() {
        true if affected.iter().all(stored) => {
            vec!["rounded as in bf16 arithmetic: declare `u_out`, or compute wider".to_string()]
        }
        // Steps of another kind are everywhere: one number that is off was corrupted.
        true if 2 * outcome.total > outcome.compared => vec![
            "no known mistake in SGD's steps: an optimizer (Adam, ..), clipping, a schedule or parameters without decay \
             that the header does not declare (`optimizer`, `clip`, `schedule`, `no_decay`)"
                .to_string(),
        ],
        _ => named,
    })
}

/// The mistakes that explain every affected parameter; `None` where there is nothing to compare.
fn surviving(
    seen: &Seen,
    affected: &[(usize, &TracedParameter)],
    mut tried: Vec<Mistake>,
) -> Result<Option<Vec<String>>> {
    let mut compared = false;
    for &(p, parameter) in affected {
        let Some(found) = seen.recorded.weights_before.of(p, parameter) else { continue };
        let Some(gradients) = gradients(seen, parameter)? else { continue };
        tried.retain(|mistake| reaches(seen, (p, parameter), &gradients, found, mistake));
        compared = true;
    }
    Ok(compared.then(|| tried.into_iter().map(|mistake| mistake.cause).collect()))
}

fn gradients(seen: &Seen, parameter: &TracedParameter) -> Result<Option<Vec<Vec<f64>>>> {
    (0..seen.trace.batches(seen.k)).map(|i| seen.trace.floats(&gradient(seen.k, i, parameter))).collect()
}

/// Whether the mistake's steps end at the weights that were found, within the right steps' bound.
fn reaches(
    seen: &Seen,
    (p, parameter): (usize, &TracedParameter),
    gradients: &[Vec<f64>],
    found: &[f64],
    mistake: &Mistake,
) -> bool {
    let start = match mistake.forgets_selected {
        None => Descent::start(seen, p, parameter),
        Some(forgets) => Descent::start_with_momentum(seen, p, parameter).and_then(|mut descent| {
            if forgets {
                descent.forget_selected(seen, p, parameter)?;
            }
            Some(descent)
        }),
    };
    let Some(mut descent) = start else { return false };
    descent.scale_momentum(mistake.buffer);
    let alive = seen.known.alive.of(p, parameter);
    for (i, gradient) in gradients.iter().enumerate() {
        let Some(rule) = Rule::of(seen, &seen.known.clipping, (i, gradients.len()), parameter) else { return false };
        if (mistake.skips)(i, gradients.len() - 1) {
            continue;
        }
        descent.step(gradient, &(mistake.rule)(rule, i));
        if let Some(alive) = alive {
            descent.hold(alive);
        }
    }
    (0..found.len()).filter(|&j| alive.is_none_or(|alive| alive[j])).all(|j| descent.weight(j).contains(found[j]))
}
