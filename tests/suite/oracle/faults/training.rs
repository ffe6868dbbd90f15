//! Alg. 1.

use super::super::port::{Clip, Config, Fault, Rule, Schedule};
use super::{Case, slip, undeclared};

pub fn cases() -> Vec<Case> {
    let mut cases = vec![
        undeclared("alg1", "no weight decay", |c| c.hyper.weight_decay = 0.0, &["weight decay"]),
        slip("alg1", "decoupled weight decay", Fault::DecoupledWeightDecay, &["decoupled", "weight decay"]),
        slip("alg1", "biases are not decayed", Fault::WeightDecayOfWeightsOnly, &["bias", "weight decay"]),
        undeclared("alg1", "no momentum", |c| c.hyper.momentum = 0.0, &["momentum"]),
        undeclared(
            "alg1",
            "neither momentum nor weight decay",
            |c| (c.hyper.momentum, c.hyper.weight_decay) = (0.0, 0.0),
            &["neither momentum nor"],
        ),
        undeclared(
            "alg1",
            "1 - momentum for momentum",
            |c| c.hyper.momentum = 1.0 - c.hyper.momentum,
            &["1 - momentum"],
        ),
        undeclared(
            "alg1",
            "weight decay is subtracted",
            |c| c.hyper.weight_decay = -c.hyper.weight_decay,
            &["decay is subtracted"],
        ),
        slip("alg1", "Nesterov momentum", Fault::Nesterov, &["nesterov"]),
        slip("alg1", "dampening", Fault::Dampening, &["dampen"]),
        slip("alg1", "momentum is reset every epoch", Fault::MomentumReset, &["momentum"]),
        slip("alg1", "the previous epoch's learning rate", Fault::LearningRateOfPreviousEpoch, &["learning rate"]),
        slip("alg1", "the next epoch's learning rate", Fault::LearningRateOfNextEpoch, &["learning rate"]),
        slip("alg1", "the learning rate is constant", Fault::LearningRateConstant, &["constant", "learning rate"]),
        slip("alg1", "a quarter of the cosine", Fault::LearningRateQuarterCosine, &["quarter"]),
        slip("alg1", "the cosine runs to K-1", Fault::LearningRateOverKMinus1, &["K - 1", "K-1", "learning rate"]),
        slip("alg1", "the learning rate is in the momentum", Fault::LearningRateInMomentum, &["momentum"]),
        slip("alg1", "the last batch makes no step", Fault::LastStepSkipped, &["last batch", "last step"]),
        slip("alg1", "steps go uphill", Fault::Ascent, &["added", "sign"]),
        undeclared(
            "alg1",
            "the learning rate moves every step",
            |c| c.reading.set("learning_rate", "per-step"),
            &["reading `learning_rate` = `per-step`"],
        ),
    ];
    cases.extend(schedules());
    cases.extend(steps());
    // Weight decay that shows.
    let shown = |c: &mut Config| c.hyper.weight_decay = 0.01;
    cases.iter_mut().for_each(|case| case.settings = shown);
    let clips = |c: &mut Config| c.optimizer.clip = Some(Clip::Norm(0.75));
    cases.push(
        slip("alg1", "each parameter is clipped by its own norm", Fault::ClipsEachParameter, &["`clip`"]).with(clips),
    );
    cases.push(
        undeclared("alg1", "plain momentum", |c| c.optimizer.nesterov = false, &["not Nesterov's"])
            .with(|c| c.optimizer.nesterov = true),
    );
    cases.push(undeclared("alg1", "nothing is clipped", |c| c.optimizer.clip = None, &["not clipped"]).with(clips));
    cases.push(
        undeclared(
            "alg1",
            "clipping to another norm",
            |c| c.optimizer.clip = Some(Clip::Norm(0.5)),
            &["to a norm of 0.500, not as `clip` declares"],
        )
        .with(clips),
    );
    cases.push(
        undeclared(
            "alg1",
            "clipping by value where it is by norm",
            |c| c.optimizer.clip = Some(Clip::Value(0.0625)),
            &["clamped to 6.25e-2, not as `clip` declares"],
        )
        .with(clips),
    );
    cases.push(
        undeclared(
            "alg1",
            "momentum of selected weights is kept under `zero-selected`",
            |c| c.reading.set("momentum_on_prune", "zero"),
            &["reading `momentum_on_prune` = `zero`"],
        )
        .with(|c| c.reading.set("momentum_on_prune", "zero-selected")),
    );
    cases.push(
        undeclared(
            "alg1",
            "the learning rate moves every epoch under `per-step`",
            |c| c.reading.set("learning_rate", "per-epoch"),
            &["reading `learning_rate` = `per-epoch`"],
        )
        .with(|c| c.reading.set("learning_rate", "per-step")),
    );
    cases
}

fn schedules() -> Vec<Case> {
    vec![
        slip("alg1", "the scheduler is stepped per batch", Fault::SchedulerSteppedEachBatch, &["after every batch"]),
        undeclared("alg1", "a warm-up", |c| c.optimizer.schedule = Schedule::WarmUp { told: true }, &["`schedule`"]),
        undeclared(
            "alg1",
            "momentum of selected weights is set to 0",
            |c| c.reading.set("momentum_on_prune", "zero-selected"),
            &["reading `momentum_on_prune` = `zero-selected`"],
        ),
    ]
}

/// Steps of another kind, and gradients that are changed before the step.
fn steps() -> Vec<Case> {
    vec![
        undeclared("alg1", "Adam", |c| c.optimizer.rule = Rule::Adam, &["`optimizer`"]),
        undeclared("alg1", "AdamW", |c| c.optimizer.rule = Rule::AdamW, &["`optimizer`"]),
        undeclared("alg1", "clipping by norm", |c| c.optimizer.clip = Some(Clip::Norm(0.75)), &["norm of 0.750"]),
        undeclared(
            "alg1",
            "clipping by value",
            |c| c.optimizer.clip = Some(Clip::Value(0.0625)),
            &["clamped to 6.25e-2: declare"],
        ),
        undeclared("alg1", "no decay outside W", |c| c.optimizer.decays_weights_only = true, &["`no_decay`"]),
        slip("alg1", "an eighth of the gradient is stepped", Fault::StepsTakeScaledGradients, &["1/8 times"]),
    ]
}
