//! Section 3.1, Alg. 4: the rewind point k* and its weights W_k*.

use super::reading::RewindCopy;
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};

/// How likely *random rewind* is to move the rewind point: "updated at each epoch with a probability of 10 %" (A.7).
pub const REWIND_PROBABILITY: f64 = 0.1;

/// The state of Alg. 4: the running minimum m of the Frobenius norm, the epoch k* that set it, and W_k*.
///
/// It starts as line 1 does, with `m = +inf` and `k* = 0`; the paper is silent on W_k* before the first update,
/// and since k = 0 is the start of training we take W_0 (open point 15). The three fields are the whole state: a
/// checkpoint stores them and [`RewindPoint::restore`] takes them back.
///
/// The methods that Table 2 and A.7 compare differ only in what they call at the end of an epoch: GDSTAR
/// [`observe`](Self::observe)s the norm, *random rewind* calls [`move_to`](Self::move_to) when its draw says so
/// (open point 18; the draw is the caller's), *reset to W_0* calls neither (open point 17), so k* stays 0.
///
/// ```
/// use gdstar::paper::{reading::RewindCopy, rewind::RewindPoint};
/// use ndarray::arr1;
/// let w = |x: f64| [arr1(&[x]).into_dyn()];
/// let mut point = RewindPoint::new(RewindCopy::Copy, &w(0.0).each_ref().map(|w| w.view()));
/// // epoch:  0    1    2    3
/// // norm:   5    7    4    4      a new minimum at 0 and 2; the tie at 3 changes nothing
/// for (k, norm) in [5.0, 7.0, 4.0, 4.0].into_iter().enumerate() {
///     point.observe(k, norm, &w(k as f64).each_ref().map(|w| w.view()))?;
/// }
/// assert_eq!((point.minimum(), point.k_star()), (4.0, 2));
/// assert_eq!(point.weights(), Some(&w(2.0)[..]));
/// # Ok::<(), gdstar::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RewindPoint<S: Scalar> {
    minimum: S,
    k_star: usize,
    weights: Option<Vec<ArrayD<S>>>,
}

impl<S: Scalar> RewindPoint<S> {
    /// Line 1 of Alg. 4, with `W_k* = W_0 = initial` (one array a parameter, any shapes).
    ///
    /// Under [`RewindCopy::Alias`] W_k* is the live weights and nothing is stored.
    pub fn new(copy: RewindCopy, initial: &[ArrayViewD<S>]) -> Self {
        let weights = match copy {
            RewindCopy::Copy => Some(initial.iter().map(ArrayViewD::to_owned).collect()),
            RewindCopy::Alias => None,
        };
        Self { minimum: S::from_f64(f64::INFINITY), k_star: 0, weights }
    }

    /// The state as a checkpoint recorded it; `weights` is `None` for [`RewindCopy::Alias`].
    ///
    /// # Errors
    /// [`Error::Domain`] if `minimum` is NaN or negative.
    pub fn restore(minimum: S, k_star: usize, weights: Option<Vec<ArrayD<S>>>) -> Result<Self> {
        if minimum >= S::ZERO {
            Ok(Self { minimum, k_star, weights })
        } else {
            Err(Error::domain("running minimum of Alg. 4", "a number >= 0 or +inf", minimum.to_f64()))
        }
    }

    /// Lines 10 to 14 of Alg. 4 at the end of epoch `k`: `if S_F < m { m <- S_F; k* <- k; W_k* <- W }`.
    ///
    /// The comparison is strict, as printed: a norm equal to the minimum keeps the earlier epoch. Returns whether
    /// the rewind point moved. `weights`: the parameters as in [`RewindPoint::new`], before or after the epoch's
    /// own pruning as open point 8 is read.
    ///
    /// # Errors
    /// [`Error::Domain`] if `frobenius` is negative or not finite; [`Error::Shape`] if the weights do not fit
    /// those stored. The state is then unchanged.
    pub fn observe(&mut self, k: usize, frobenius: S, weights: &[ArrayViewD<S>]) -> Result<bool> {
        if !(frobenius >= S::ZERO && frobenius.is_finite()) {
            return Err(Error::domain(format!("S_F of epoch {k}"), "a finite number >= 0", frobenius.to_f64()));
        }
        let improves = frobenius < self.minimum;
        if improves {
            self.move_to(k, weights)?;
            self.minimum = frobenius;
        }
        Ok(improves)
    }

    /// Lines 12 and 13 of Alg. 4 alone: `k* <- k; W_k* <- W`, whatever the norm.
    ///
    /// # Errors
    /// [`Error::Shape`] if the weights do not fit those stored; the state is then unchanged.
    pub fn move_to(&mut self, k: usize, weights: &[ArrayViewD<S>]) -> Result<()> {
        if let Some(stored) = &mut self.weights {
            let found: Vec<_> = weights.iter().map(ArrayViewD::shape).collect();
            let expected: Vec<_> = stored.iter().map(ArrayD::shape).collect();
            if found != expected {
                return Err(Error::shape("rewind", "W", format!("shapes {expected:?}"), format!("shapes {found:?}")));
            }
            for (rewind, live) in stored.iter_mut().zip(weights) {
                rewind.assign(live);
            }
        }
        self.k_star = k;
        Ok(())
    }

    /// m: the smallest norm seen, `+inf` before the first.
    pub fn minimum(&self) -> S {
        self.minimum
    }

    /// k*: the epoch that W_k* is from.
    pub fn k_star(&self) -> usize {
        self.k_star
    }

    /// W_k*, or `None` where it is the live weights ([`RewindCopy::Alias`]).
    pub fn weights(&self) -> Option<&[ArrayD<S>]> {
        self.weights.as_deref()
    }

    /// [`weights`](Self::weights), for a caller that stores them in another form.
    pub fn weights_mut(&mut self) -> Option<&mut [ArrayD<S>]> {
        self.weights.as_deref_mut()
    }
}
