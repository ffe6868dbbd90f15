//! Known mistakes in the optimizer's steps: the epoch is run again under each.

use super::{affected, is_bf16, reading};
use crate::error::Result;
use crate::oracle::check::{Carry, Descent, Epoch, Outcome, Rule, gradient_name};
use crate::oracle::trace::TracedParameter;
use crate::paper::reading::LearningRateStep;
use crate::train::cosine_learning_rate;

/// A mistake: what it makes of the right rule at step `i` of an epoch, and which batches it steps through.
struct Mistake {
    cause: String,
    rule: Box<dyn Fn(Rule, usize) -> Rule>,
    skips: fn(usize, usize) -> bool,
    /// What the momentum is multiplied by at the epoch's start.
    buffer: f64,
    /// The gradient that a step uses.
    gradient: fn(f64) -> f64,
}

fn mistake(cause: impl Into<String>, rule: impl Fn(Rule, usize) -> Rule + 'static) -> Mistake {
    Mistake { cause: cause.into(), rule: Box::new(rule), skips: |_, _| false, buffer: 1.0, gradient: |g| g }
}

fn mistakes(epoch: &Epoch, carry: &Carry) -> Vec<Mistake> {
    let Some(sgd) = epoch.trace.header.sgd else { return Vec::new() };
    let (epochs, index, base) = (epoch.trace.header.hyper.epochs, epoch.index, sgd.lr);
    let (batches, carry_steps) = (epoch.trace.batches(epoch.k), carry.steps);
    // What the buffer of a port that has the rate inside holds at the epoch's start, in units of the right one.
    let before = if index > 0 { cosine_learning_rate(base, index - 1, epochs) } else { 1.0 };
    let cosine = move |step: usize, total: usize| cosine_learning_rate(base, step, total);
    let with_rate = |cause: String, rate: f64| mistake(cause, move |rule, _| Rule { rate, ..rule });
    let mut all = vec![
        mistake("no momentum", |rule, _| Rule { momentum: 0.0, ..rule }),
        mistake("no weight decay", |rule, _| Rule { weight_decay: 0.0, ..rule }),
        mistake("decoupled weight decay (AdamW's), not in the gradient", |rule, _| Rule { decoupled: true, ..rule }),
        mistake("Nesterov momentum", |rule, _| Rule { nesterov: true, ..rule }),
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
        with_rate("the learning rate does not decay: it is constant".to_string(), base),
        with_rate("the learning rate of the next epoch (stepped too early)".to_string(), cosine(index + 1, epochs)),
        with_rate(
            "the learning rate of the previous epoch (stepped too late)".to_string(),
            cosine(index.saturating_sub(1), epochs),
        ),
        with_rate("the learning rate decays linearly".to_string(), base * (1.0 - index as f64 / epochs as f64)),
        with_rate("the cosine runs over K - 1 epochs".to_string(), cosine(index, epochs.saturating_sub(1))),
        mistake("the gradient is added, not subtracted", |rule, _| Rule { rate: -rule.rate, ..rule }),
        Mistake { skips: |i, last| i == last, ..mistake("the last batch's step is missing", |rule, _| rule) },
        Mistake { skips: |i, _| i == 0, ..mistake("the first batch's step is missing", |rule, _| rule) },
        Mistake { buffer: 0.0, ..mistake("the momentum is forgotten at the start of every epoch", |rule, _| rule) },
        Mistake { gradient: |_| 0.0, ..mistake("no gradient reaches the weights", |rule, _| rule) },
    ];
    match (epoch.reading().learning_rate, carry.steps) {
        (LearningRateStep::PerEpoch, Some(steps)) => {
            let cause = format!("the learning rate moves every step: {}", reading("learning_rate", "per-step"));
            let total = epochs * batches;
            all.insert(0, mistake(cause, move |rule, i| Rule { rate: cosine(steps + i, total), ..rule }));
        }
        (LearningRateStep::PerStep, _) => {
            let cause = format!("the learning rate moves once an epoch: {}", reading("learning_rate", "per-epoch"));
            all.insert(0, with_rate(cause, cosine(index, epochs)));
        }
        _ => {}
    }
    all
}

/// Which mistakes take the weights where the port's are.
///
/// # Errors
/// [`crate::Error::Io`].
pub(super) fn causes(epoch: &Epoch, carry: &Carry, outcome: &Outcome) -> Result<Vec<String>> {
    let mut surviving = mistakes(epoch, carry);
    let affected = affected(epoch, &outcome.findings);
    let mut compared = false;
    for &(p, parameter) in &affected {
        let Some(found) = epoch.recorded.weights_before.of(p, parameter) else { continue };
        let Some(gradients) = gradients(epoch, parameter)? else { continue };
        let mut kept = Vec::new();
        for mistake in surviving {
            if reaches(epoch, carry, (p, parameter), &gradients, found, &mistake) {
                kept.push(mistake);
            }
        }
        (surviving, compared) = (kept, true);
    }
    let stored = |&(p, parameter): &(usize, &TracedParameter)| {
        epoch.recorded.weights_before.of(p, parameter).is_some_and(|w| w.iter().all(|&w| is_bf16(w)))
    };
    if surviving.is_empty() && affected.iter().all(stored) {
        return Ok(vec!["rounded as in bf16 arithmetic: declare `u_out`, or compute wider".to_string()]);
    }
    let all: Vec<String> = surviving.into_iter().map(|mistake| mistake.cause).collect();
    Ok(if compared { all } else { Vec::new() })
}

fn gradients(epoch: &Epoch, parameter: &TracedParameter) -> Result<Option<Vec<Vec<f64>>>> {
    (0..epoch.trace.batches(epoch.k)).map(|i| epoch.trace.floats(&gradient_name(epoch.k, i, parameter))).collect()
}

/// Whether the mistake's steps end at the weights that were found, within the right steps' bound.
fn reaches(
    epoch: &Epoch,
    carry: &Carry,
    (p, parameter): (usize, &TracedParameter),
    gradients: &[Vec<f64>],
    found: &[f64],
    mistake: &Mistake,
) -> bool {
    let Some(mut descent) = Descent::start(epoch, carry, p, parameter) else { return false };
    descent.scale_momentum(mistake.buffer);
    let alive = epoch.operands.alive.of(p, parameter);
    for (i, gradient) in gradients.iter().enumerate() {
        let Some(rule) = Rule::of(epoch, carry, i, gradients.len()) else { return false };
        if (mistake.skips)(i, gradients.len() - 1) {
            continue;
        }
        let gradient: Vec<f64> = gradient.iter().map(|&g| (mistake.gradient)(g)).collect();
        descent.step(&gradient, &(mistake.rule)(rule, i));
        if let Some(alive) = alive {
            descent.hold(alive);
        }
    }
    (0..found.len()).filter(|&j| alive.is_none_or(|alive| alive[j])).all(|j| descent.weight(j).contains(found[j]))
}
