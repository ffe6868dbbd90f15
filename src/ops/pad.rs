//! `pad`: y = x with `pads[axis] = [before, after]` elements of `value` added to every axis.
//!
//! Derivative: dy with the same margins cut off. Only copies: every number system gives exact results.
//!
//! ```
//! use gdstar::{kernel::Kernel, op::{evaluate, list}, ops::Pad};
//! use ndarray::array;
//! let op = Pad { pads: list![[1, 2]], value: 9.0 };
//! let x = array![1.0, 2.0].into_dyn();
//! let dy = array![1.0, 2.0, 3.0, 4.0, 5.0].into_dyn();
//! let result = evaluate(&op, Kernel::Literal, &[x.view()], &[Some(dy.view())], &[true])?;
//! assert_eq!(result.outputs[0], array![9.0, 1.0, 2.0, 9.0, 9.0].into_dyn());
//! assert_eq!(result.gradients[0], Some(array![2.0, 3.0].into_dyn()));
//! # Ok::<(), gdstar::Error>(())
//! ```

use super::{Attributes, Care, Case, Catalogued, Magnitude, Summation, sample, shape};
use crate::error::{Error, Result};
use crate::kernel::{self, Kernel, Order};
use crate::op::{Argument, ArrayNames, List, Op, Reads, Shape, list};
use crate::scalar::Scalar;
#[cfg(feature = "cuda")]
use crate::{
    kernel::cuda::{self, Device, DeviceTensor},
    op::{DeviceResult, Seated},
};
use ndarray::{ArrayD, ArrayViewD, IxDyn, Slice};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// y = x with margins of a constant.
#[derive(Debug, Clone, PartialEq)]
pub struct Pad {
    /// `[before, after]` for every axis of x.
    pub pads: List<[usize; 2]>,
    /// What the margins hold, rounded to the number system computed in.
    pub value: f64,
}

impl Pad {
    /// Where x lies within y, along one axis.
    fn inside(&self, axis: usize, extent: usize) -> Slice {
        Slice::from(self.pads[axis][0]..self.pads[axis][0] + extent)
    }
}

impl Op for Pad {
    const NAME: &'static str = "pad";
    const INPUTS: ArrayNames = ArrayNames::Each(&["x"]);
    const OUTPUTS: ArrayNames = ArrayNames::Each(&["y"]);
    const READS: Reads = Reads::Shapes;
    type Saved<S: Scalar> = ();

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        let [x] = shape::exactly::<Self, _>(inputs)?;
        if self.pads.len() != x.len() {
            let expected = format!("{} pairs for x of shape {x:?}", x.len());
            return Err(Error::shape(Self::NAME, "attribute `pads`", expected, format!("{} pairs", self.pads.len())));
        }
        let padded = x.iter().zip(&self.pads).map(|(&extent, &[before, after])| {
            let sum = extent.checked_add(before).and_then(|sum| sum.checked_add(after));
            sum.ok_or_else(|| {
                let found = format!("{extent} + {before} + {after}");
                Error::shape(Self::NAME, "attribute `pads`", "an extent that fits a machine word", found)
            })
        });
        Ok(list![shape::bounded(Self::NAME, padded.collect::<Result<_>>()?)?])
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &mut [Argument<S>]) -> (List<ArrayD<S>>, ()) {
        let x = &inputs[0].view();
        let shape: Shape = x.shape().iter().zip(&self.pads).map(|(&x, [before, after])| before + x + after).collect();
        let inside = |axis: usize, _| self.inside(axis, x.shape()[axis]);
        (list![kernel::spread(kernel, x, &Order::of(x), &shape, S::from_f64(self.value), inside)], ())
    }

    fn backward<S: Scalar>(
        &self,
        kernel: Kernel,
        inputs: &[ArrayViewD<S>],
        _: &[ArrayViewD<S>],
        _: &(),
        upstream: &mut [Argument<S>],
        _: &[bool],
    ) -> List<Option<ArrayD<S>>> {
        let inside = |axis: usize, _| self.inside(axis, inputs[0].shape()[axis]);
        list![Some(kernel::taken(kernel, &upstream[0].view(), inside))]
    }

    #[cfg(feature = "cuda")]
    fn on_device<S: Scalar>(&self, device: &Device, inputs: &[&DeviceTensor<S>]) -> DeviceResult<Seated<S>> {
        let x = inputs[0];
        let shape: Shape = x.shape().iter().zip(&self.pads).map(|(&x, [before, after])| before + x + after).collect();
        let (starts, steps): (Shape, Shape) = self.pads.iter().map(|&[before, _]| (before, 1)).unzip();
        let y = cuda::spread(device, x, &shape, S::from_f64(self.value), &starts, &steps)?;
        Ok(Seated::new(list![y], move |passed| {
            let dx = cuda::taken(passed.device, &passed.upstream[0], passed.inputs[0].shape, &starts, &steps)?;
            Ok(list![Some(dx)])
        }))
    }
}

impl Catalogued for Pad {
    const SUMMARY: &'static str = "y = x with margins of a constant";
    const SUMS: Summation = Summation::None;

    fn definition<S: Scalar>(&self, inputs: &[ArrayD<S>]) -> Vec<ArrayD<S>> {
        let (x, d) = (&inputs[0], inputs[0].shape());
        let shape: Vec<usize> = d.iter().zip(&self.pads).map(|(extent, [a, b])| a + extent + b).collect();
        let y = |at: IxDyn| {
            let inside = |axis: usize| at[axis].checked_sub(self.pads[axis][0]).filter(|&i| i < d[axis]);
            let at: Option<Vec<usize>> = (0..d.len()).map(inside).collect();
            at.map_or(S::from_f64(self.value), |at| x[at.as_slice()])
        };
        vec![ArrayD::from_shape_fn(shape, y)]
    }

    fn magnitude(&self, _: Care) -> Magnitude<Self> {
        Magnitude::OfAbsolutes
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self> {
        Ok(Self { pads: attributes.pairs("pads")?.into(), value: attributes.number("value", Some(0.0))? })
    }

    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        let rank = sample::extent(rng, size);
        let shape = sample::shape(rng, rank, size);
        let pads = (0..rank).map(|_| [rng.random_range(0..=2), rng.random_range(0..=2)]).collect();
        Case::new(Self { pads, value: f64::from(rng.random_range(-2i32..=2)) }, vec![sample::array(rng, &shape)])
    }
}
