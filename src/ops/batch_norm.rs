//! `batch_norm`: y = w x̂ + b per channel, with x̂ = (x - mean) / sqrt(var + eps); x is `[n,c]` or `[n,c,h,w]`.
//!
//! In training, mean and var are the channel's own over its m values (var with divisor m), and the running
//! statistics move towards them by `momentum`: running' = (1 - momentum) running + momentum new, where the new
//! variance has the divisor m - 1. In evaluation, mean and var are the running statistics.
//!
//! Derivative, with c = x - mean, r = 1 / sqrt(var + eps), and sums over the channel:
//!
//! - db = sum dy, dw = r sum dy c
//! - training: dx = w r ((dy - mean dy) - c r^2 mean(dy c))
//! - evaluation: dx = w r dy, d running_mean = -w r sum dy, d running_var = -w r^3 (sum dy c) / 2
//! - the updated statistics are outputs like any other: an upstream gradient of theirs flows into x (dmean/dx = 1/m,
//!   dvar/dx = 2 c / (m - 1)) and into the old statistics. Networks send none.
//!
//! Numerics: everything is evaluated in [`Scalar::Wide`], and each result is rounded once. [`Kernel::Literal`] sums in
//! increasing order of image, row and column, mean before variance. [`Kernel::Fast`] goes through x once for both, and
//! adds up slabs of pixels of each image by itself, then the images, then the slabs, for any order of memory. Values are
//! taken relative to the channel's first value before they are averaged, so that a nearly constant channel keeps its
//! digits. At m = 2 the projection above cancels to exactly
//! dx = w r (dy - mean dy) eps / (var + eps), which is what is evaluated there.
//!
//! Conventions, as PyTorch's: training on one value per channel is an error.
//!
//! ```
//! use gdstar::{kernel::Kernel, op::evaluate, ops::BatchNorm};
//! use ndarray::array;
//! let op = BatchNorm { training: true, eps: 3.0, momentum: 0.5 };
//! let x = array![[2.0], [4.0]].into_dyn(); // mean 3, var 1, unbiased 2, r = 1 / sqrt(1 + 3)
//! let [w, b] = [2.0, 5.0].map(|value| array![value].into_dyn());
//! let [mean, var] = [1.0, 4.0].map(|value| array![value].into_dyn());
//! let inputs = [x.view(), w.view(), b.view(), mean.view(), var.view()];
//! let dy = array![[1.0], [3.0]].into_dyn();
//! let wanted = [true, true, true, false, false];
//! let result = evaluate(&op, Kernel::Literal, &inputs, &[Some(dy.view()), None, None], &wanted)?;
//! assert_eq!(result.outputs[0], array![[4.0], [6.0]].into_dyn());
//! assert_eq!(result.outputs[1], array![0.5 * 1.0 + 0.5 * 3.0].into_dyn());
//! assert_eq!(result.outputs[2], array![0.5 * 4.0 + 0.5 * 2.0].into_dyn());
//! assert_eq!(result.gradients[0], Some(array![[-0.75], [0.75]].into_dyn())); // 2 / 2 * (-1, 1) * 3 / 4
//! assert_eq!(result.gradients[1], Some(array![1.0].into_dyn())); // (-1 + 3) / 2
//! assert_eq!(result.gradients[2], Some(array![4.0].into_dyn()));
//! # Ok::<(), gdstar::Error>(())
//! ```

mod definition;
mod magnitude;

use super::{Attributes, Care, Case, Catalogued, Magnitude, Summation, sample, shape};
use crate::error::{Error, Result};
use crate::kernel::buffer::Buffer;
use crate::kernel::{self, BatchNormSettings, Channel, Kernel};
use crate::op::{Argument, ArrayNames, List, Op, Shape, list};
use crate::scalar::Scalar;
#[cfg(feature = "cuda")]
use crate::{
    kernel::cuda::{self, Device, DeviceTensor},
    op::{DeviceResult, Seated},
};
use ndarray::{ArrayD, ArrayViewD};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// y = w (x - mean) / sqrt(var + eps) + b per channel.
///
/// Inputs: x `[n,c]` or `[n,c,h,w]`; weight, bias, running_mean, running_var `[c]`. Outputs: y, and in training the
/// updated running_mean and running_var.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNorm {
    /// Normalise by the batch's statistics (and update the running ones), or by the running ones.
    pub training: bool,
    /// Added to the variance; positive, so that a constant channel has a result.
    pub eps: f64,
    /// How far the running statistics move towards the batch's, from 0 to 1.
    pub momentum: f64,
}

/// The inputs besides x.
const PARAMETERS: [&str; 4] = ["weight", "bias", "running_mean", "running_var"];

impl BatchNorm {
    fn settings(&self) -> BatchNormSettings {
        let Self { training, eps, momentum } = *self;
        BatchNormSettings { training, eps, momentum }
    }
}

