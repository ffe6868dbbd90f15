//! [`EpochL1`]: Eq. 1 over the batches of an epoch that is recorded.

use crate::kernel::{Kernel, hold};
use crate::method::Gradients;
use crate::paper::gradient_norm::L1NormSum;
use crate::paper::reading::MaskedGradient;
use crate::scalar::Scalar;
use crate::weights::{Weights, append_row_major};

/// S_abs so far.
#[derive(Debug)]
pub struct EpochL1<S: Scalar>(L1NormSum<S>);

impl<S: Scalar> Default for EpochL1<S> {
    fn default() -> Self {
        Self(L1NormSum::new())
    }
}

impl<S: Scalar> EpochL1<S> {
    /// Adds a batch's gradients, those of eliminated weights as the reading has them.
    pub fn add(&mut self, gradients: Gradients<S>, w: &Weights<S>, masked_gradient: MaskedGradient) {
        let mask = w.mask().unwrap_or_default();
        let keeps_all = masked_gradient == MaskedGradient::Dense || mask.is_empty();
        for segment in w.set().segments() {
            let Some(gradient) = gradients.of(segment.parameter) else { continue };
            let mut own = Vec::with_capacity(segment.range.len());
            append_row_major(&mut own, &gradient);
            if !keeps_all {
                hold(Kernel::any(), &mut own, &mask[segment.range.clone()]);
            }
            self.0.add(&own);
        }
    }

    /// The epoch's S_abs; the next one begins at 0.
    pub fn take(&mut self) -> S {
        std::mem::take(&mut self.0).value()
    }
}
