//! [`Statistics`]: mean and variance of m values as ports may hold them.
//!
//! With mu = mean x, v = mean (x - mu)^2, E the error of a port's mean, `E <= gamma_(m+8)(u) mean|x|` for a sum in any
//! order, its quotient, and Welford's updates (each of which rounds x - mu, its share and the mean, of which k times the
//! running mean is at most sum|x|), a port's variance is off by
//!
//! - two-pass: `gamma_(m+8) v + E^2` and what that carries of it (a wrong mean adds its error squared);
//! - Welford, updates or merged blocks: `gamma_(m+8) v + 4 L E s + 4 L^2 E^2`, s = sqrt(v), `L^2 = 1 + log2 m`: each merge
//!   of blocks a and b adds `d^2 a b / (a + b)`, d the means' difference with an error of 2 E where E is now with max|x| for
//!   mean|x|; all such terms sum to at most m v, and their weights to at most (m/2) log2 m for any tree of merges, so
//!   Cauchy and Schwarz give the bound (Chan, Golub, LeVeque, "Algorithms for computing the sample variance", 1983, find
//!   the same order, m u kappa with kappa = |x|_2 / (sqrt(m) s));
//! - one-pass: `gamma_(m+8) mean x^2 + 2 |mu| E + E^2`: what is lost where the mean is large against s.
//!
//! A record that does not declare which is held to two-pass; what is inside Welford's or one-pass alone is told.

use super::super::super::BatchNormForm;
use super::super::super::ball::{Ball, Steps};
use super::super::super::rounding::Rounding;
use super::super::slips::Slip;
use crate::scalar::{DoubleDouble, Scalar};

/// Mean and variance of a channel or a row as a port may hold them, and 1 / sqrt(variance + eps).
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Statistics {
    pub mean: Ball,
    pub variance: Ball,
    pub reciprocal: Ball,
    /// mean |x|: what the mean's rounding is measured by.
    pub size: f64,
}

/// What is left undeclared where a variance is only inside a wider form's bound.
pub(super) const UNDECLARED: &str = "`batch_norm`: the variance as `welford` or `one-pass`";

/// The forms that ports may have used: first as declared, or the narrowest and then the widest.
pub(in super::super) fn forms(declared: Option<BatchNormForm>) -> [BatchNormForm; 2] {
    match declared {
        Some(form) => [form, form],
        None => [BatchNormForm::TwoPass, BatchNormForm::OnePass],
    }
}

/// The unit roundoff of statistics that are stored in a coarser type (BF16, F16) than they are formed in, else 0.
pub(super) fn coarse(rounding: &Rounding) -> f64 {
    if rounding.out > rounding.operations.stored { rounding.out } else { 0.0 }
}

impl Statistics {
    /// Of these values, formed in one way.
    pub fn of(steps: Steps, x: &[f64], eps: f64, form: BatchNormForm, slip: Option<Slip>) -> Self {
        let m = x.len() as f64;
        let divisor = DoubleDouble::from(m);
        let mean = x.iter().map(|&x| DoubleDouble::from(x)).fold(DoubleDouble::ZERO, |a, b| a + b) / divisor;
        let squares = x.iter().map(|&x| (DoubleDouble::from(x) - mean) * (DoubleDouble::from(x) - mean));
        let exact = squares.fold(DoubleDouble::ZERO, |a, b| a + b) / divisor;
        let size = x.iter().map(|x| x.abs()).sum::<f64>() / m;
        let largest = x.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
        let of_squares = x.iter().map(|x| x * x).sum::<f64>() / m;
        let rounding = steps.0;
        let errors = |gamma: f64| {
            let (v, mu) = (exact.to_f64(), mean.abs().to_f64());
            let e = gamma * size + coarse(rounding) * mu;
            let two_pass = gamma * (v + e * e) + e * e;
            let one_pass = gamma * of_squares + 2.0 * mu * e + e * e;
            let blocks = 2.0 * (1.0 + libm::log2(m)).sqrt() * gamma * largest;
            let welford = gamma * v + 2.0 * blocks * v.sqrt() + blocks * blocks;
            let of_variance = match form {
                BatchNormForm::TwoPass => two_pass,
                BatchNormForm::OnePass => one_pass.max(two_pass).max(welford),
                BatchNormForm::Welford => welford.max(two_pass),
            };
            (e, of_variance)
        };
        let (any, likely) = (errors(rounding.any_order(m + 8.0)), errors(rounding.likely(m + 8.0)));
        let ball = |centre, any, likely| {
            // The statistics are stored where sums are finer than results.
            let ball = Ball { centre, any, likely };
            ball.off_by(
                rounding.operations.storing.min(rounding.operations.stored) * ball.size()
                    + 2.0 * rounding.operations.underflow,
            )
        };
        // The sum of squares may be stored in the statistics' type before it is divided.
        let variance = ball(exact, any.1, likely.1);
        let variance = variance.off_by(coarse(rounding) * variance.size());
        let normalising = match slip {
            Some(Slip::UnbiasedVariance) if m > 1.0 => {
                let unbiased = exact * divisor / DoubleDouble::from(m - 1.0);
                ball(unbiased, 2.0 * any.1, 2.0 * likely.1)
            }
            _ => variance,
        };
        Self { variance, size, ..Self::with(steps, ball(mean, any.0, likely.0), normalising, eps, slip) }
    }

    /// As they are used once they are stored, in a type that is coarser than formulas are formed in.
    pub(super) fn stored(self, rounding: &Rounding) -> Self {
        let stored = |ball: Ball| ball.off_by(coarse(rounding) * ball.size());
        Self { mean: stored(self.mean), reciprocal: stored(self.reciprocal), ..self }
    }

    /// Of a mean and a variance that are given.
    pub fn with(steps: Steps, mean: Ball, variance: Ball, eps: f64, slip: Option<Slip>) -> Self {
        let eps = if slip == Some(Slip::EpsLeftOut) { 0.0 } else { eps };
        let reciprocal = if slip == Some(Slip::EpsOutside) {
            let root = DoubleDouble::ONE / (variance.centre.sqrt() + DoubleDouble::from(eps));
            Ball { centre: root, ..steps.reciprocal_root(variance) }
        } else {
            steps.reciprocal_root(steps.add(variance, Ball::exact(eps)))
        };
        Self { mean, variance, reciprocal, size: mean.size() }
    }
}

/// Weight and bias of one value, each exact.
#[derive(Debug, Clone, Copy)]
pub(super) struct Affine {
    pub weight: f64,
    pub bias: f64,
}

/// y of one value, as a difference times a factor or as x times a factor and a constant.
pub(super) fn applied(steps: Steps, of: &Statistics, affine: Affine, x: f64) -> (Ball, f64) {
    let weight = Ball::exact(affine.weight);
    let bias = Ball::exact(affine.bias);
    let factor = steps.mul(of.reciprocal, weight);
    let x = Ball::exact(x);
    // The exact value and what the statistics pass on: x - mean is what counts. On top, the widest form's roundings.
    let difference = Ball { any: of.mean.any, likely: of.mean.likely, centre: x.centre - of.mean.centre };
    let value = steps.add(steps.mul(difference, factor), bias);
    let size = (x.size() + of.mean.size()) * factor.size() + bias.size();
    (value.off_by(5.0 * steps.0.operations.stored * size + 3.0 * steps.0.operations.underflow), size)
}
