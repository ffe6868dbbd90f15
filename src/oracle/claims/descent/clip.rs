//! Gradient clipping, as a header declares it: what a step takes of a recorded gradient.

use crate::error::Result;
use crate::oracle::outcome::Outcome;
use crate::oracle::seen::Seen;
use crate::oracle::sgd::Clipping;
use crate::scalar::{DoubleDouble, Scalar};
use crate::trace::names::gradient;
use crate::trace::{Arithmetic, Clip};

/// What each of an epoch's steps does to its gradient, as declared; `None`, and a word in `alg1`, where it does not
/// follow from the trace.
///
/// # Errors
/// [`crate::Error::Io`].
pub(crate) fn of_epoch(seen: &Seen, alg1: &mut Outcome) -> Result<Option<Vec<Clipping>>> {
    let batches = seen.trace.batches(seen.k);
    let (bound, clamps) = match seen.trace.header.optimizer.clip {
        None | Some(Clip::Recorded) => return Ok(Some(vec![Clipping::None; batches])),
        Some(Clip::Value(bound)) => (bound, true),
        Some(Clip::Norm(bound)) => (bound, false),
    };
    if clamps {
        return Ok(Some(vec![Clipping::Clamped { bound, error: 0.0 }; batches]));
    }
    let Some(norms) = norms(seen)? else {
        alg1.leave_out("`clip` by norm: it is that of all parameters' gradients, which are not all recorded");
        return Ok(None);
    };
    let arithmetic: &Arithmetic = &seen.arithmetic;
    let Some(tolerance) = arithmetic.sum_over_gradients(seen.trace.entries()) else {
        alg1.leave_out("`clip` by norm: no bound holds for a sum over so many squares; declare u_acc");
        return Ok(None);
    };
    // A root halves the relative error of what is near 1, and is itself rounded, by the parameter and over all.
    let relative = tolerance.relative + 4.0 * arithmetic.u();
    let absolute = tolerance.absolute.sqrt();
    let clipping = |norm: f64| Clipping::of_norm(bound, norm, relative, absolute, arithmetic.u());
    Ok(Some(norms.into_iter().map(clipping).collect()))
}

/// The norm of each batch's gradients over all parameters; `None` if some entries of them are not recorded.
///
/// # Errors
/// [`crate::Error::Io`].
pub(crate) fn norms(seen: &Seen) -> Result<Option<Vec<f64>>> {
    let mut norms = Vec::new();
    if seen.trace.sample().is_some() {
        return Ok(None);
    }
    for i in 0..seen.trace.batches(seen.k) {
        let mut sum = DoubleDouble::ZERO;
        for parameter in seen.trace.parameters() {
            let Some(gradient) = seen.trace.floats(&gradient(seen.k, i, parameter))? else { return Ok(None) };
            sum += gradient.iter().map(|&g| DoubleDouble::from_product(g, g)).sum::<DoubleDouble>();
        }
        norms.push(sum.sqrt().to_f64());
    }
    Ok(Some(norms))
}
