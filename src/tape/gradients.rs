//! [`Gradients`]: what reached the leaves.

use super::Var;
use crate::kernel::buffer;
use crate::scalar::Scalar;
use ndarray::ArrayD;

/// The gradients that [`Tape::backward`](super::Tape::backward) found.
pub struct Gradients<S: Scalar>(pub(super) Vec<Option<ArrayD<S>>>);

impl<S: Scalar> Gradients<S> {
    /// Takes out the gradient of `var`; `None` if the loss does not depend on it.
    pub fn take(&mut self, var: Var) -> Option<ArrayD<S>> {
        self.0.get_mut(var.0).and_then(Option::take)
    }
}

impl<S: Scalar> Drop for Gradients<S> {
    fn drop(&mut self) {
        self.0.drain(..).flatten().for_each(buffer::recycle);
        buffer::keep(std::mem::take(&mut self.0));
    }
}
