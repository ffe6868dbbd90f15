//! The dense baseline: no weight is ever touched.

use super::{EpochEnd, EpochStory, Sparsifier, SparsifierState, WeightSet, mismatch};
use crate::error::Result;
use crate::nn::Parameters;
use crate::scalar::Scalar;
use crate::train::{Config, Sgd};

/// Does nothing.
pub(super) struct Dense {
    weights: WeightSet,
}

impl Dense {
    pub(super) fn new<S: Scalar>(config: &Config, parameters: &Parameters<S>) -> Self {
        Self { weights: WeightSet::new(parameters, config.reading.prunable) }
    }
}

impl<S: Scalar> Sparsifier<S> for Dense {
    fn end_of_epoch(&mut self, _: EpochEnd, _: &mut Parameters<S>, _: &mut Sgd<S>) -> Result<EpochStory<S>> {
        Ok(EpochStory::default())
    }

    fn weights(&self) -> &WeightSet {
        &self.weights
    }

    fn save(&self) -> Option<SparsifierState<S>> {
        None
    }

    fn restore(&mut self, state: Option<SparsifierState<S>>) -> Result<()> {
        if state.is_some() { Err(mismatch("nothing, as method dense leaves", "masks")) } else { Ok(()) }
    }
}
