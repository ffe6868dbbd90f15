//! Section 3.2: the prune rate (Eq. 8).

use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// Eq. 8: `alpha_k = alpha_0 + (k / K) (alpha_K - alpha_0)`, the fraction of weights that epoch `k` targets.
///
/// `epochs` is K and `alpha_end` is alpha_K. Evaluated as printed, quotient first, in [`Scalar::Wide`] and rounded
/// once. Wide, the order does not matter: `k / K` carries a relative error of 2^-53 for `f32` and 2^-102 for
/// `f64`, far below half an ulp of the result, and `k = 0` and `k = K` give alpha_0 and alpha_K exactly.
///
/// # Errors
/// [`Error::Domain`] if K is 0, `k > K`, or a rate lies outside `[0, 1]`.
///
/// ```
/// use gdstar::paper::schedule::prune_rate;
/// assert_eq!(prune_rate(0, 4, 1.0, 0.5)?, 1.0);
/// assert_eq!(prune_rate(1, 4, 1.0, 0.5)?, 0.875);
/// assert_eq!(prune_rate(4, 4, 1.0, 0.5)?, 0.5);
/// assert_eq!(prune_rate(150, 300, 0.95, 0.25)?, 0.6); // section 4's schedule, half way
/// # Ok::<(), gdstar::Error>(())
/// ```
pub fn prune_rate<S: Scalar>(k: usize, epochs: usize, alpha_0: S, alpha_end: S) -> Result<S> {
    if epochs == 0 {
        return Err(Error::domain("K of Eq. 8", "at least 1 epoch", epochs));
    }
    if k > epochs {
        return Err(Error::domain("k of Eq. 8", format!("an epoch up to K = {epochs}"), k));
    }
    for (name, alpha) in [("alpha_0 of Eq. 8", alpha_0), ("alpha_K of Eq. 8", alpha_end)] {
        if !(alpha >= S::ZERO && alpha <= S::ONE) {
            return Err(Error::domain(name, "a number in [0, 1]", alpha.to_f64()));
        }
    }
    let progress = S::Wide::from_usize(k) / S::Wide::from_usize(epochs);
    let alpha_k = alpha_0.widen() + progress * (alpha_end.widen() - alpha_0.widen());
    Ok(S::narrow(alpha_k))
}
