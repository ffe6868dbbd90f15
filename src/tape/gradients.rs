//! [`Gradients`]: what reached the leaves.

use super::Var;
use crate::kernel::{Kernel, buffer, elementwise};
use crate::scalar::Scalar;
use ndarray::{ArrayD, Zip};

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

/// `sum <- sum + term`, arrays of one shape.
pub(super) fn add<S: Scalar>(kernel: Kernel, sum: &mut ArrayD<S>, term: &ArrayD<S>) {
    if sum.strides() == term.strides()
        && let (Some(sum), Some(term)) = (sum.as_slice_memory_order_mut(), term.as_slice_memory_order())
    {
        elementwise(kernel, sum.len(), (sum, term), add_slices);
        return;
    }
    Zip::from(sum).and(term).for_each(|sum, &term| *sum += term);
}

#[inline(always)]
fn add_slices<S: Scalar>((sum, term): (&mut [S], &[S])) -> bool {
    sum.iter_mut().zip(term).for_each(|(sum, &term)| *sum += term);
    true
}
