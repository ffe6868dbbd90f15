//! Section 3.3: selected weights go back to their rewind values, decayed, and to zero below eps (Eq. 9, Alg. 6).

use super::reading::{DecayStep, Threshold};
use super::same_length;
use crate::error::{Error, Result};
use crate::kernel::{self, DecayRule, Kernel};
use crate::scalar::Scalar;

pub use crate::kernel::DecayCounts;

/// Line 2 of Alg. 6: the decay step t at the end of epoch `k` (open point 10).
///
/// `k - k*` by default; `iteration` counts optimizer steps taken so far.
///
/// # Errors
/// [`Error::Domain`] if `k - k*` is asked for and `k < k*`.
///
/// ```
/// use gdstar::paper::{decay::decay_step, reading::DecayStep};
/// assert_eq!(decay_step(DecayStep::SinceRewind, 7, 5, 100)?, 2);
/// assert_eq!(decay_step(DecayStep::Iteration, 7, 5, 100)?, 100);
/// # Ok::<(), gdstar::Error>(())
/// ```
pub fn decay_step(rule: DecayStep, k: usize, k_star: usize, iteration: usize) -> Result<usize> {
    match rule {
        DecayStep::SinceRewind => k
            .checked_sub(k_star)
            .ok_or_else(|| Error::domain("k* of Alg. 6", format!("an epoch up to k = {k}"), k_star)),
        DecayStep::Constant => Ok(1),
        DecayStep::Epoch => Ok(k),
        DecayStep::Iteration => Ok(iteration),
        DecayStep::RewindEpoch => Ok(k_star),
    }
}

/// `lambda^t` in the wide type of `S`, by squaring: the bits of t from the highest, the power squared at each and
/// multiplied by lambda where the bit is set.
///
/// At most `2 log2(t)` products, so that no t, however large, takes long; the relative error stays below about
/// `t u` with u that of the wide type (2^-53 for `f32`, 2^-102 for `f64`) while the power is above 2^-960. A
/// large t underflows towards 0.
///
/// # Errors
/// [`Error::Domain`] unless `0 < lambda <= 1`.
///
/// ```
/// use gdstar::paper::decay::decay_factor;
/// assert_eq!(decay_factor::<f32>(0.75, 0)?, 1.0);
/// assert_eq!(decay_factor::<f32>(0.75, 3)?, 0.421875);
/// # Ok::<(), gdstar::Error>(())
/// ```
pub fn decay_factor<S: Scalar>(lambda: f64, t: usize) -> Result<S::Wide> {
    if !(lambda > 0.0 && lambda <= 1.0) {
        return Err(Error::domain("lambda of Eq. 9", "a number in (0, 1]", lambda));
    }
    let lambda = S::Wide::from_f64(lambda);
    let mut power = S::Wide::ONE;
    for bit in (0..usize::BITS - t.leading_zeros()).rev() {
        power = power * power;
        if t >> bit & 1 == 1 {
            power *= lambda;
        }
    }
    Ok(power)
}

/// Eq. 9: `w_j = (w_j* lambda^t) 1(|w_j* lambda^t| >= eps)`.
///
/// The product is taken wide, with `lambda^t` from [`decay_factor`], and rounded once; the rounded weight is what is
/// compared with eps, as lines 4 and 5 of Alg. 6 do, and compared exactly (eps is not rounded to the precision of w).
/// `>=` keeps: a weight of size eps stays.
///
/// # Errors
/// [`Error::Domain`] for lambda outside (0, 1], or eps negative or NaN.
///
/// ```
/// use gdstar::paper::decay::decayed_weight;
/// let (lambda, t, eps) = (0.5, 2, 1.0); // lambda^t = 1/4
/// assert_eq!(decayed_weight(8.0, lambda, t, eps)?, 2.0);
/// assert_eq!(decayed_weight(-4.0, lambda, t, eps)?, -1.0); // exactly eps: kept
/// assert_eq!(decayed_weight(2.0, lambda, t, eps)?, 0.0);
/// # Ok::<(), gdstar::Error>(())
/// ```
pub fn decayed_weight<S: Scalar>(w_star: S, lambda: f64, t: usize, eps: f64) -> Result<S> {
    let rule = rule::<S>(&Decay { lambda, t, eps, threshold: Threshold::Selected })?;
    let w = rule.decayed(w_star);
    Ok(if rule.reaches(w) { w } else { S::ZERO })
}

