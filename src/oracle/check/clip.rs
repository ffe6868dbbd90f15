//! Gradient clipping, as a header declares it: what a step takes of a recorded gradient.

use super::epoch::Epoch;
use super::gradients::gradient_name;
use super::outcome::Outcome;
use crate::error::Result;
use crate::scalar::{DoubleDouble, Scalar};
use crate::trace::{Arithmetic, Clip};

/// What PyTorch adds to a norm before it divides by it.
const NORM_EPS: f64 = 1e-6;

/// What becomes of a gradient before a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Clipping {
    /// It is taken as it is.
    None,
    /// Multiplied by a factor, which a port may have with this relative error.
    Scaled { factor: f64, error: f64 },
    /// Clamped to this size.
    Clamped(f64),
}

impl Clipping {
    /// The gradient of a step, and how far from it a port's may be that used `g` within `u_in` and rounds by `u`.
    pub(crate) fn apply(self, g: f64, u_in: f64, u: f64) -> (f64, f64) {
        match self {
            Self::None => (g, u_in * g.abs()),
            Self::Scaled { factor, error } => {
                let scaled = factor * g;
                // The factor's error, the gradient's and the product's, and a fourth for their products.
                (scaled, (error + u_in + u) * (1.0 + error + u_in + u) * scaled.abs())
            }
            Self::Clamped(bound) => {
                let error = u_in * g.abs();
                // Clamping brings two numbers no further apart; the bound itself may be rounded.
                let clamps = g.abs() + error >= bound * (1.0 - u);
                (g.clamp(-bound, bound), if clamps { error.min(2.0 * bound) + u * bound } else { error })
            }
        }
    }

    /// What norm clipping at `bound` does to gradients of this norm, which a port may have with the error `tolerance`.
    pub(crate) fn of_norm(bound: f64, norm: f64, relative: f64, absolute: f64, u: f64) -> Self {
        // With and without the small number in the denominator, and the bound rounded.
        let least = bound * (1.0 - u) / (norm * (1.0 + relative) + absolute + NORM_EPS);
        let most = bound * (1.0 + u) / (norm * (1.0 - relative) - absolute).max(0.0);
        let (least, most) = (least.min(1.0), most.min(1.0));
        let factor = 0.5 * (least + most);
        // Sum and quotient round.
        Self::Scaled { factor, error: if least < 1.0 { (most - factor) / factor + 4.0 * u } else { 0.0 } }
    }
}

/// What each of an epoch's steps does to its gradient, as declared; `None`, and a word in `alg1`, where it does not
/// follow from the trace.
///
/// # Errors
/// [`crate::Error::Io`].
pub(super) fn of_epoch(epoch: &Epoch, alg1: &mut Outcome) -> Result<Option<Vec<Clipping>>> {
    let batches = epoch.trace.batches(epoch.k);
    let (bound, clamps) = match epoch.trace.header.optimizer.clip {
        None | Some(Clip::Recorded) => return Ok(Some(vec![Clipping::None; batches])),
        Some(Clip::Value(bound)) => (bound, true),
        Some(Clip::Norm(bound)) => (bound, false),
    };
    if clamps {
        return Ok(Some(vec![Clipping::Clamped(bound); batches]));
    }
    let Some(norms) = norms(epoch)? else {
        alg1.leave_out("`clip` by norm: it is that of all parameters' gradients, which are not all recorded");
        return Ok(None);
    };
    let arithmetic: &Arithmetic = &epoch.arithmetic;
    let Some(tolerance) = arithmetic.sum_over_gradients(epoch.trace.entries()) else {
        alg1.leave_out("`clip` by norm: no bound holds for a sum over so many squares; declare u_acc");
        return Ok(None);
    };
    // A root halves the relative error of what is near 1, and is itself rounded, by the parameter and over all.
    let relative = tolerance.relative + 4.0 * arithmetic.u();
    let absolute = tolerance.absolute.sqrt();
    let clipping = |norm: f64| Clipping::of_norm(bound, norm, relative, absolute, arithmetic.u());
    Ok(Some(norms.into_iter().map(clipping).collect()))
}

/// The norm of each batch's gradients over all parameters; `None` if some parameter's are not recorded.
///
/// # Errors
/// [`crate::Error::Io`].
pub(crate) fn norms(epoch: &Epoch) -> Result<Option<Vec<f64>>> {
    let mut norms = Vec::new();
    for i in 0..epoch.trace.batches(epoch.k) {
        let mut sum = DoubleDouble::ZERO;
        for parameter in epoch.trace.parameters() {
            let Some(gradient) = epoch.trace.floats(&gradient_name(epoch.k, i, parameter))? else { return Ok(None) };
            sum += gradient.iter().map(|&g| DoubleDouble::from_product(g, g)).sum::<DoubleDouble>();
        }
        norms.push(sum.sqrt().to_f64());
    }
    Ok(Some(norms))
}
