//! The sums of Eq. 2 over recorded gradients, and what a correct port's may be.

use crate::oracle::arithmetic::{L1, Sum, own_roundings, with_decay};
use crate::oracle::claims::descent::Descent;
use crate::oracle::interval::Interval;
use crate::oracle::outcome::Outcome;
use crate::oracle::seen::Seen;
use crate::paper::reading::{GradientOf, MaskedGradient};
use crate::scalar::{DoubleDouble, Scalar};
use crate::trace::TracedParameter;

/// The sums of Eq. 2 for one parameter.
pub(crate) struct Squares {
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
    pub(crate) fn new(seen: &Seen, parameter: &TracedParameter, alive: Option<&[bool]>) -> Option<Self> {
        let len = parameter.range.len();
        let masks = seen.reading().masked_gradient != MaskedGradient::Dense;
        if masks && alive.is_none() {
            return None;
        }
        let decays = seen.reading().gradient == GradientOf::LossAndDecay;
        Some(Self {
            of_loss: vec![Sum::default(); len],
            decayed: decays.then(|| (vec![0.0; len], vec![0.0; len])),
            weight_decay: seen.trace.header.weight_decay(&parameter.name),
            weights_unknown: false,
        })
    }

    pub(crate) fn add(
        &mut self,
        seen: &Seen,
        gradient: &[f64],
        alive: Option<&[bool]>,
        descent: Option<&Descent>,
        norms: &mut L1,
    ) {
        let masks = seen.reading().masked_gradient != MaskedGradient::Dense;
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
            let (size, radius) = with_decay(&seen.arithmetic, g, weight_decay, weight);
            low[j] += (size - radius).max(0.0).powi(2);
            high[j] += (size + radius).powi(2);
            norms.add_decayed(size, radius);
        }
    }

    /// What G may be.
    pub(crate) fn finish(
        self,
        seen: &Seen,
        batches: usize,
        alive: Option<&[bool]>,
        eq2: &mut Outcome,
    ) -> Option<(Vec<f64>, Vec<f64>)> {
        let arithmetic = seen.arithmetic;
        let (Some(tolerance), Some(own)) = (arithmetic.sum_over_gradients(batches), own_roundings(batches)) else {
            eq2.no_bound(batches + 1, &arithmetic);
            return None;
        };
        let masks = seen.reading().masked_gradient != MaskedGradient::Dense;
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
