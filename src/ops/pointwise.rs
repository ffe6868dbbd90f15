//! [`Pointwise`]: an op that works element by element, on one input or on two that broadcast; [`Op`] and [`Catalogued`]
//! follow.

use super::{Attributes, Care, Case, Catalogued, Magnitude, Summation, sample, shape};
use crate::error::{Error, Result};
use crate::kernel::{Formula, Inputs, Kernel, Of, formula_gradients, formula_values, joined_shape};
use crate::op::{Argument, ArrayNames, List, Op, Reads, Shape, list};
use crate::scalar::Scalar;
#[cfg(feature = "cuda")]
use crate::{
    kernel::cuda::{self, Device, DeviceTensor},
    op::{DeviceResult, Held, Seated},
};
use ndarray::{ArrayD, ArrayViewD, Dimension, IxDyn};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use std::fmt::Debug;

/// An op whose y is a [`Formula`] of one element of x, or of one of a and one of b, with broadcasting.
pub trait Pointwise: Formula + Debug + Default {
    /// [`Catalogued::SUMMARY`].
    const SUMMARY: &'static str;
    /// What the derivative is told of: the inputs, y in their place, or neither.
    const READS: Reads;

    /// y once more, as a textbook writes it ([`Catalogued::definition`]).
    fn definition<S: Scalar>(self, x: Of<Self, S>) -> S;

    /// [`Catalogued::magnitude`].
    fn magnitude(self, care: Care) -> Magnitude<Self>;

    /// [`Catalogued::from_attributes`], for an op that has any.
    fn from_attributes(_: &mut Attributes) -> Result<Self> {
        Ok(Self::default())
    }

    /// An op with random attributes, if it has any.
    fn drawn(_: &mut ChaCha8Rng) -> Self {
        Self::default()
    }
}

impl<E: Pointwise> Op for E {
    const NAME: &'static str = <E as Formula>::NAME;
    const INPUTS: ArrayNames = ArrayNames::Each(if E::Inputs::COUNT == 1 { &["x"] } else { &["a", "b"] });
    const OUTPUTS: ArrayNames = ArrayNames::Each(&["y"]);
    const READS: Reads = <E as Pointwise>::READS;
    type Saved<S: Scalar> = ();

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        let name = <E as Op>::NAME;
        E::INPUTS.check(name, inputs.len())?;
        let joined = joined_shape(inputs.iter().copied()).ok_or_else(|| {
            let expected = format!("a shape that broadcasts with {:?}", inputs[0]);
            Error::shape(name, "b", expected, format!("shape {:?}", inputs[1]))
        })?;
        match inputs {
            [_] => Ok(list![joined]),
            _ => Ok(list![shape::bounded(name, joined)?]),
        }
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &mut [Argument<S>]) -> (List<ArrayD<S>>, ()) {
        (list![formula_values(kernel, *self, inputs)], ())
    }

    fn backward<S: Scalar>(
        &self,
        kernel: Kernel,
        inputs: &[ArrayViewD<S>],
        outputs: &[ArrayViewD<S>],
        _: &(),
        upstream: &mut [Argument<S>],
        wanted: &[bool],
    ) -> List<Option<ArrayD<S>>> {
        let shapes: List<&[usize]> = inputs.iter().map(|x| x.shape()).collect();
        let read: List<ArrayViewD<S>> = match <E as Pointwise>::READS {
            Reads::Inputs => inputs.iter().map(|x| x.view()).collect(),
            Reads::Outputs => inputs.iter().map(|_| outputs[0].view()).collect(),
            Reads::Shapes => list![],
        };
        formula_gradients(kernel, *self, &shapes, &read, &mut upstream[0], wanted)
    }

    #[cfg(feature = "cuda")]
    fn on_device<S: Scalar>(&self, device: &Device, inputs: &[&DeviceTensor<S>]) -> DeviceResult<Seated<S>> {
        let name = <E as Formula>::NAME;
        let y = cuda::formula_values(device, name, inputs)?;
        Ok(Seated::new(list![y], move |passed| {
            let shapes: List<&[usize]> = passed.inputs.iter().map(|x| x.shape).collect();
            let read: List<_> = match <E as Pointwise>::READS {
                Reads::Inputs => passed.inputs.iter().map(Held::tensor).collect::<DeviceResult<_>>()?,
                Reads::Outputs => {
                    passed.inputs.iter().map(|_| passed.outputs[0].tensor()).collect::<DeviceResult<_>>()?
                }
                Reads::Shapes => list![],
            };
            cuda::formula_gradients(passed.device, name, &shapes, &read, &passed.upstream[0], passed.wanted)
        }))
    }
}

impl<E: Pointwise> Catalogued for E {
    const SUMMARY: &'static str = <E as Pointwise>::SUMMARY;
    const SUMS: Summation = if E::Inputs::COUNT == 1 { Summation::None } else { Summation::Wide };

    fn definition<S: Scalar>(&self, inputs: &[ArrayD<S>]) -> Vec<ArrayD<S>> {
        let rank = inputs.iter().map(ArrayD::ndim).max().unwrap_or(0);
        let extent = |x: &ArrayD<S>, axis: usize| (axis + x.ndim()).checked_sub(rank).map_or(1, |axis| x.shape()[axis]);
        let joined = |axis: usize| inputs.iter().map(|x| extent(x, axis)).find(|&extent| extent != 1).unwrap_or(1);
        let shape: Vec<usize> = (0..rank).map(joined).collect();
        let element = |x: &ArrayD<S>, at: &IxDyn| {
            let own = at.slice()[rank - x.ndim()..].iter().zip(x.shape());
            x[own.map(|(&i, &extent)| if extent == 1 { 0 } else { i }).collect::<Vec<_>>().as_slice()]
        };
        let y = |at: IxDyn| Pointwise::definition(*self, E::Inputs::from_fn(|i| element(&inputs[i], &at)));
        vec![ArrayD::from_shape_fn(shape, y)]
    }

    fn magnitude(&self, care: Care) -> Magnitude<Self> {
        Pointwise::magnitude(*self, care)
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self> {
        <E as Pointwise>::from_attributes(attributes)
    }

    /// An array of any rank; or two that broadcast, the first with the larger rank half of the time.
    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        let op = E::drawn(rng);
        let rank = sample::extent(rng, size) - 1;
        if E::Inputs::COUNT == 1 {
            let shape = sample::shape(rng, rank, size + 2);
            return Case::new(op, vec![sample::array(rng, &shape)]);
        }
        let full = sample::shape(rng, rank, size);
        let mut operand = |cut: usize| {
            let shape: Vec<usize> =
                full[cut..].iter().map(|&extent| if rng.random_bool(0.3) { 1 } else { extent }).collect();
            sample::array(rng, &shape)
        };
        let (a, b) = (operand(0), operand(rank / 2));
        Case::new(op, if rng.random() { vec![a, b] } else { vec![b, a] })
    }
}
