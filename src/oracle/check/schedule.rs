//! Eq. 8: the prune rate.

use super::epoch::Epoch;
use super::outcome::{Outcome, Stage};
use crate::oracle::bounds::is_representable;
use crate::oracle::interval::Interval;
use crate::scalar::{DoubleDouble, Scalar};

/// `alpha_0 + (k / K)(alpha_K - alpha_0)` to about 31 digits, for any k.
pub(crate) fn exact_rate(k: usize, epochs: usize, alpha_0: f64, alpha_end: f64) -> DoubleDouble {
    let progress = DoubleDouble::from_usize(k) / DoubleDouble::from_usize(epochs);
    DoubleDouble::from(alpha_0) + progress * (DoubleDouble::from(alpha_end) - DoubleDouble::from(alpha_0))
}

/// Eq. 8 on the header's hyper-parameters.
pub(super) fn eq8(epoch: &mut Epoch) -> Outcome {
    let mut outcome = Outcome::new(Stage::Eq8);
    let hyper = &epoch.trace.header.hyper;
    let alpha = exact_rate(epoch.k, hyper.epochs, hyper.alpha_0, hyper.alpha_end);
    let error = epoch.arithmetic.prune_rate(epoch.k, hyper.alpha_0.max(hyper.alpha_end));
    let expected = Interval::around(alpha, 0.0, error);
    epoch.judge(&mut outcome, "alpha", epoch.recorded.alpha, Ok(expected));
    // A recorded rate may be rounded: what the port went on with is near it, unless it is the exact one.
    let own = epoch.recorded.alpha.filter(|x| x.is_finite());
    epoch.operands.alpha = Some(match own {
        Some(own) if DoubleDouble::from(own) == alpha && is_representable(alpha, &epoch.arithmetic) => {
            Interval::exact(own)
        }
        Some(own) => Interval::exact(own).widened(2.0 * epoch.arithmetic.u()),
        None if is_representable(alpha, &epoch.arithmetic) => Interval::exact(alpha.to_f64()),
        None => expected,
    });
    outcome
}
