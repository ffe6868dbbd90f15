//! "Random rewind" (section A.7): GDSTAR with the rewind point moved at random (open point 18).

use super::Gdstar;
use super::gdstar::Rewinding;
use crate::nn::Parameters;
use crate::random::{Purpose, stream, unit};
use crate::scalar::Scalar;
use crate::train::Config;

/// "Updated at each epoch with a probability of 10 %" (A.7).
const PROBABILITY: f64 = 0.1;

/// Each epoch's draw comes from its own stream, so that a resumed run draws the same.
pub(super) fn random_rewind<S: Scalar>(config: &Config, parameters: &Parameters<S>) -> Gdstar<S> {
    let seed = config.seed;
    let draw = move |epoch| unit(&mut stream(seed, Purpose::RandomRewind, epoch)) < PROBABILITY;
    Gdstar::with_rewinding(config, parameters, Rewinding::Random(Box::new(draw)))
}
