//! The sums of Eq. 1 and Eq. 2 over recorded gradients, and what a correct port's may be.

use super::epoch::Epoch;
use super::optimizer::Descent;
use super::outcome::Outcome;
use crate::oracle::bounds::{Sum, theta};
use crate::oracle::interval::Interval;
use crate::paper::reading::{GradientOf, MaskedGradient};
use crate::scalar::{DoubleDouble, Scalar};
use crate::trace::{Arithmetic, TracedParameter};

/// The sum of Eq. 1 over what was read so far.
#[derive(Default)]
pub(super) struct L1 {
    /// Of the loss gradients, as the reading masks them.
    pub(super) of_loss: Sum,
    /// Of those with weight decay added, the sum of how far each may be off, and how many they are.
    decayed: DoubleDouble,
    error: f64,
    terms: usize,
    pub(super) weights_unknown: bool,
    pub(super) parameters: usize,
}

impl L1 {
    fn add_decayed(&mut self, size: f64, radius: f64) {
        self.decayed += DoubleDouble::from(size);
        self.error += radius;
        self.terms += 1;
    }

    /// The sum with weight decay added, and how far it may be off; `None` where our own roundings leave no bound.
    pub(super) fn decayed(&self) -> Option<(DoubleDouble, f64)> {
        Some((self.decayed, self.error * (1.0 + own_roundings(self.terms)?)))
    }
}

/// What rounding does to a sum of `n` numbers of one sign here, in `f64`: each of them has three operations before it
/// is added, and the sum at most n.
fn own_roundings(n: usize) -> Option<f64> {
    theta((n as f64 + 4.0) * f64::UNIT_ROUNDOFF)
}

/// The size of a gradient with weight decay added, as computed here, and how far a port's may be from it.
///
/// The port has the gradient g within `u_in |g|` and the weight w within its radius r. It rounds the decay, the product
/// and the sum, and flushes what it flushes, so with D the exact pull, u one rounding and eta an underflow,
///
/// ```text
/// |g' + D' - (g + D)| <= A = u_in |g| + decay r (1 + u)^2 + |D| (2 u + u^2) + 3 eta
/// |fl(g' + D') - (g + D)| <= A (1 + u) + u |g + D| + eta
/// ```
///
/// Here the product and the sum are rounded to 2^-53 of themselves, twice which also covers what u makes of that. The
/// radius is a sum of positive terms of fewer than 16 operations, which 2^-48 covers.
fn with_decay(arithmetic: &Arithmetic, g: f64, decay: f64, (w, r): (f64, f64)) -> (f64, f64) {
    let (u, eta) = (arithmetic.u(), arithmetic.underflow());
    let pull = decay * w;
    let sum = g + pull;
    let operands =
        arithmetic.u_in * g.abs() + decay * r * (1.0 + u) * (1.0 + u) + pull.abs() * u * (2.0 + u) + 3.0 * eta;
    let port = operands * (1.0 + u) + u * sum.abs() + eta;
    let own = 4.0 * f64::UNIT_ROUNDOFF * (pull.abs() + sum.abs());
    (sum.abs(), (port + own) * (1.0 + 1.0 / (1_u64 << 48) as f64))
}

/// The sums of Eq. 2 for one parameter.
pub(super) struct Squares {
    of_loss: Vec<Sum>,
    /// With weight decay added: low and high, each a sum in `f64`.
    decayed: Option<(Vec<f64>, Vec<f64>)>,
    /// The parameter's weight decay, where that is known.
    weight_decay: Option<f64>,
    /// Some step's weights did not follow from the trace.
    weights_unknown: bool,
}

impl Squares {
    /// `None` if it is not known which weights are alive although that matters.
    pub(super) fn new(epoch: &Epoch, parameter: &TracedParameter, alive: Option<&[bool]>) -> Option<Self> {
        let len = parameter.range.len();
        let masks = epoch.reading().masked_gradient != MaskedGradient::Dense;
        if masks && alive.is_none() {
            return None;
        }
        let decays = epoch.reading().gradient == GradientOf::LossAndDecay;
        Some(Self {
            of_loss: vec![Sum::default(); len],
            decayed: decays.then(|| (vec![0.0; len], vec![0.0; len])),
            weight_decay: epoch.trace.header.weight_decay(&parameter.name),
            weights_unknown: false,
        })
    }

    pub(super) fn add(
        &mut self,
        epoch: &Epoch,
        gradient: &[f64],
        alive: Option<&[bool]>,
        descent: Option<&Descent>,
        norms: &mut L1,
    ) {
        let masks = epoch.reading().masked_gradient != MaskedGradient::Dense;
        let counts = |j: usize| !masks || alive.is_none_or(|alive| alive[j]);
        for (j, &g) in gradient.iter().enumerate().filter(|(j, _)| counts(*j)) {
            self.of_loss[j].add_square(g);
            norms.of_loss.add(g.abs());
        }
        let Some((low, high)) = &mut self.decayed else { return };
        let (Some(weight_decay), Some(descent)) = (self.weight_decay, descent) else {
            self.weights_unknown = true;
            norms.weights_unknown = true;
            return;
        };
        for (j, &g) in gradient.iter().enumerate().filter(|(j, _)| counts(*j)) {
            let weight = (descent.weights[j], descent.radius[j]);
            let (size, radius) = with_decay(&epoch.arithmetic, g, weight_decay, weight);
            low[j] += (size - radius).max(0.0).powi(2);
            high[j] += (size + radius).powi(2);
            norms.add_decayed(size, radius);
        }
    }

    /// What G may be.
    pub(super) fn finish(
        self,
        epoch: &Epoch,
        batches: usize,
        alive: Option<&[bool]>,
        eq2: &mut Outcome,
    ) -> Option<(Vec<f64>, Vec<f64>)> {
        let arithmetic = epoch.arithmetic;
        let (Some(tolerance), Some(own)) = (arithmetic.sum_over_gradients(batches), own_roundings(batches)) else {
            eq2.no_bound(batches + 1, &arithmetic);
            return None;
        };
        let masks = epoch.reading().masked_gradient != MaskedGradient::Dense;
        let expected = |j: usize| -> Interval {
            if masks && alive.is_some_and(|alive| !alive[j]) {
                return Interval::exact(0.0);
            }
            match &self.decayed {
                None if self.of_loss[j].is_exact_in(&arithmetic) => Interval::exact(self.of_loss[j].value.to_f64()),
                None => {
                    let sum = Interval::around(self.of_loss[j].value, tolerance.relative, tolerance.absolute);
                    Interval { low: sum.low.max(0.0), ..sum }
                }
                Some((low, high)) => {
                    // First what the sums here may be off by, each square an underflow too, then the port's.
                    let off =
                        |end: f64| Interval::around(DoubleDouble::from(end), own, batches as f64 * f64::from_bits(1));
                    let around =
                        |end: f64| Interval::around(DoubleDouble::from(end), tolerance.relative, tolerance.absolute);
                    let low = around(off(low[j]).low.max(0.0)).low;
                    Interval { low: low.max(0.0), high: around(off(high[j]).high).high }
                }
            }
        };
        if self.weights_unknown {
            eq2.leave_out(
                "`gradient` = `loss+decay` needs the weights of every step, which do not follow from the trace",
            );
            return None;
        }
        let all: Vec<Interval> = (0..self.of_loss.len()).map(expected).collect();
        Some((all.iter().map(|e| e.low).collect(), all.iter().map(|e| e.high).collect()))
    }
}
