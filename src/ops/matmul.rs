//! `matmul`: y = a b, y_ij = sum_l a_il b_lj; a `[m,k]`, b `[k,n]` -> y `[m,n]`.
//!
//! Derivative: da = dy b^T, db = a^T dy.
//!
//! Conventions: [`Kernel::Literal`] adds the products in the order of l, from +0; k = 0 gives zeros.
//!
//! ```
//! use gdstar::{kernel::Kernel, op::evaluate, ops::Matmul};
//! use ndarray::array;
//! let (a, b) = (array![[1.0, 2.0]].into_dyn(), array![[3.0, 4.0], [5.0, 6.0]].into_dyn());
//! let dy = array![[1.0, 10.0]].into_dyn();
//! let result = evaluate(&Matmul, Kernel::Literal, &[a.view(), b.view()], &[Some(dy.view())], &[true, true])?;
//! assert_eq!(result.outputs[0], array![[13.0, 16.0]].into_dyn()); // 1*3 + 2*5, 1*4 + 2*6
//! assert_eq!(result.gradients[0], Some(array![[43.0, 65.0]].into_dyn())); // 3 + 4*10, 5 + 6*10
//! assert_eq!(result.gradients[1], Some(array![[1.0, 10.0], [2.0, 20.0]].into_dyn()));
//! # Ok::<(), gdstar::Error>(())
//! ```

use super::operands::{equal, extents, of_rank};
use super::{Attributes, Care, Case, Catalogued, Magnitude, Summation, sample, shape};
use crate::error::Result;
use crate::kernel::{self, Kernel};
use crate::op::{Argument, ArrayNames, List, Op, Shape, list};
use crate::scalar::Scalar;
#[cfg(feature = "cuda")]
use crate::{
    kernel::cuda::{self, Device, DeviceTensor},
    op::{DeviceResult, Seated},
};
use ndarray::{ArrayD, ArrayView2, ArrayViewD, IxDyn};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// y = a b.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Matmul;

impl Op for Matmul {
    const NAME: &'static str = "matmul";
    const INPUTS: ArrayNames = ArrayNames::Each(&["a", "b"]);
    const OUTPUTS: ArrayNames = ArrayNames::Each(&["y"]);
    type Saved<S: Scalar> = ();

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        let [a, b] = shape::exactly::<Self, _>(inputs)?;
        let [m, k] = extents(Self::NAME, "a", "[m, k]", a)?;
        let [b_rows, n] = extents(Self::NAME, "b", "[k, n]", b)?;
        equal(Self::NAME, "b", "rows k", k, b_rows)?;
        Ok(list![shape::bounded(Self::NAME, list![m, n])?])
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &mut [Argument<S>]) -> (List<ArrayD<S>>, ()) {
        let y = kernel::matmul(kernel, of_rank(&inputs[0]), of_rank(&inputs[1]));
        (list![y.into_dyn()], ())
    }

    fn backward<S: Scalar>(
        &self,
        kernel: Kernel,
        inputs: &[ArrayViewD<S>],
        _: &[ArrayViewD<S>],
        _: &(),
        upstream: &mut [Argument<S>],
        wanted: &[bool],
    ) -> List<Option<ArrayD<S>>> {
        let a: ArrayView2<S> = of_rank(&inputs[0]);
        let b: ArrayView2<S> = of_rank(&inputs[1]);
        let dy: ArrayView2<S> = of_rank(&upstream[0]);
        let da = wanted[0].then(|| kernel::matmul(kernel, dy, b.t()).into_dyn());
        let db = wanted[1].then(|| kernel::matmul(kernel, a.t(), dy).into_dyn());
        list![da, db]
    }

    #[cfg(feature = "cuda")]
    fn on_device<S: Scalar>(&self, device: &Device, inputs: &[&DeviceTensor<S>]) -> DeviceResult<Seated<S>> {
        let y = cuda::matmul_with_bias(device, inputs[0], inputs[1], None)?;
        Ok(Seated::new(list![y], |passed| {
            let (device, dy) = (passed.device, &passed.upstream[0]);
            // dy b^T and a^T dy, as a linear layer has them: x w^T, and dw = dy^T x.
            let da = || cuda::linear(device, dy, passed.inputs[1].tensor()?, None);
            let db = || cuda::linear_weight_gradient(device, dy, passed.inputs[0].tensor()?);
            passed.gradients(&[&da, &db])
        }))
    }
}

impl Catalogued for Matmul {
    const SUMMARY: &'static str = "y = a b";
    const SUMS: Summation = Summation::Accumulator;

    fn definition<S: Scalar>(&self, inputs: &[ArrayD<S>]) -> Vec<ArrayD<S>> {
        let (a, b) = (&inputs[0], &inputs[1]);
        let y = |at: IxDyn| (0..a.shape()[1]).fold(S::ZERO, |sum, l| sum + a[[at[0], l]] * b[[l, at[1]]]);
        vec![ArrayD::from_shape_fn(vec![a.shape()[0], b.shape()[1]], y)]
    }

    fn magnitude(&self, _: Care) -> Magnitude<Self> {
        Magnitude::OfAbsolutes
    }

    fn from_attributes(_: &mut Attributes) -> Result<Self> {
        Ok(Self)
    }

    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        let largest = 4 * size;
        let [m, n] = [sample::extent(rng, largest), sample::extent(rng, largest)];
        let k = rng.random_range(0..=largest); // k = 0: the empty sum
        Case::new(Self, vec![sample::array(rng, &[m, k]), sample::array(rng, &[k, n])])
    }
}
