//! "Reset to W_0" (Table 2): GDSTAR with k* fixed to the first epoch and W_k* = W_0 (open point 17).

use super::Gdstar;
use super::gdstar::Rewinding;
use crate::nn::Parameters;
use crate::scalar::Scalar;
use crate::train::Config;

/// t = k then grows with the epoch. Procrustes proper (Alg. 2) is another method.
pub(super) fn reset<S: Scalar>(config: &Config, parameters: &Parameters<S>) -> Gdstar<S> {
    Gdstar::with_rewinding(config, parameters, Rewinding::Initial)
}
