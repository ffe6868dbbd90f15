//! `mul`: y = a b, element by element, with broadcasting.
//!
//! Derivative: da = dy b and db = dy a, each summed over the axes that were repeated for it (first axis first, each
//! in increasing index, in [`Scalar::Wide`], rounded once).
//!
//! ```
//! use gdstar::{kernel::Kernel, op::evaluate, ops::Mul};
//! use ndarray::array;
//! let (a, b) = (array![[1.0, 2.0], [3.0, 4.0]].into_dyn(), array![[10.0], [100.0]].into_dyn());
//! let dy = array![[1.0, 1.0], [1.0, 2.0]].into_dyn();
//! let result = evaluate(&Mul, Kernel::Literal, &[a.view(), b.view()], &[Some(dy.view())], &[true, true])?;
//! assert_eq!(result.outputs[0], array![[10.0, 20.0], [300.0, 400.0]].into_dyn());
//! assert_eq!(result.gradients[0], Some(array![[10.0, 10.0], [100.0, 200.0]].into_dyn()));
//! assert_eq!(result.gradients[1], Some(array![[1.0 + 2.0], [3.0 + 2.0 * 4.0]].into_dyn()));
//! # Ok::<(), gdstar::Error>(())
//! ```

use super::{Care, Magnitude, Pointwise};
use crate::kernel::{Formula, Two};
use crate::op::Reads;
use crate::scalar::Scalar;

/// y = a b, element by element, with broadcasting.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Mul;

impl Formula for Mul {
    const NAME: &'static str = "mul";
    type Inputs = Two;

    #[inline(always)]
    fn value<S: Scalar>(self, (a, b): (S, S)) -> S {
        a * b
    }

    #[inline(always)]
    fn gradient<S: Scalar>(self, (a, b): (S, S), dy: S) -> (S, S) {
        (dy * b, dy * a)
    }
}

impl Pointwise for Mul {
    const SUMMARY: &'static str = "y = a b, with broadcasting";
    const READS: Reads = Reads::Inputs;

    fn definition<S: Scalar>(self, (a, b): (S, S)) -> S {
        a * b
    }

    fn magnitude(self, _: Care) -> Magnitude<Self> {
        Magnitude::OfAbsolutes
    }
}