/// The numbers of Eq. 9, checked.
fn rule<S: Scalar>(decay: &Decay) -> Result<DecayRule<S>> {
    let &Decay { lambda, t, eps, threshold } = decay;
    let factors = factors::<S>(lambda, t)?;
    let of_all = threshold == Threshold::All;
    if eps >= 0.0 {
        Ok(DecayRule { factors, eps, of_all })
    } else {
        Err(Error::domain("eps of Eq. 9", "a number >= 0", eps))
    }
}

/// `lambda^t` as factors that have all their bits wherever the product with some weight is not 0: the power itself where
/// it is not near underflow, else three powers (with `lambda^(t/3)` below 2^-900, the product of `lambda^t` and the
/// largest weight is below any number).
fn factors<S: Scalar>(lambda: f64, t: usize) -> Result<[S::Wide; 3]> {
    const NEAR_UNDERFLOW: f64 = f64::from_bits((1023 - 900) << 52);
    let power = decay_factor::<S>(lambda, t)?;
    if power >= S::Wide::from_f64(NEAR_UNDERFLOW) {
        return Ok([power, S::Wide::ONE, S::Wide::ONE]);
    }
    let (a, b) = (t / 3, (t - t / 3) / 2);
    Ok([decay_factor::<S>(lambda, a)?, decay_factor::<S>(lambda, b)?, decay_factor::<S>(lambda, t - a - b)?])
}

/// What Alg. 6 needs to know besides the arrays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decay {
    /// The decay rate, in (0, 1].
    pub lambda: f64,
    /// The decay step t, from [`decay_step`].
    pub t: usize,
    /// The prune threshold, at least 0.
    pub eps: f64,
    /// Which weights eps can eliminate (open point 11).
    pub threshold: Threshold,
}

/// Alg. 6 on one parameter: every selected living weight becomes `w* lambda^t`, those below eps are eliminated.
///
/// `weights`, `selected`, `mask` `[n]`; `mask` is true where a weight is alive. `rewind` `[n]` is W_k*, or `None` where
/// W_k* is the live weights themselves (open point 9). Under [`Threshold::All`] weights below eps are eliminated
/// whether selected or not. An eliminated weight stays eliminated (open point 12): its mask entry never returns, and
/// its weight is set to 0 even if it was selected or something revived it.
///
/// # Errors
/// [`Error::Shape`] if the lengths differ; [`Error::Domain`] for lambda outside (0, 1], eps negative or NaN, or a
/// living weight (or the rewind value it takes) that is not finite. Nothing is changed then.
///
/// ```
/// use gdstar::paper::{decay::{Decay, DecayCounts, rewind_decay}, reading::Threshold};
/// let (mut w, mut mask) = ([9.0, 9.0, 9.0, 0.0], [true, true, true, false]);
/// let decay = Decay { lambda: 0.5, t: 2, eps: 1.0, threshold: Threshold::Selected };
/// let counts = rewind_decay(&mut w, Some(&[8.0, 2.0, 8.0, 8.0]), &[true, true, false, true], &mut mask, &decay)?;
/// assert_eq!(w, [2.0, 0.0, 9.0, 0.0]);
/// assert_eq!(mask, [true, false, true, false]);
/// assert_eq!(counts, DecayCounts { rewound: 2, eliminated: 1 });
/// # Ok::<(), gdstar::Error>(())
/// ```
pub fn rewind_decay<S: Scalar>(
    weights: &mut [S],
    rewind: Option<&[S]>,
    selected: &[bool],
    mask: &mut [bool],
    decay: &Decay,
) -> Result<DecayCounts> {
    let (rule, n) = (rule::<S>(decay)?, weights.len());
    for (place, found) in [("selected", selected.len()), ("mask", mask.len()), ("W_k*", rewind.map_or(n, <[S]>::len))] {
        same_length("rewind_decay", place, n, found)?;
    }
    if let Some((j, w)) = kernel::first_not_finite(Kernel::any(), weights, rewind, selected, mask) {
        return Err(Error::domain(format!("weight {j} of Alg. 6"), "a finite number", w.to_f64()));
    }
    Ok(kernel::rewind_decay(Kernel::any(), weights, rewind, selected, mask, &rule))
}
