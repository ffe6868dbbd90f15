//! `relu`: y = max(x, 0), element by element.
//!
//! Derivative: dx = dy where x > 0, else 0.
//!
//! Conventions, as PyTorch's: relu'(0) = 0; a NaN passes forward and lets dy pass backward.
//!
//! ```
//! use gdstar::{kernel::Kernel, op::evaluate, ops::Relu};
//! use ndarray::array;
//! let x = array![-2.0, 0.0, 3.0].into_dyn();
//! let dy = array![1.0, 1.0, 5.0].into_dyn();
//! let result = evaluate(&Relu, Kernel::Literal, &[x.view()], &[Some(dy.view())], &[true])?;
//! assert_eq!(result.outputs[0], array![0.0, 0.0, 3.0].into_dyn());
//! assert_eq!(result.gradients[0], Some(array![0.0, 0.0, 5.0].into_dyn()));
//! # Ok::<(), gdstar::Error>(())
//! ```

use super::{Care, Magnitude, Pointwise};
use crate::kernel::{Formula, One};
use crate::op::Reads;
use crate::scalar::Scalar;

/// y = max(x, 0).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Relu;

impl Formula for Relu {
    const NAME: &'static str = "relu";
    type Inputs = One;

    #[inline(always)]
    fn value<S: Scalar>(self, x: S) -> S {
        if x <= S::ZERO { S::ZERO } else { x }
    }

    #[inline(always)]
    fn gradient<S: Scalar>(self, y: S, dy: S) -> S {
        if y <= S::ZERO { S::ZERO } else { dy }
    }
}

impl Pointwise for Relu {
    const SUMMARY: &'static str = "y = max(x, 0)";
    const READS: Reads = Reads::Outputs;

    fn definition<S: Scalar>(self, x: S) -> S {
        if x > S::ZERO { x } else { S::ZERO }
    }

    fn magnitude(self, _: Care) -> Magnitude<Self> {
        Magnitude::OfResults
    }
}
