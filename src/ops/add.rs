//! `add`: y = a + b, with broadcasting.
//!
//! Derivative: da = dy and db = dy, each summed over the axes that were repeated for it (first axis first, each in
//! increasing index, in [`Scalar::Wide`], rounded once).
//!
//! ```
//! use gdstar::{kernel::Kernel, op::evaluate, ops::Add};
//! use ndarray::array;
//! let (a, b) = (array![[1.0, 2.0], [3.0, 4.0]].into_dyn(), array![10.0, 20.0].into_dyn());
//! let dy = array![[1.0, 2.0], [3.0, 4.0]].into_dyn();
//! let result = evaluate(&Add, Kernel::Literal, &[a.view(), b.view()], &[Some(dy.view())], &[true, true])?;
//! assert_eq!(result.outputs[0], array![[11.0, 22.0], [13.0, 24.0]].into_dyn());
//! assert_eq!(result.gradients, [Some(dy), Some(array![4.0, 6.0].into_dyn())]);
//! # Ok::<(), gdstar::Error>(())
//! ```

use super::{Care, Magnitude, Pointwise};
use crate::kernel::{Formula, Two};
use crate::op::Reads;
use crate::scalar::Scalar;

/// y = a + b, with broadcasting.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Add;

impl Formula for Add {
    const NAME: &'static str = "add";
    type Inputs = Two;

    #[inline(always)]
    fn value<S: Scalar>(self, (a, b): (S, S)) -> S {
        a + b
    }

    #[inline(always)]
    fn gradient<S: Scalar>(self, _: (S, S), dy: S) -> (S, S) {
        (dy, dy)
    }
}

impl Pointwise for Add {
    const SUMMARY: &'static str = "y = a + b, with broadcasting";
    const READS: Reads = Reads::Shapes;

    fn definition<S: Scalar>(self, (a, b): (S, S)) -> S {
        a + b
    }

    fn magnitude(self, _: Care) -> Magnitude<Self> {
        Magnitude::OfAbsolutes
    }
}
