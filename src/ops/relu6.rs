//! `relu6`: y = min(max(x, 0), 6), element by element.
//!
//! Derivative: dx = dy where 0 < x < 6, else 0.
//!
//! Conventions, as PyTorch's: relu6' is 0 at 0 and at 6; a NaN passes forward and lets dy pass backward.
//!
//! ```
//! use gdstar::{kernel::Kernel, op::evaluate, ops::Relu6};
//! use ndarray::array;
//! let x = array![-1.0, 0.0, 5.0, 6.0, 7.0].into_dyn();
//! let dy = array![1.0, 2.0, 3.0, 4.0, 5.0].into_dyn();
//! let result = evaluate(&Relu6, Kernel::Literal, &[x.view()], &[Some(dy.view())], &[true])?;
//! assert_eq!(result.outputs[0], array![0.0, 0.0, 5.0, 6.0, 6.0].into_dyn());
//! assert_eq!(result.gradients[0], Some(array![0.0, 0.0, 3.0, 0.0, 0.0].into_dyn()));
//! # Ok::<(), gdstar::Error>(())
//! ```

use super::{Care, Magnitude, Pointwise};
use crate::kernel::{Formula, One};
use crate::op::Reads;
use crate::scalar::Scalar;

/// y = min(max(x, 0), 6).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Relu6;

impl Formula for Relu6 {
    const NAME: &'static str = "relu6";
    type Inputs = One;

    #[inline(always)]
    fn value<S: Scalar>(self, x: S) -> S {
        let six = S::from_usize(6);
        let below_six = if x >= six { six } else { x };
        if x <= S::ZERO { S::ZERO } else { below_six }
    }

    #[inline(always)]
    fn gradient<S: Scalar>(self, y: S, dy: S) -> S {
        if (y <= S::ZERO) | (y >= S::from_usize(6)) { S::ZERO } else { dy }
    }
}

impl Pointwise for Relu6 {
    const SUMMARY: &'static str = "y = min(max(x, 0), 6)";
    const READS: Reads = Reads::Outputs;

    fn definition<S: Scalar>(self, x: S) -> S {
        let six = S::from_usize(6);
        if x < S::ZERO { S::ZERO } else { if x > six { six } else { x } }
    }

    fn magnitude(self, _: Care) -> Magnitude<Self> {
        Magnitude::OfResults
    }
}
