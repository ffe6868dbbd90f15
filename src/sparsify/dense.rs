//! The dense baseline: no weight is ever touched.

use super::{EpochEnd, EpochStory, Sparsifier, SparsifierState, WeightSet, mismatch};
use crate::error::Result;
use crate::kernel::Kernel;
use crate::nn::Parameters;
use crate::scalar::Scalar;
use crate::train::{Config, Sgd};
use ndarray::ArrayD;

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
    fn observe(&mut self, _: Kernel, _: &Parameters<S>, _: &[Option<ArrayD<S>>]) {}

    fn enforce(&self, _: &mut Parameters<S>, _: &mut Sgd<S>) {}

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
