//! `dropout`: y = x / (1 - p) where the mask keeps, else 0.
//!
//! Derivative: dx = dy / (1 - p) where the mask keeps, else 0.
//!
//! The mask is given, never drawn here: the op is a function. Conventions: 0 <= p < 1, because 1 / (1 - p) has no
//! value at p = 1 (PyTorch returns zeros there; a caller who wants those has no use for an op). 1 - p is formed and
//! divided by in [`Scalar::Wide`], and the quotient rounded once. A NaN that is dropped becomes 0.
//!
//! ```
//! use gdstar::{kernel::Kernel, op::evaluate, ops::Dropout};
//! use ndarray::array;
//! let op = Dropout { p: 0.75, mask: array![true, false].into_dyn() };
//! let x = array![1.0, 2.0].into_dyn();
//! let dy = array![3.0, 5.0].into_dyn();
//! let result = evaluate(&op, Kernel::Literal, &[x.view()], &[Some(dy.view())], &[true])?;
//! assert_eq!(result.outputs[0], array![4.0, 0.0].into_dyn());
//! assert_eq!(result.gradients[0], Some(array![12.0, 0.0].into_dyn()));
//! # Ok::<(), gdstar::Error>(())
//! ```

use super::{Attributes, Care, Case, Catalogued, Magnitude, Summation, sample, shape};
use crate::error::{Error, Result};
use crate::kernel::{self, Kernel, buffer};
use crate::op::{Argument, ArrayNames, Cost, List, Op, Reads, Shape, list};
use crate::scalar::Scalar;
#[cfg(feature = "cuda")]
use crate::{
    kernel::cuda::{self, Device, DeviceTensor},
    op::{DeviceResult, Seated},
};
use ndarray::{ArrayD, ArrayViewD};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// y = x / (1 - p) where the mask keeps, else 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Dropout {
    /// The probability that an element was dropped with, 0 <= p < 1.
    pub p: f64,
    /// x's shape; `true` keeps.
    pub mask: ArrayD<bool>,
}

/// Its mask's memory is used again.
impl Drop for Dropout {
    fn drop(&mut self) {
        buffer::recycle(std::mem::take(&mut self.mask));
    }
}

impl Dropout {
    fn apply<S: Scalar>(&self, kernel: Kernel, x: Argument<S>) -> ArrayD<S> {
        let keep_probability = S::Wide::ONE - S::Wide::from_f64(self.p);
        kernel::dropout(kernel, x, &self.mask.view(), keep_probability)
    }
}

impl Op for Dropout {
    const NAME: &'static str = "dropout";
    const INPUTS: ArrayNames = ArrayNames::Each(&["x"]);
    const OUTPUTS: ArrayNames = ArrayNames::Each(&["y"]);
    const READS: Reads = Reads::Shapes;
    type Saved<S: Scalar> = ();

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        let [x] = shape::exactly::<Self, _>(inputs)?;
        if !(0.0..1.0).contains(&self.p) {
            return Err(Error::shape(Self::NAME, "attribute `p`", "0 <= p < 1", self.p.to_string()));
        }
        if self.mask.shape() != x {
            let found = format!("shape {:?}", self.mask.shape());
            return Err(Error::shape(Self::NAME, "mask", format!("x's shape {x:?}"), found));
        }
        Ok(list![x.into()])
    }

    fn cost(&self, _: &[&[usize]], _: &[Shape]) -> Cost {
        Cost { saved_bytes: self.mask.len(), ..Cost::default() }
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &mut [Argument<S>]) -> (List<ArrayD<S>>, ()) {
        (list![self.apply(kernel, std::mem::take(&mut inputs[0]))], ())
    }

    fn backward<S: Scalar>(
        &self,
        kernel: Kernel,
        _: &[ArrayViewD<S>],
        _: &[ArrayViewD<S>],
        _: &(),
        upstream: &mut [Argument<S>],
        _: &[bool],
    ) -> List<Option<ArrayD<S>>> {
        list![Some(self.apply(kernel, std::mem::take(&mut upstream[0])))]
    }

    #[cfg(feature = "cuda")]
    fn on_device<S: Scalar>(&self, device: &Device, inputs: &[&DeviceTensor<S>]) -> DeviceResult<Seated<S>> {
        let mask: Vec<u8> = self.mask.iter().map(|&keeps| keeps.into()).collect();
        let mask = DeviceTensor::of_slice(device, self.mask.shape(), &mask)?;
        let keep_probability = S::Wide::ONE - S::Wide::from_f64(self.p);
        let y = cuda::dropout(device, inputs[0], &mask, keep_probability)?;
        Ok(Seated::new(list![y], move |passed| {
            Ok(list![Some(cuda::dropout(passed.device, &passed.upstream[0], &mask, keep_probability)?)])
        }))
    }
}

impl Catalogued for Dropout {
    const SUMMARY: &'static str = "y = x / (1 - p) where the mask keeps, else 0";
    const SUMS: Summation = Summation::None;

    fn definition<S: Scalar>(&self, inputs: &[ArrayD<S>]) -> Vec<ArrayD<S>> {
        let keep_probability = S::ONE - S::from_f64(self.p);
        let mask = self.mask.mapv(|keep| if keep { S::ONE } else { S::ZERO });
        vec![&inputs[0] * &mask.mapv(|keep| keep / keep_probability)]
    }

    fn magnitude(&self, _: Care) -> Magnitude<Self> {
        Magnitude::OfAbsolutes
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self> {
        let p = attributes.number("p", Some(0.5))?;
        let mask = attributes.integers("mask")?;
        match mask.iter().find(|&&keep| keep != 0 && keep != 1) {
            Some(other) => Err(Error::domain("input `mask`", "0 or 1", other)),
            None => Ok(Self { p, mask: mask.mapv(|keep| keep == 1) }),
        }
    }

    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        let rank = sample::extent(rng, size) - 1;
        let shape = sample::shape(rng, rank, size + 2);
        let p = [0.0, 0.1, 0.5, 0.75][rng.random_range(0..4)];
        let mask = ArrayD::from_shape_simple_fn(shape.as_slice(), || !rng.random_bool(p));
        Case::new(Self { p, mask }, vec![sample::array(rng, &shape)])
    }
}
