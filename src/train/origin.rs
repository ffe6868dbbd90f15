//! [`Origin`]: the files of the step from which a run goes on.

use super::{Start, Within};
use crate::error::Result;
use crate::nn::state_dict::{self, read_finite};
use crate::nn::{Network, Parameters};
use crate::scalar::Scalar;
use crate::tensor_file::TensorFile;
use crate::weights::{Weights, read_flags};

/// The files that a [`Start`] names, which are of the run's data and step.
pub(super) struct Origin {
    pub checkpoint: TensorFile,
    pub mask: Option<TensorFile>,
    /// How much of the step's epoch is done.
    pub within: Within,
}

impl Origin {
    /// The weights at the step, of parameters of which `w` makes W.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) or [`Error::StateDict`](crate::Error::StateDict) naming what is missing, malformed,
    /// or of another network; [`Error::Io`](crate::Error::Io).
    pub fn weights<S: Scalar>(
        &self,
        start: &Start,
        network: &Network,
        w: impl FnOnce(Parameters<S>) -> Weights<S>,
    ) -> Result<Weights<S>> {
        let file = &self.checkpoint;
        let mut weights = w(state_dict::read(file, network)?);
        if start.momentum {
            for (parameter, v) in weights.parameters.iter().zip(&mut weights.momentum) {
                if parameter.role.is_trained() {
                    *v = read_finite(file, &format!("momentum/{}", parameter.name), Some(parameter.value.shape()))?;
                }
            }
        }
        if let Some(file) = &self.mask {
            let mask = read_flags(file, "mask", &weights.parameters, weights.set())?;
            weights.hold(&mask);
        }
        Ok(weights)
    }
}
