//! Batch norm: what each channel of a batch is normalised by, and the gradients of that.

mod channels;
mod statistics;

pub use statistics::Channel;

use super::buffer::{self, Buffer};
use super::{Argument, Kernel, List, flat, list};
use crate::scalar::Scalar;
use channels::Channels;
use ndarray::{ArrayD, ArrayRef, ArrayViewD, IxDyn};
use statistics::Backward;

/// How a batch is normalised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNormSettings {
    /// By its own statistics, towards which the running ones move; or by the running ones.
    pub training: bool,
    /// Added to the variance.
    pub eps: f64,
    /// How far the running statistics move, from 0 to 1.
    pub momentum: f64,
}

/// y = weight (x - mean) / sqrt(var + eps) + bias in each channel, and in training the running statistics after it; and
/// the statistics of each channel. Inputs: x `[n,c]` or `[n,c,h,w]`; weight, bias, running mean, running variance
/// `[c]`.
///
/// All in [`Scalar::Wide`], each result rounded once. [`Kernel::Literal`] adds in increasing order of image, row and
/// column, mean before variance; [`Kernel::Fast`] goes through x once for both, and adds up slabs of pixels of each
/// image by itself, then the images, then the slabs, for any order of memory.
pub fn batch_norm<S: Scalar>(
    kernel: Kernel,
    settings: BatchNormSettings,
    inputs: &[Argument<S>],
) -> (List<ArrayD<S>>, Buffer<Channel<S::Wide>>) {
    let x = Channels::of(kernel, &inputs[0].view());
    let [weight, bias, running_mean, running_var] = [1, 2, 3, 4].map(|i| widened(&inputs[i]));
    let statistics = match settings.training {
        true => settings.of_batch(kernel, &x),
        false => running_mean.iter().zip(running_var.iter()).map(|(&mean, &var)| settings.running(mean, var)).collect(),
    };
    let line = |((of, weight), bias): ((&Channel<_>, &_), &_)| (*of, *weight * of.inverse_deviation, *bias);
    let lines: Buffer<_> = statistics.iter().zip(weight.iter()).zip(bias.iter()).map(line).collect();
    let y = x.zip(kernel, &x, &lines, |(of, scale, bias), x, _| of.centre(x) * scale + bias);
    if !settings.training {
        return (list![y], statistics);
    }
    let m = S::Wide::from_usize(x.values());
    let unbiased = m / (m - S::Wide::ONE);
    let moved = |old: &[S::Wide], new: &dyn Fn(&Channel<S::Wide>) -> S::Wide| {
        let both = old.iter().zip(statistics.iter());
        flat::array(
            &[x.count()],
            buffer::collect(both.map(|(&old, channel)| S::narrow(settings.towards(old, new(channel))))),
        )
    };
    let mean = moved(&running_mean, &|channel| channel.shift + channel.offset);
    let var = moved(&running_var, &|channel| channel.variance * unbiased);
    (list![y, mean, var], statistics)
}

/// The adjoint of [`batch_norm`], for its `statistics`: the gradient of each of its inputs that is `wanted`; that of x
/// is written over dy, if it was given for good.
pub fn batch_norm_gradient<S: Scalar>(
    kernel: Kernel,
    settings: BatchNormSettings,
    inputs: &[ArrayViewD<S>],
    statistics: &[Channel<S::Wide>],
    upstream: &mut [Argument<S>],
    wanted: &[bool],
) -> List<Option<ArrayD<S>>> {
    let x = Channels::of(kernel, &inputs[0]);
    let (lines, others) = settings.of_channels(kernel, &x, &inputs[1], statistics, upstream, wanted);
    let d_x = wanted[0].then(|| x.zip_over(kernel, std::mem::take(&mut upstream[0]), &lines, input_gradient));
    std::iter::once(d_x).chain(others).collect()
}

/// dx of one value, from x and dy.
#[inline(always)]
fn input_gradient<W: Scalar>((of, backward): (Channel<W>, Backward<W>), x: W, dy: W) -> W {
    backward.input_gradient(of.centre(x), dy)
}

impl BatchNormSettings {
    /// What [`input_gradient`] needs of each channel, and the gradients of the other inputs that are `wanted`.
    #[expect(clippy::type_complexity, reason = "a pair that two callers take apart")]
    fn of_channels<S: Scalar>(
        &self,
        kernel: Kernel,
        x: &Channels<S>,
        weight: &ArrayViewD<S>,
        statistics: &[Channel<S::Wide>],
        upstream: &mut [Argument<S>],
        wanted: &[bool],
    ) -> (Buffer<(Channel<S::Wide>, Backward<S::Wide>)>, [Option<ArrayD<S>>; 4]) {
        let (weight, dy) = (widened(weight), upstream[0].view());
        let d_statistics = self.training.then(|| [widened(&upstream[1]), widened(&upstream[2])]);
        let dy = Channels::in_order_of(kernel, &dy, x);
        let sums = x.sums(kernel, &dy, statistics, |of, x, dy| [dy, dy * of.centre(x)]);
        let backward_of = |(channel, sums)| {
            let d_statistics = d_statistics.as_ref().map(|d| d.each_ref().map(|d| d[channel]));
            self.backward_of(x.values(), sums, &statistics[channel], weight[channel], d_statistics)
        };
        let channels: Buffer<Backward<S::Wide>> = sums.iter().copied().enumerate().map(backward_of).collect();
        let per_channel = |input: usize, gradient: &dyn Fn(usize) -> S::Wide| {
            let gradients = || buffer::collect((0..x.count()).map(|channel| S::narrow(gradient(channel))));
            wanted[input].then(|| flat::array(&[x.count()], gradients()))
        };
        let r = |channel: usize| statistics[channel].inverse_deviation;
        let d_weight = per_channel(1, &|channel| r(channel) * channels[channel].dy_centred);
        let d_bias = per_channel(2, &|channel| channels[channel].dy);
        let [d_mean, d_var] = match &d_statistics {
            Some([d_new_mean, d_new_var]) => {
                let kept = S::Wide::ONE - S::Wide::from_f64(self.momentum);
                let of_old = |input: usize, d_new: &[S::Wide]| per_channel(input, &|channel| kept * d_new[channel]);
                [of_old(3, d_new_mean), of_old(4, d_new_var)]
            }
            None => {
                let half = S::Wide::from_f64(0.5);
                let scale = |channel: usize| channels[channel].scale;
                [
                    per_channel(3, &|channel| -(scale(channel) * channels[channel].dy)),
                    per_channel(4, &|channel| {
                        -(scale(channel) * (r(channel) * r(channel)) * channels[channel].dy_centred * half)
                    }),
                ]
            }
        };
        (statistics.iter().copied().zip(channels.iter().copied()).collect(), [d_weight, d_bias, d_mean, d_var])
    }
}

/// A short vector in the wide type.
fn widened<S: Scalar>(x: &ArrayRef<S, IxDyn>) -> Buffer<S::Wide> {
    x.iter().map(|x| x.widen()).collect()
}
