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

use super::{Attributes, Case, Catalogued, broadcast};
use crate::error::Result;
use crate::kernel::Kernel;
use crate::kernel::flat;
use crate::kernel::order::owned;
use crate::op::{List, Op, Reads, Shape, list};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};
use rand_chacha::ChaCha8Rng;

/// y = a + b, with broadcasting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Add;

impl Op for Add {
    const NAME: &'static str = "add";
    const READS: Reads = Reads::Shapes;
    type Saved<S: Scalar> = ();

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        Ok(list![broadcast::out_shape(Self::NAME, inputs)?])
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &[ArrayViewD<S>]) -> (List<ArrayD<S>>, ()) {
        (list![broadcast::zip(kernel, &inputs[0], &inputs[1], |a, b| a + b)], ())
    }

    fn backward<S: Scalar>(
        &self,
        kernel: Kernel,
        inputs: &[ArrayViewD<S>],
        _: &[ArrayViewD<S>],
        _: &(),
        upstream: &[ArrayViewD<S>],
        wanted: &[bool],
    ) -> List<Option<ArrayD<S>>> {
        let dy = &upstream[0];
        let gradient = |(x, &wanted): (&ArrayViewD<S>, &bool)| match wanted {
            false => None,
            true if x.shape() == dy.shape() => Some(owned(kernel, dy)),
            true => Some(broadcast::gradient(kernel, x.shape(), dy, dy, |dy, _| dy)),
        };
        inputs.iter().zip(wanted).map(gradient).collect()
    }

    fn forward_over<S: Scalar>(
        &self,
        kernel: Kernel,
        a: ArrayD<S>,
        b: &[ArrayViewD<S>],
    ) -> std::result::Result<(List<ArrayD<S>>, ()), ArrayD<S>> {
        Ok((list![flat::zip_over(kernel, a, &b[0], |a, b| a + b)?], ()))
    }

    fn backward_over<S: Scalar>(
        &self,
        kernel: Kernel,
        inputs: &[ArrayViewD<S>],
        outputs: &[ArrayViewD<S>],
        saved: &(),
        mut upstream: List<ArrayD<S>>,
        wanted: &[bool],
    ) -> std::result::Result<List<Option<ArrayD<S>>>, List<ArrayD<S>>> {
        // One of the gradients can be dy itself.
        let is_dy = |&i: &usize| wanted[i] && inputs[i].shape() == upstream[0].shape();
        let Some(taker) = (0..inputs.len()).find(is_dy) else { return Err(upstream) };
        let mut others = List::from_slice(wanted);
        others[taker] = false;
        let mut gradients = self.backward(kernel, inputs, outputs, saved, &[upstream[0].view()], &others);
        gradients[taker] = Some(upstream.swap_remove(0));
        Ok(gradients)
    }
}

impl Catalogued for Add {
    const SUMMARY: &'static str = "y = a + b, with broadcasting";

    fn from_attributes(_: &mut Attributes) -> Result<Self> {
        Ok(Self)
    }

    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        Case::new(Self, broadcast::sample(rng, size))
    }
}
