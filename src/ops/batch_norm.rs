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
//! Numerics: everything is evaluated in [`Scalar::Wide`], in increasing order of image, row and column, and each
//! result is rounded once. Values are taken relative to the channel's first value before they are averaged, so that
//! a nearly constant channel keeps its digits. At m = 2 the projection above cancels to exactly
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

use super::planes::Planes;
use super::{Attributes, Case, Catalogued, flat, sample, shape};
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::op::Op;
use crate::scalar::Scalar;
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

/// The statistics that one channel is normalised by.
#[derive(Debug, Clone, Copy)]
pub struct Channel<W> {
    /// The value that others are taken relative to, and the mean relative to it: mean = shift + offset.
    shift: W,
    offset: W,
    /// var, with divisor m.
    variance: W,
    /// r = 1 / sqrt(var + eps).
    inverse_deviation: W,
}

impl<W: Scalar> Channel<W> {
    /// c = x - mean.
    fn centre(&self, x: W) -> W {
        (x - self.shift) - self.offset
    }
}

/// What backward needs of one channel: the sums over it, and the coefficients of
/// dx = scale ((dy - mean_dy) shrink - c projection) + constant + c slope.
#[derive(Debug, Clone, Copy)]
struct Backward<W> {
    /// Sums of dy and of dy c.
    dy: W,
    dy_centred: W,
    /// w r.
    scale: W,
    /// mean dy, 1 (eps / (var + eps) at m = 2) and r^2 mean(dy c): in training alone, else 0, 1, 0.
    mean_dy: W,
    shrink: W,
    projection: W,
    /// From the upstream gradients of the updated statistics.
    constant: W,
    slope: W,
}

impl<W: Scalar> Backward<W> {
    /// dx at the centred value c.
    fn input_gradient(&self, c: W, dy: W) -> W {
        self.scale * ((dy - self.mean_dy) * self.shrink - c * self.projection) + (self.constant + c * self.slope)
    }
}

impl BatchNorm {
    fn inverse_deviation<W: Scalar>(&self, variance: W) -> W {
        W::ONE / (variance + W::from_f64(self.eps)).sqrt()
    }

    /// The batch's statistics of one channel of m values.
    fn of_batch<S: Scalar>(&self, x: &Planes<S>, channel: usize, m: S::Wide) -> Channel<S::Wide> {
        let zero = S::Wide::ZERO;
        let shift = x.of_channel(channel).flatten().next().map_or(zero, |x| x.widen());
        let offset = channel_sum(x, channel, |x| x - shift) / m;
        let mut statistics = Channel { shift, offset, variance: zero, inverse_deviation: zero };
        statistics.variance = channel_sum(x, channel, |x| statistics.centre(x) * statistics.centre(x)) / m;
        statistics.inverse_deviation = self.inverse_deviation(statistics.variance);
        statistics
    }

    /// `(1 - momentum) old + momentum new`.
    fn towards<W: Scalar>(&self, old: W, new: W) -> W {
        let momentum = W::from_f64(self.momentum);
        (W::ONE - momentum) * old + momentum * new
    }

    /// The sums of one channel of m values, and in training the coefficients that make its dx.
    fn backward_of<S: Scalar>(
        &self,
        [x, dy]: [&Planes<S>; 2],
        channel: usize,
        statistics: &Channel<S::Wide>,
        weight: S::Wide,
        d_statistics: Option<[S::Wide; 2]>,
    ) -> Backward<S::Wide> {
        let (zero, one) = (S::Wide::ZERO, S::Wide::ONE);
        let (mut sum, mut sum_centred) = (zero, zero);
        for (x, dy) in x.of_channel(channel).zip(dy.of_channel(channel)) {
            for (x, dy) in x.iter().zip(dy) {
                sum += dy.widen();
                sum_centred += dy.widen() * statistics.centre(x.widen());
            }
        }
        let r = statistics.inverse_deviation;
        let evaluation = Backward {
            dy: sum,
            dy_centred: sum_centred,
            scale: weight * r,
            mean_dy: zero,
            shrink: one,
            projection: zero,
            constant: zero,
            slope: zero,
        };
        let Some([d_mean, d_var]) = d_statistics else { return evaluation };
        let (values, momentum) = (Self::count(x), S::Wide::from_f64(self.momentum));
        let m = S::Wide::from_usize(values);
        let (shrink, projection) = match values {
            2 => (S::Wide::from_f64(self.eps) * (r * r), zero),
            _ => (one, r * r * (sum_centred / m)),
        };
        let constant = momentum * d_mean / m;
        let slope = momentum * d_var * S::Wide::from_usize(2) / (m - one);
        Backward { mean_dy: sum / m, shrink, projection, constant, slope, ..evaluation }
    }

    /// The number m of values per channel.
    fn count<S: Scalar>(x: &Planes<S>) -> usize {
        x.n * x.pixels()
    }
}

