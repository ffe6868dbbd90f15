//! [`Value`]: an array on a tape, or its shape.

use crate::kernel::buffer;
use crate::op::Shape;
use crate::scalar::Scalar;
#[cfg(feature = "cuda")]
use crate::tape::on_device::OnDevice;
use ndarray::{ArrayD, ArrayViewD, CowArray, IxDyn};

/// An array, or what is left of one.
pub(super) struct Value<'p, S: Scalar> {
    pub shape: Shape,
    /// `None` once released and not read by any backward, and on a tape of shapes.
    pub array: Option<CowArray<'p, S, IxDyn>>,
    /// Where the tape computes on a GPU.
    #[cfg(feature = "cuda")]
    pub on_device: OnDevice<S>,
    /// Whether anything that wants a gradient led to it.
    pub differentiable: bool,
    /// Whether it was put on the tape, rather than computed by an op.
    pub leaf: bool,
    /// Whether a backward will look into it.
    pub read: bool,
    pub released: bool,
}

impl<S: Scalar> Value<'_, S> {
    /// The array; where it is gone, `zero` in its shape, for those who look at the shape alone.
    pub fn view<'a>(&'a self, zero: &'a ArrayD<S>) -> ArrayViewD<'a, S> {
        let gone = || zero.broadcast(IxDyn(&self.shape)).unwrap_or_else(|| zero.view());
        self.array.as_ref().map_or_else(gone, |array| array.view())
    }

    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// Lets go of the array.
    pub fn recycle(&mut self) {
        #[cfg(feature = "cuda")]
        self.on_device.clear();
        if let Some(array) = self.array.take().filter(|array| array.is_owned()) {
            buffer::recycle(array.into_owned());
        }
    }
}

/// The memory of `values`, for values that borrow from elsewhere. (`collect` goes on in the memory of a list that it has
/// consumed.)
pub(super) fn emptied<'q, S: Scalar>(mut values: Vec<Value<'_, S>>) -> Vec<Value<'q, S>> {
    values.clear();
    values.into_iter().map_while(|_| None).collect()
}
