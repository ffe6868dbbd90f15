//! What one channel is normalised by, and what its gradient is made of.

use super::BatchNormSettings;
use super::channels::Channels;
use crate::kernel::buffer::Buffer;
use crate::kernel::{Kernel, OnHost};
use crate::scalar::Scalar;

/// The statistics that one channel is normalised by.
#[derive(Debug, Default, Clone, Copy)]
pub struct Channel<W> {
    /// The value that others are taken relative to, and the mean relative to it: mean = shift + offset.
    pub(super) shift: W,
    pub(super) offset: W,
    /// var, with divisor m.
    pub(super) variance: W,
    /// r = 1 / sqrt(var + eps).
    pub(super) inverse_deviation: W,
}

impl<W: Scalar> Channel<W> {
    /// c = x - mean.
    #[inline(always)]
    pub(super) fn centre(&self, x: W) -> W {
        (x - self.shift) - self.offset
    }
}

impl BatchNormSettings {
    /// `(1 - momentum) old + momentum new`.
    pub(super) fn towards<W: Scalar>(&self, old: W, new: W) -> W {
        let momentum = W::from_f64(self.momentum);
        (W::ONE - momentum) * old + momentum * new
    }

    fn inverse_deviation<W: Scalar>(&self, variance: W) -> W {
        W::ONE / (variance + W::from_f64(self.eps)).sqrt()
    }

    /// Statistics that are given.
    pub(super) fn running<W: Scalar>(&self, mean: W, variance: W) -> Channel<W> {
        Channel { shift: mean, offset: W::ZERO, variance, inverse_deviation: self.inverse_deviation(variance) }
    }

    /// The batch's statistics of every channel.
    ///
    /// With s the channel's first value and d = x - s, offset = (sum d) / m. [`Kernel::Literal`] goes through x again
    /// for var = sum (d - offset)^2 / m. [`Kernel::Fast`] has added up d^2 on the way:
    /// var = (sum d^2 - (sum d) offset) / m, and never below 0. What cancels there is bounded because s is one of the
    /// values: offset^2 = (s - mean)^2 is at most (m - 1) var (the others' deviations sum to mean - s, and so do their
    /// squares to at least (s - mean)^2 / (m - 1)), hence sum d^2 = m var + m offset^2 is at most m times the m var that
    /// is left: the rounding errors of the sum, relative to it, are enlarged by m at the most, and by about 2 where s is
    /// an ordinary value.
    pub(super) fn of_batch<S: Scalar>(&self, kernel: Kernel, x: &Channels<S>) -> Buffer<Channel<S::Wide>> {
        let (zero, m) = (S::Wide::ZERO, S::Wide::from_usize(x.values()));
        let shifts: Buffer<S::Wide> = (0..x.count()).map(|channel| x.first(channel).widen()).collect();
        let (sums, variances): (Buffer<S::Wide>, Buffer<S::Wide>);
        match kernel.on_host() {
            OnHost::Literal => {
                sums = first_of(&x.sums(kernel, x, &shifts, |shift, x, _| [x - shift, zero]));
                let centres: Buffer<_> =
                    shifts.iter().zip(sums.iter()).map(|(&shift, &sum)| (shift, sum / m)).collect();
                let squares = x.sums(kernel, x, &centres, |(shift, offset), x, _| {
                    let c = (x - shift) - offset;
                    [c * c, zero]
                });
                variances = squares.iter().map(|&[squares, _]| squares / m).collect();
            }
            OnHost::Fast => {
                let both = x.sums(kernel, x, &shifts, |shift, x, _| {
                    let d = x - shift;
                    [d, d * d]
                });
                variances = both.iter().map(|&[sum, squares]| not_negative((squares - sum * (sum / m)) / m)).collect();
                sums = first_of(&both);
            }
        }
        let channel = |((&shift, &sum), &variance): ((&S::Wide, &S::Wide), &S::Wide)| Channel {
            shift,
            offset: sum / m,
            variance,
            inverse_deviation: self.inverse_deviation(variance),
        };
        shifts.iter().zip(sums.iter()).zip(variances.iter()).map(channel).collect()
    }
}

/// The first of two sums.
fn first_of<W: Scalar>(sums: &[[W; 2]]) -> Buffer<W> {
    sums.iter().map(|&[sum, _]| sum).collect()
}

/// 0 for what rounding has made negative. A NaN stays.
fn not_negative<W: Scalar>(variance: W) -> W {
    if variance < W::ZERO { W::ZERO } else { variance }
}

/// What backward needs of one channel: the sums over it, and the coefficients of
/// dx = scale ((dy - mean_dy) shrink - c projection) + constant + c slope.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Backward<W> {
    /// Sums of dy and of dy c.
    pub dy: W,
    pub dy_centred: W,
    /// w r.
    pub scale: W,
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
    #[inline(always)]
    pub fn input_gradient(&self, c: W, dy: W) -> W {
        self.scale * ((dy - self.mean_dy) * self.shrink - c * self.projection) + (self.constant + c * self.slope)
    }
}

impl BatchNormSettings {
    /// What one channel of m values with these sums of dy and dy c needs; `d_statistics` are the upstream gradients of the
    /// updated statistics, in training.
    pub(super) fn backward_of<W: Scalar>(
        &self,
        m: usize,
        [dy, dy_centred]: [W; 2],
        statistics: &Channel<W>,
        weight: W,
        d_statistics: Option<[W; 2]>,
    ) -> Backward<W> {
        let (zero, one) = (W::ZERO, W::ONE);
        let r = statistics.inverse_deviation;
        let evaluation = Backward {
            dy,
            dy_centred,
            scale: weight * r,
            mean_dy: zero,
            shrink: one,
            projection: zero,
            constant: zero,
            slope: zero,
        };
        let Some([d_mean, d_var]) = d_statistics else { return evaluation };
        let (values, momentum, m) = (m, W::from_f64(self.momentum), W::from_usize(m));
        let (shrink, projection) = match values {
            2 => (W::from_f64(self.eps) * (r * r), zero),
            _ => (one, r * r * (dy_centred / m)),
        };
        let constant = momentum * d_mean / m;
        let slope = momentum * d_var * W::from_usize(2) / (m - one);
        Backward { mean_dy: dy / m, shrink, projection, constant, slope, ..evaluation }
    }
}
