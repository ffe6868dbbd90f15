//! Eq. 9 and Alg. 6.

use super::super::port::{Fault, Precision};
use super::super::variants::with_ties;
use super::{Case, slip, undeclared};

pub fn cases() -> Vec<Case> {
    [step(), factor(), source(), threshold(), mask()].concat()
}

fn step() -> Vec<Case> {
    let reading = |name, value, causes| undeclared("alg6", name, value, causes);
    vec![
        reading("t = k", |c| c.reading.set("decay_step", "epoch"), &["reading `decay_step` = `epoch`"]),
        reading("t = k*", |c| c.reading.set("decay_step", "rewind-epoch"), &["reading `decay_step` = `rewind-epoch`"]),
        reading(
            "t = 1",
            |c| c.reading.set("decay_step", "constant"),
            &["reading `decay_step` = `constant`", "t + 1", "t+1"],
        ),
        reading(
            "t counts steps",
            |c| c.reading.set("decay_step", "iteration"),
            &["reading `decay_step` = `iteration`"],
        ),
        slip("alg6", "t is one more", Fault::StepPlusOne, &["off by one", "k-k*+1", "t+1", "t + 1", "constant"]),
        slip("alg6", "t is one less", Fault::StepMinusOne, &["off by one", "k-k*-1", "t-1", "t - 1"]),
        slip("alg6", "t = k + k*", Fault::StepPlusRewind, &["k + k*"]),
        slip("alg6", "t = 0", Fault::StepAlwaysZero, &["t = 0", "always 0", "zero", "off by one"]),
        slip("alg6", "t is not reset with k*", Fault::StepFromZero, &["reset", "reading `decay_step` = `epoch`"]),
        slip("alg6", "t from k* before its update", Fault::StepOfStaleRewind, &["before", "previous", "stale"]),
    ]
}

fn factor() -> Vec<Case> {
    vec![
        slip("eq9", "lambda t for lambda^t", Fault::FactorTimesT, &["lambda*t", "lambda t"]),
        slip("eq9", "lambda^(t+1)", Fault::FactorPowerPlusOne, &["t+1"]),
        slip("eq9", "lambda^(t/2)", Fault::FactorPowerHalf, &["lambda^(t/2)"]),
        slip("eq9", "lambda^(2t)", Fault::FactorPowerTwice, &["lambda^(2t)"]),
        slip("eq9", "exp(-lambda t)", Fault::FactorExponential, &["exp"]),
        slip("eq9", "1 - (1-lambda) t", Fault::FactorLinear, &["linear"]),
        undeclared("eq9", "(1-lambda)^t", |c| c.hyper.lambda = 1.0 - c.hyper.lambda, &["1 - lambda", "1-lambda"]),
        undeclared("eq9", "lambda is rounded to f32", |c| c.hyper.lambda = f64::from(c.hyper.lambda as f32), &["f32"])
            .with(|c| c.hyper.lambda = 0.7)
            .only_in(&[Precision::F64]),
        slip("eq9", "no decay", Fault::HardRewind, &["without", "no decay", "lambda"]),
        slip("eq9", "selected weights become 0", Fault::HardPrune, &["zero", "0"]),
        slip("eq9", "the mean of w and w* lambda^t", Fault::KeepsAverage, &["mean of w and w*"]),
    ]
}

fn source() -> Vec<Case> {
    vec![
        slip("eq9", "w for w*", Fault::DecaysLiveWeight, &["w*", "live", "W_k*"]),
        slip("eq9", "the epoch's first weights for w*", Fault::DecaysStartOfEpoch, &["start", "previous"]),
        slip("eq9", "the previous W_k*", Fault::DecaysStaleRewind, &["previous", "stale"]),
        slip(
            "eq9",
            "every weight is decayed",
            Fault::DecaysUnselectedToo,
            &["unselected", "all weights", "every weight", "not selected"],
        ),
        slip(
            "eq9",
            "unselected weights are decayed instead",
            Fault::DecaysUnselectedInstead,
            &["unselected", "not selected", "invert", "complement"],
        ),
        slip("eq9", "biases are decayed", Fault::DecaysBiases, &["prunable", "bias"]),
        slip("eq9", "the sign is lost", Fault::SignLost, &["sign", "absolute"]),
    ]
}

fn threshold() -> Vec<Case> {
    vec![
        slip("eq9", "w >= eps without an absolute value", Fault::EpsSigned, &["absolute"]),
        slip("eq9", "> for >=", Fault::EpsStrict, &[">"]).with(with_ties),
        slip("eq9", "eps is compared before the decay", Fault::EpsBeforeDecay, &["before"]),
        undeclared(
            "eq9",
            "eps for every weight",
            |c| c.reading.set("threshold", "all"),
            &["reading `threshold` = `all`"],
        ),
        undeclared(
            "eq9",
            "eps for selected weights only",
            |c| c.reading.set("threshold", "selected"),
            &["reading `threshold` = `selected`"],
        )
        .with(|c| c.reading.set("threshold", "all")),
        undeclared("eq9", "eps is squared", |c| c.hyper.eps *= c.hyper.eps, &["eps^2", "squared", "square"]),
        undeclared("eq9", "no threshold", |c| c.hyper.eps = 0.0, &["eps", "threshold"]),
        slip(
            "eq9",
            "eliminated weights are not zeroed",
            Fault::EliminatedNotZeroed,
            &["threshold", "eps", "zero", "mask"],
        ),
    ]
}

fn mask() -> Vec<Case> {
    vec![
        slip("alg6", "the mask is what was not selected", Fault::MaskIsNotSelected, &["selected"]),
        slip(
            "alg6",
            "eliminated weights come back",
            Fault::MaskResurrected,
            &["resurrect", "came back", "return", "revive"],
        ),
        slip("alg6", "the mask is never updated", Fault::MaskNotUpdated, &["not updated", "never updated"]),
        slip("alg6", "one parameter's mask is not updated", Fault::MaskMissesParameter, &["not updated", "parameter"]),
        slip("alg6", "the mask is inverted", Fault::MaskInverted, &["invert"]),
        slip("alg6", "weights of 0 are eliminated", Fault::MaskOfNonzeros, &["weights alone", "zero", "= 0", "!= 0"])
            .with(|c| c.gradients.dead = 0.95),
        slip(
            "alg6",
            "the mask ignores unselected weights under `all`",
            Fault::MaskIgnoresUnselected,
            &["not selected"],
        )
        .with(|c| c.reading.set("threshold", "all")),
        slip("alg6", "momentum revives eliminated weights", Fault::RevivedByMomentum, &["momentum"]),
    ]
}