impl Op for BatchNorm {
    const NAME: &'static str = "batch_norm";
    type Saved<S: Scalar> = Vec<Channel<S::Wide>>;

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Vec<usize>>> {
        let names = ["x", "weight", "bias", "running_mean", "running_var"];
        let [x, parameters @ ..] = shape::exactly(Self::NAME, names, inputs)?;
        let (channels, values) = match *x {
            [n, c] => (c, n),
            [n, c, h, w] => (c, shape::product(&[n, h, w])),
            _ => return Err(Error::shape(Self::NAME, "x", "shape [n, c] or [n, c, h, w]", format!("shape {x:?}"))),
        };
        for (parameter, name) in parameters.into_iter().zip(&names[1..]) {
            if parameter != [channels] {
                return Err(Error::shape(
                    Self::NAME,
                    *name,
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
        let statistics = if self.training { vec![vec![channels]; 2] } else { vec![] };
        Ok([vec![x.to_vec()], statistics].concat())
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &[ArrayViewD<S>]) -> (Vec<ArrayD<S>>, Vec<Channel<S::Wide>>) {
        let x = Planes::of(&inputs[0]);
        let [weight, bias, running_mean, running_var] = [1, 2, 3, 4].map(|i| widened(&inputs[i]));
        let m = S::Wide::from_usize(Self::count(&x));
        let statistics = flat::collect(kernel, x.c, |channel| match self.training {
            true => self.of_batch(&x, channel, m),
            false => Channel {
                shift: running_mean[channel],
                offset: S::Wide::ZERO,
                variance: running_var[channel],
                inverse_deviation: self.inverse_deviation(running_var[channel]),
            },
        });
        let y = flat::from_rows(kernel, inputs[0].shape(), x.pixels(), |plane, y| {
            let channel = plane % x.c;
            let normalise = statistics[channel];
            let scale = weight[channel] * normalise.inverse_deviation;
            for (y, x) in y.iter_mut().zip(x.get(plane)) {
                *y = S::narrow(normalise.centre(x.widen()) * scale + bias[channel]);
            }
        });
        if !self.training {
            return (vec![y], statistics);
        }
        let unbiased = m / (m - S::Wide::ONE);
        let moved = |old: &[S::Wide], new: &dyn Fn(&Channel<S::Wide>) -> S::Wide| {
            let both = old.iter().zip(&statistics);
            flat::array(&[x.c], both.map(|(&old, channel)| S::narrow(self.towards(old, new(channel)))).collect())
        };
        let mean = moved(&running_mean, &|channel| channel.shift + channel.offset);
        let var = moved(&running_var, &|channel| channel.variance * unbiased);
        (vec![y, mean, var], statistics)
    }

    fn backward<S: Scalar>(
        &self,
        kernel: Kernel,
        inputs: &[ArrayViewD<S>],
        _: &[ArrayViewD<S>],
        statistics: &Vec<Channel<S::Wide>>,
        upstream: &[ArrayViewD<S>],
        wanted: &[bool],
    ) -> Vec<Option<ArrayD<S>>> {
        let (x, dy) = (Planes::of(&inputs[0]), Planes::of(&upstream[0]));
        let weight = widened(&inputs[1]);
        let d_statistics = self.training.then(|| [widened(&upstream[1]), widened(&upstream[2])]);
        let channels = flat::collect(kernel, x.c, |channel| {
            let d_statistics = d_statistics.as_ref().map(|d| d.each_ref().map(|d| d[channel]));
            self.backward_of([&x, &dy], channel, &statistics[channel], weight[channel], d_statistics)
        });
        let per_channel = |gradient: &dyn Fn(usize) -> S::Wide| {
            Some(flat::array(&[x.c], (0..x.c).map(|channel| S::narrow(gradient(channel))).collect()))
        };
        let r = |channel: usize| statistics[channel].inverse_deviation;
        let d_weight = per_channel(&|channel| r(channel) * channels[channel].dy_centred);
        let d_bias = per_channel(&|channel| channels[channel].dy);
        let [d_mean, d_var] = match &d_statistics {
            Some(d_statistics) => {
                let kept = S::Wide::ONE - S::Wide::from_f64(self.momentum);
                d_statistics.each_ref().map(|d_new| per_channel(&|channel| kept * d_new[channel]))
            }
            None => {
                let half = S::Wide::from_f64(0.5);
                let scale = |channel: usize| channels[channel].scale;
                [
                    per_channel(&|channel| -(scale(channel) * channels[channel].dy)),
                    per_channel(&|channel| {
                        -(scale(channel) * (r(channel) * r(channel)) * channels[channel].dy_centred * half)
                    }),
                ]
            }
        };
        let d_x = wanted[0].then(|| {
            flat::from_rows(kernel, inputs[0].shape(), x.pixels(), |plane, dx| {
                let (statistics, backward) = (&statistics[plane % x.c], &channels[plane % x.c]);
                for ((dx, x), dy) in dx.iter_mut().zip(x.get(plane)).zip(dy.get(plane)) {
                    *dx = S::narrow(backward.input_gradient(statistics.centre(x.widen()), dy.widen()));
                }
            })
        });
        vec![d_x, d_weight, d_bias, d_mean, d_var]
    }
}

/// The sum of `term` over a channel's values.
fn channel_sum<S: Scalar>(x: &Planes<S>, channel: usize, term: impl Fn(S::Wide) -> S::Wide) -> S::Wide {
    let mut sum = S::Wide::ZERO;
    for plane in x.of_channel(channel) {
        for x in plane {
            sum += term(x.widen());
        }
    }
    sum
}

/// A short vector in the wide type.
fn widened<S: Scalar>(x: &ArrayViewD<S>) -> Vec<S::Wide> {
    x.iter().map(|x| x.widen()).collect()
}

impl Catalogued for BatchNorm {
    const SUMMARY: &'static str = "y = w (x - mean) / sqrt(var + eps) + b per channel";

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
