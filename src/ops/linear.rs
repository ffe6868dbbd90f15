//! `linear`: y = x w^T + b, y_no = b_o + sum_i x_ni w_oi; x `[n,in]`, w `[out,in]`, optional b `[out]` -> y `[n,out]`.
//!
//! Derivative: dx = dy w, dw = dy^T x, db_o = sum_n dy_no.
//!
//! Conventions: [`Kernel::Literal`] starts each sum at b_o (at +0 without a bias) and adds the products in the
//! order of i. db is summed in [`Scalar::Accumulator`] in the order of n, whatever the kernel.
//!
//! ```
//! use gdstar::{kernel::Kernel, op::evaluate, ops::Linear};
//! use ndarray::array;
//! let x = array![[1.0, 2.0], [3.0, 4.0]].into_dyn();
//! let (w, b) = (array![[1.0, -1.0]].into_dyn(), array![0.5].into_dyn());
//! let dy = array![[1.0], [10.0]].into_dyn();
//! let inputs = [x.view(), w.view(), b.view()];
//! let result = evaluate(&Linear, Kernel::Literal, &inputs, &[Some(dy.view())], &[true; 3])?;
//! assert_eq!(result.outputs[0], array![[-0.5], [-0.5]].into_dyn()); // 1 - 2 + 0.5, 3 - 4 + 0.5
//! assert_eq!(result.gradients[0], Some(array![[1.0, -1.0], [10.0, -10.0]].into_dyn()));
//! assert_eq!(result.gradients[1], Some(array![[31.0, 42.0]].into_dyn())); // 1 + 10*3, 2 + 10*4
//! assert_eq!(result.gradients[2], Some(array![11.0].into_dyn()));
//! # Ok::<(), gdstar::Error>(())
//! ```

use super::operands::{WITH_OPTIONAL_BIAS, bias, equal, extents, of_rank, products_with_filters, with_optional_bias};
use super::{Attributes, Care, Case, Catalogued, Magnitude, Summation, sample, shape};
use crate::error::Result;
use crate::kernel::{self, Kernel};
use crate::op::{Argument, ArrayNames, Cost, List, Op, Shape, list};
use crate::scalar::Scalar;
#[cfg(feature = "cuda")]
use crate::{
    kernel::cuda::{self, Device, DeviceTensor},
    op::{DeviceResult, Seated},
};
use ndarray::{ArrayD, ArrayView2, ArrayViewD, Axis, IxDyn};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// y = x w^T + b.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Linear;

impl Op for Linear {
    const NAME: &'static str = "linear";
    const INPUTS: ArrayNames = WITH_OPTIONAL_BIAS;
    const OUTPUTS: ArrayNames = ArrayNames::Each(&["y"]);
    type Saved<S: Scalar> = ();

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        let (x, w) = with_optional_bias::<Self>(inputs)?;
        let [n, features] = extents(Self::NAME, "x", "[n, in]", x)?;
        let [outputs, w_features] = extents(Self::NAME, "w", "[out, in]", w)?;
        equal(Self::NAME, "w", "columns in", features, w_features)?;
        Ok(list![shape::bounded(Self::NAME, list![n, outputs])?])
    }

    fn cost(&self, inputs: &[&[usize]], outputs: &[Shape]) -> Cost {
        products_with_filters(inputs, outputs)
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &mut [Argument<S>]) -> (List<ArrayD<S>>, ()) {
        let y = kernel::linear(kernel, of_rank(&inputs[0]), of_rank(&inputs[1]), bias(inputs));
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
        let x: ArrayView2<S> = of_rank(&inputs[0]);
        let w: ArrayView2<S> = of_rank(&inputs[1]);
        let dy: ArrayView2<S> = of_rank(&upstream[0]);
        let mut gradients = list![
            wanted[0].then(|| kernel::linear_input_gradient(kernel, dy, w).into_dyn()),
            wanted[1].then(|| kernel::linear_weight_gradient(kernel, x, dy).into_dyn()),
        ];
        if let Some(&wanted) = wanted.get(2) {
            // dy [n,out] as [n,out,1,1]
            let per_channel = dy.insert_axis(Axis(2)).insert_axis(Axis(3));
            gradients.push(wanted.then(|| kernel::channel_sums(kernel, per_channel).into_dyn()));
        }
        gradients
    }

    #[cfg(feature = "cuda")]
    fn on_device<S: Scalar>(&self, device: &Device, inputs: &[&DeviceTensor<S>]) -> DeviceResult<Seated<S>> {
        let y = cuda::linear(device, inputs[0], inputs[1], inputs.get(2).copied())?;
        Ok(Seated::new(list![y], |passed| {
            let (device, inputs, dy) = (passed.device, passed.inputs, &passed.upstream[0]);
            let dx = || cuda::linear_input_gradient(device, dy, inputs[1].tensor()?);
            let dw = || cuda::linear_weight_gradient(device, inputs[0].tensor()?, dy);
            let db = || cuda::channel_sums(device, dy);
            passed.gradients(&[&dx, &dw, &db])
        }))
    }
}

impl Catalogued for Linear {
    const SUMMARY: &'static str = "y = x w^T + b";
    const SUMS: Summation = Summation::Accumulator;

    fn definition<S: Scalar>(&self, inputs: &[ArrayD<S>]) -> Vec<ArrayD<S>> {
        let (x, w, bias) = (&inputs[0], &inputs[1], inputs.get(2));
        let y = |at: IxDyn| {
            let start = bias.map_or(S::ZERO, |bias| bias[[at[1]]]);
            (0..x.shape()[1]).fold(start, |sum, i| sum + x[[at[0], i]] * w[[at[1], i]])
        };
        vec![ArrayD::from_shape_fn(vec![x.shape()[0], w.shape()[0]], y)]
    }

    fn magnitude(&self, _: Care) -> Magnitude<Self> {
        Magnitude::OfAbsolutes
    }

    fn from_attributes(_: &mut Attributes) -> Result<Self> {
        Ok(Self)
    }

    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        let largest = 4 * size;
        let [n, features, outputs] = [(); 3].map(|()| sample::extent(rng, largest));
        let mut inputs = vec![sample::array(rng, &[n, features]), sample::array(rng, &[outputs, features])];
        if rng.random() {
            inputs.push(sample::array(rng, &[outputs]));
        }
        Case::new(Self, inputs)
    }
}
