//! [`keep_largest`]: a selection keeps those of its candidates that have the largest keys; how many, and which of equal
//! ones, is read in more than one way.

use crate::choice::choice;
use crate::error::{Error, Result};
use crate::kernel::{Kernel, all_finite, living, order_statistics};
use crate::scalar::Scalar;

choice! {
    /// How many are kept of n candidates where k are wanted; x_(i) is the i-th largest key, x_(0) = +inf, x_(n+1) = -inf.
    Cut, "cut":
    /// Exactly min(k, n).
    Exact = "exact",
    /// Those with x > x_(k): fewer than k.
    AboveKth = "above-kth",
    /// Those with x >= x_(k): more than k where keys tie.
    FromKth = "from-kth",
    /// Those with x > x_(k+1): a tie at the border loses all.
    AboveNext = "above-next",
    /// Those with x >= x_(k+1): one more than k.
    FromNext = "from-next",
}

choice! {
    /// Which of equal keys is kept, by its index (under [`Cut::Exact`]).
    Ties, "ties":
    LowerIndex = "lower-index",
    HigherIndex = "higher-index",
    /// Either: what a trace may say of a sort that promises nothing. Where one has to be taken, it is the lower.
    Any = "any",
}

/// True where a key is among the k largest.
///
/// ```
/// use gdstar::select::cut::{Cut, Ties, keep_largest};
/// let keys = [5.0, 3.0, 4.0, 3.0];
/// let kept = |cut, ties| keep_largest(&keys, 3, cut, ties);
/// assert_eq!(kept(Cut::Exact, Ties::LowerIndex)?, [true, true, true, false]);
/// assert_eq!(kept(Cut::Exact, Ties::HigherIndex)?, [true, false, true, true]);
/// assert_eq!(kept(Cut::AboveKth, Ties::LowerIndex)?, [true, false, true, false]);
/// assert_eq!(kept(Cut::FromKth, Ties::LowerIndex)?, [true; 4]);
/// # Ok::<(), gdstar::Error>(())
/// ```
///
/// # Errors
/// [`Error::Domain`] naming the first key that is not finite.
pub fn keep_largest<S: Scalar>(keys: &[S], k: usize, cut: Cut, ties: Ties) -> Result<Vec<bool>> {
    Ok(match cut {
        Cut::Exact => exactly(keys, k, &x(keys, k)?, ties),
        Cut::AboveKth => kept(keys, &x(keys, k)?, S::gt),
        Cut::FromKth => kept(keys, &x(keys, k)?, S::ge),
        Cut::AboveNext => kept(keys, &x(keys, k + 1)?, S::gt),
        Cut::FromNext => kept(keys, &x(keys, k + 1)?, S::ge),
    })
}

/// The same among candidates: false for all others.
///
/// ```
/// use gdstar::select::cut::{Cut, Ties, keep_among};
/// let (keys, candidates) = ([5.0, 3.0, 4.0, 3.0], [false, true, true, true]);
/// assert_eq!(keep_among(&keys, &candidates, 2, Cut::Exact, Ties::LowerIndex)?, [false, true, true, false]);
/// # Ok::<(), gdstar::Error>(())
/// ```
///
/// # Errors
/// As [`keep_largest`], of candidates.
pub fn keep_among<S: Scalar>(keys: &[S], candidates: &[bool], k: usize, cut: Cut, ties: Ties) -> Result<Vec<bool>> {
    let mut kept = keep_largest(&living(Kernel::any(), keys, candidates), k, cut, ties)?.into_iter();
    Ok(candidates.iter().map(|&is_candidate| is_candidate && kept.next().unwrap_or(false)).collect())
}

/// x_(i) as the place that it has among all numbers.
enum Ranked<S> {
    PlusInfinity,
    At(S),
    MinusInfinity,
}

/// x_(i).
///
/// # Errors
/// As [`keep_largest`].
fn x<S: Scalar>(keys: &[S], i: usize) -> Result<Ranked<S>> {
    let ranked = match i {
        0 => all_finite(keys).map(|()| Ranked::PlusInfinity),
        i if i > keys.len() => all_finite(keys).map(|()| Ranked::MinusInfinity),
        // Ranks are counted from the least; of two zeros, which are equal here, it may be either.
        i => order_statistics(Kernel::any(), keys, keys.len() - i, false).map(|(x, _)| Ranked::At(x)),
    };
    ranked.map_err(|j| Error::domain(format!("the score of weight {j}"), "a finite number", keys[j].to_f64()))
}

/// Whether each key belongs, by what `belongs` says of it and x; all are below +inf, and above -inf.
fn kept<S: Scalar>(keys: &[S], x: &Ranked<S>, belongs: impl Fn(&S, &S) -> bool) -> Vec<bool> {
    match x {
        Ranked::PlusInfinity => vec![false; keys.len()],
        Ranked::At(x) => keys.iter().map(|key| belongs(key, x)).collect(),
        Ranked::MinusInfinity => vec![true; keys.len()],
    }
}

/// Those above x_(k), and of those at it as many as are left of k.
fn exactly<S: Scalar>(keys: &[S], k: usize, x: &Ranked<S>, ties: Ties) -> Vec<bool> {
    let mut kept = kept(keys, x, S::gt);
    let &Ranked::At(border) = x else { return kept };
    let left = k - kept.iter().filter(|&&kept| kept).count();
    let is_at_border = |j: &usize| keys[*j] == border;
    match ties {
        Ties::LowerIndex | Ties::Any => (0..keys.len()).filter(is_at_border).take(left).for_each(|j| kept[j] = true),
        Ties::HigherIndex => (0..keys.len()).rev().filter(is_at_border).take(left).for_each(|j| kept[j] = true),
    }
    kept
}
