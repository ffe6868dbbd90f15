//! The sums of Eq. 1 and Eq. 2 over recorded gradients, and what a correct port's may be.

use super::epoch::Epoch;
use super::optimizer::Descent;
use super::outcome::Outcome;
use crate::oracle::bounds::Sum;
use crate::oracle::interval::Interval;
use crate::oracle::trace::TracedParameter;
use crate::paper::reading::{GradientOf, MaskedGradient};
use crate::scalar::{DoubleDouble, Scalar};

/// The sum of Eq. 1 over what was read so far.
#[derive(Default)]
pub(super) struct L1 {
    /// Of the loss gradients, as the reading masks them.
    pub(super) of_loss: Sum,
    /// Of those with weight decay added, with how far off it may be.
    pub(super) decayed: DoubleDouble,
    pub(super) decayed_error: f64,
    pub(super) weights_unknown: bool,
    pub(super) parameters: usize,
}

/// The sums of Eq. 2 for one parameter.
pub(super) struct Squares {
    of_loss: Vec<Sum>,
    /// With weight decay added: low and high.
    decayed: Option<(Vec<f64>, Vec<f64>)>,
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
        let (Some(sgd), Some(descent)) = (epoch.trace.header.sgd, descent) else {
            self.weights_unknown = true;
            norms.weights_unknown = true;
            return;
        };
        let u = epoch.arithmetic.u() + 4.0 * f64::UNIT_ROUNDOFF;
        for (j, &g) in gradient.iter().enumerate().filter(|(j, _)| counts(*j)) {
            let pull = sgd.weight_decay * descent.weights[j];
            let sum = g + pull;
            let radius = u * (2.0 * pull.abs() + sum.abs())
                + epoch.arithmetic.u_in * g.abs()
                + sgd.weight_decay * descent.radius[j]
                + epoch.arithmetic.underflow();
            let size = sum.abs();
            // Rounded outwards: two operations each.
            low[j] += ((size - radius).max(0.0) * (1.0 - u)).powi(2);
            high[j] += ((size + radius) * (1.0 + u)).powi(2);
            norms.decayed += DoubleDouble::from(size);
            norms.decayed_error += radius;
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
        let Some(tolerance) = arithmetic.sum_over_gradients(batches) else {
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
                    let low = Interval::around(DoubleDouble::from(low[j]), tolerance.relative, tolerance.absolute).low;
                    let high =
                        Interval::around(DoubleDouble::from(high[j]), tolerance.relative, tolerance.absolute).high;
                    Interval { low: low.max(0.0), high }
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