impl Op for BatchNorm {
    const NAME: &'static str = "batch_norm";
    const INPUTS: ArrayNames = ArrayNames::Each(&["x", PARAMETERS[0], PARAMETERS[1], PARAMETERS[2], PARAMETERS[3]]);
    const OUTPUTS: ArrayNames = ArrayNames::Each(&["y", "running_mean", "running_var"]);
    type Saved<S: Scalar> = Buffer<Channel<S::Wide>>;

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        let [x, parameters @ ..] = shape::exactly::<Self, 5>(inputs)?;
        let (channels, values) = match *x {
            [n, c] => (c, n),
            [n, c, h, w] => (c, shape::product(&[n, h, w])),
            _ => return Err(Error::shape(Self::NAME, "x", "shape [n, c] or [n, c, h, w]", format!("shape {x:?}"))),
        };
        for (parameter, name) in parameters.into_iter().zip(PARAMETERS) {
            if parameter != [channels] {
                return Err(Error::shape(
                    Self::NAME,
                    name,
                    format!("shape [{channels}]"),
                    format!("shape {parameter:?}"),
                ));
            }
        }
        if !(self.eps > 0.0 && self.eps.is_finite()) {
            return Err(Error::shape(Self::NAME, "attribute `eps`", "a positive number", self.eps.to_string()));
        }
        if !(0.0..=1.0).contains(&self.momentum) {
            return Err(Error::shape(Self::NAME, "attribute `momentum`", "0 to 1", self.momentum.to_string()));
        }
        let least = if self.training { 2 } else { 1 };
        if values < least {
            let expected = format!("at least {least} values per channel");
            return Err(Error::shape(Self::NAME, "x", expected, format!("shape {x:?}")));
        }
        let statistics = if self.training { 2 } else { 0 };
        Ok(std::iter::once(x.into()).chain(std::iter::repeat_n(list![channels], statistics)).collect())
    }

    fn forward<S: Scalar>(
        &self,
        kernel: Kernel,
        inputs: &mut [Argument<S>],
    ) -> (List<ArrayD<S>>, Buffer<Channel<S::Wide>>) {
        kernel::batch_norm(kernel, self.settings(), inputs)
    }

    fn backward<S: Scalar>(
        &self,
        kernel: Kernel,
        inputs: &[ArrayViewD<S>],
        _: &[ArrayViewD<S>],
        statistics: &Buffer<Channel<S::Wide>>,
        upstream: &mut [Argument<S>],
        wanted: &[bool],
    ) -> List<Option<ArrayD<S>>> {
        kernel::batch_norm_gradient(kernel, self.settings(), inputs, statistics, upstream, wanted)
    }

    #[cfg(feature = "cuda")]
    fn on_device<S: Scalar>(&self, device: &Device, inputs: &[&DeviceTensor<S>]) -> DeviceResult<Seated<S>> {
        let settings = self.settings();
        let (outputs, statistics) = cuda::batch_norm(device, settings, inputs)?;
        Ok(Seated::new(outputs, move |passed| {
            let (x, weight) = (passed.inputs[0].tensor()?, passed.inputs[1].tensor()?);
            let upstream: List<_> = passed.upstream.iter().collect();
            cuda::batch_norm_gradient(passed.device, settings, (x, weight), &statistics, &upstream, passed.wanted)
        }))
    }
}

impl Catalogued for BatchNorm {
    const SUMMARY: &'static str = "y = w (x - mean) / sqrt(var + eps) + b per channel";
    const SUMS: Summation = Summation::WideReordered;

    fn definition<S: Scalar>(&self, inputs: &[ArrayD<S>]) -> Vec<ArrayD<S>> {
        definition::outputs(self, inputs)
    }

    fn magnitude(&self, _: Care) -> Magnitude<Self> {
        Magnitude::Rule(magnitude::batch_norm)
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self> {
        Ok(Self {
            training: attributes.flag("training", None)?,
            eps: attributes.number("eps", Some(1e-5))?,
            momentum: attributes.number("momentum", Some(0.1))?,
        })
    }

    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        let mut shape = sample::image(rng, size).to_vec();
        shape.truncate([2, 4][rng.random_range(0..2)]);
        shape[0] += 1; // two values per channel at the least
        let channels = [shape[1]];
        let op = Self {
            training: rng.random(),
            eps: [1e-5, 1e-3, 0.5][rng.random_range(0..3)],
            momentum: [0.0, 0.1, 0.5, 1.0][rng.random_range(0..4)],
        };
        let x = sample::array(rng, &shape);
        let [weight, bias, mean, var] = [0; 4].map(|_| sample::array(rng, &channels));
        Case::new(op, vec![x, weight, bias, mean, var.mapv(f64::abs)])
    }
}
