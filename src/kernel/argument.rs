//! [`Argument`]: an array that is lent, or given for good.

use super::buffer;
use crate::scalar::Scalar;
use ndarray::{CowArray, IxDyn};

/// An array that an op or a kernel is given: a view of it, to look at; or the array itself, for nobody needs it any
/// more: whoever gets it may write over it, and recycles it.
pub type Argument<'a, S> = CowArray<'a, S, IxDyn>;

/// Keeps the memory of an argument that was given for good.
pub fn recycle_argument<S: Scalar>(argument: Argument<S>) {
    if argument.is_owned() {
        buffer::recycle(argument.into_owned());
    }
}
