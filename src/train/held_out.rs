//! [`HeldOut`] of a run: the accuracy on the training samples that no step sees.

use super::Run;
use super::evaluation::{TEST_BATCH, predict_in_order};
use crate::data::{Loader, Order, Out, Split};
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::method::HeldOut;
use crate::nn::Parameters;
use crate::paper::reading::LastBatch;
use crate::scalar::Scalar;
use std::sync::atomic::Ordering;

/// A run's samples that are held out, before epoch `k`.
pub(super) struct Samples<'r, 'd> {
    pub run: &'r Run<'d>,
    pub k: usize,
}

impl<S: Scalar> HeldOut<S> for Samples<'_, '_> {
    fn accuracy(&self, parameters: &Parameters<S>) -> Result<f64> {
        let Run { config, dataset, network, stop, .. } = self.run;
        if stop.load(Ordering::Relaxed) {
            return Err(Error::Interrupted { epoch: self.k });
        }
        let loader = Loader {
            dataset,
            split: Split::Train,
            order: Order::HeldOut(Out { seed: config.seed, count: config.held_out(dataset.train.len()) }),
            batch_size: TEST_BATCH,
            last_batch: LastBatch::Keep,
            augmentation: None,
        };
        Ok(predict_in_order(loader, network, config.kernel, parameters)?.0.accuracy)
    }

    fn kernel(&self) -> Kernel {
        self.run.config.kernel
    }
}
