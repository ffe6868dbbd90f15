//! "Reset to W_0" (Table 2): GDSTAR with k* fixed to the first epoch and W_k* = W_0 (open point 17).
//!
//! t = k then grows with the epoch. Procrustes proper (Alg. 2) is another method.

use super::choices::Choices;
use super::gdstar::{self, Gdstar, Rewinding};
use super::{Entry, Setup, Sparsifier, Story};
use crate::error::Result;
use crate::paper::rewind::RewindPoint;
use crate::scalar::Scalar;
use crate::weights::Weights;

pub static ENTRY: Entry = Entry {
    name: "reset",
    summary: "GDSTAR with k* fixed to 0 and W_k* = W_0: \"reset to W_0\"",
    source: "Table 2; open point 17",
    choices: Choices { update: "as gdstar, to W_0", ..gdstar::ENTRY_OF_THE_FAMILY.choices },
    // The rewind point is captured once: when an epoch would capture it does not matter.
    heeds: gdstar::HEEDS_BUT_REWIND_UPDATE,
    options: &[gdstar::TARGET_SPARSITY],
    rewinds_at_first: false,
    ..gdstar::ENTRY_OF_THE_FAMILY
};

/// Never: W_k* = W_0.
struct Initial;

impl<S: Scalar> Rewinding<S> for Initial {
    fn moves(&self, _: &mut RewindPoint<S>, _: usize, _: S, _: &mut Story<S>) -> Result<bool> {
        Ok(false)
    }
}

pub(super) fn start<S: Scalar>(setup: &Setup, w: &mut Weights<S>) -> Result<Box<dyn Sparsifier<S>>> {
    Ok(Box::new(Gdstar::new(setup, w, Initial)))
}
