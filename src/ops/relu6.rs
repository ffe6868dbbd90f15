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

use super::{Attributes, Case, Catalogued, shape};
use crate::error::Result;
use crate::kernel::Kernel;
use crate::kernel::flat;
use crate::op::{List, Op, Reads, Shape, list};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};
use rand_chacha::ChaCha8Rng;

/// y = min(max(x, 0), 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relu6;

impl Op for Relu6 {
    const NAME: &'static str = "relu6";
    const READS: Reads = Reads::Outputs;
    type Saved<S: Scalar> = ();

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        let [x] = shape::exactly(Self::NAME, ["x"], inputs)?;
        Ok(list![x.into()])
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &[ArrayViewD<S>]) -> (List<ArrayD<S>>, ()) {
        let six = S::from_usize(6);
        let clamp = |x: S| {
            let below_six = if x >= six { six } else { x };
            if x <= S::ZERO { S::ZERO } else { below_six }
        };
        (list![flat::map(kernel, &inputs[0], clamp)], ())
    }

    fn backward<S: Scalar>(
        &self,
        kernel: Kernel,
        _: &[ArrayViewD<S>],
        outputs: &[ArrayViewD<S>],
        _: &(),
        upstream: &[ArrayViewD<S>],
        _: &[bool],
    ) -> List<Option<ArrayD<S>>> {
        let six = S::from_usize(6);
        let pass = |y: S, dy: S| if (y <= S::ZERO) | (y >= six) { S::ZERO } else { dy };
        list![Some(flat::zip(kernel, &outputs[0], &upstream[0], pass))]
    }
}

impl Catalogued for Relu6 {
    const SUMMARY: &'static str = "y = min(max(x, 0), 6)";

    fn from_attributes(_: &mut Attributes) -> Result<Self> {
        Ok(Self)
    }

    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        Case::elementwise(Self, rng, size)
    }
}
