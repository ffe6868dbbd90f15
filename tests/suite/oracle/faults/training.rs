//! Alg. 1.

use super::super::port::{Config, Fault};
use super::{Case, slip, undeclared};

pub fn cases() -> Vec<Case> {
    let mut cases = vec![
        undeclared("alg1", "no weight decay", |c| c.hyper.weight_decay = 0.0, &["weight decay"]),
        slip("alg1", "decoupled weight decay", Fault::DecoupledWeightDecay, &["decoupled", "weight decay"]),
        slip("alg1", "biases are not decayed", Fault::WeightDecayOfWeightsOnly, &["bias", "weight decay"]),
        undeclared("alg1", "no momentum", |c| c.hyper.momentum = 0.0, &["momentum"]),
        slip("alg1", "Nesterov momentum", Fault::Nesterov, &["nesterov"]),
        slip("alg1", "dampening", Fault::Dampening, &["dampen"]),
        slip("alg1", "momentum is reset every epoch", Fault::MomentumReset, &["momentum"]),
        slip("alg1", "the previous epoch's learning rate", Fault::LearningRateOfPreviousEpoch, &["learning rate"]),
        slip("alg1", "the next epoch's learning rate", Fault::LearningRateOfNextEpoch, &["learning rate"]),
        slip("alg1", "the learning rate is constant", Fault::LearningRateConstant, &["constant", "learning rate"]),
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
    // Weight decay that shows.
    let shown = |c: &mut Config| c.hyper.weight_decay = 0.01;
    cases.iter_mut().for_each(|case| case.settings = shown);
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
