//! Section 3.2: which weights an epoch selects (Eq. 5, Alg. 5).

use super::gradient_norm::masked_gradient;
use super::quantile::{chunk_quantiles, mean_of_quantiles};
use super::reading::{MaskedGradient, Reading};
use super::same_length;
use crate::error::{Error, Result};
use crate::kernel::{self, Kernel};
use crate::scalar::{DoubleDouble, Scalar};
use std::borrow::Cow;

/// What Alg. 5 finds at the end of one epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection<S> {
    /// `q_k^(c)` of Eq. 6, one a chunk; empty where no threshold was taken.
    pub chunk_quantiles: Vec<S>,
    /// `tau_k` of Eq. 7; 0 where no threshold was taken.
    pub tau: S,
    /// `W_tau_k` of Eq. 5: true where `w_j` is selected, in the order of G.
    pub selected: Vec<bool>,
}

impl<S: Scalar> Selection<S> {
    /// Nothing selected out of `n` weights, with tau = 0: what an empty set gives.
    pub(super) fn nothing(n: usize) -> Self {
        Self { chunk_quantiles: Vec::new(), tau: S::ZERO, selected: vec![false; n] }
    }

    /// How many weights are selected.
    ///
    /// With C = 1 this is at most the rank `alpha (N - 1)` rounded up, since `<` is strict; it is 0 where more than the
    /// fraction alpha of G is exactly 0, for then tau = 0 (open point 5).
    pub fn count(&self) -> usize {
        self.selected.iter().filter(|&&selected| selected).count()
    }
}

/// Eq. 5: `W_tau_k = {w_j | G_j < tau_k}`, strictly, as a flag for each weight.
///
/// ```
/// use gdstar::paper::selection::below_threshold;
/// assert_eq!(below_threshold(&[0.0, 2.0, 3.0, 1.0], 2.0), [true, false, false, true]);
/// ```
pub fn below_threshold<S: Scalar>(g: &[S], tau: S) -> Vec<bool> {
    kernel::below(Kernel::any(), g, tau)
}

/// Alg. 5, lines 9 to 14: chunk quantiles of G, their mean tau, and the weights below it.
///
/// `g`: G of the epoch `[N]`, flattened in the order of the parameter list; `mask` `[N]`: true where a weight is alive;
/// `alpha`: the epoch's prune rate; `chunks`: C. The reading decides the quantile, the chunking, and what an
/// eliminated weight counts for (open point 7):
///
/// - `dense`: its G like any other; it may be selected, and stays eliminated.
/// - `zero`: its G is 0, and stays in the set; it is selected where tau > 0.
/// - `excluded`: it leaves the set before the set is cut into chunks, and is not selected. An empty set selects
///   nothing and tau is 0. The paper is silent on fewer than C weights being left; we then cut them into as many
///   chunks as there are weights, since a chunk without weights has no quantile.
///
/// # Errors
/// [`Error::Shape`] if the lengths differ; [`Error::Domain`] unless alpha is in `[0, 1]`, `1 <= C <= N` and G finite.
///
/// ```
/// use gdstar::paper::{reading::Reading, selection::select_weights};
/// let g = [0.0, 4.0, 2.0, 10.0, 6.0, 20.0];
/// let selection = select_weights(&g, &[true; 6], 0.5, 2, &Reading::default())?;
/// assert_eq!(selection.chunk_quantiles, [2.0, 10.0]); // the medians of {0, 4, 2} and {10, 6, 20}
/// assert_eq!(selection.tau, 6.0);
/// assert_eq!(selection.selected, [true, true, true, false, false, false]);
/// # Ok::<(), gdstar::Error>(())
/// ```
pub fn select_weights<S: Scalar>(
    g: &[S],
    mask: &[bool],
    alpha: impl Into<DoubleDouble>,
    chunks: usize,
    reading: &Reading,
) -> Result<Selection<S>> {
    same_length("select_weights", "mask", g.len(), mask.len())?;
    let excluded = reading.masked_gradient == MaskedGradient::Excluded;
    let set = if excluded { living(g, mask) } else { masked_gradient(g, mask, reading.masked_gradient)? };
    let Some((chunk_quantiles, tau)) = threshold(&set, g.len(), alpha.into(), chunks, reading)? else {
        return Ok(Selection::nothing(g.len()));
    };
    let mut selected = below_threshold(if excluded { g } else { &set }, tau);
    if excluded {
        kernel::hold(Kernel::any(), &mut selected, mask);
    }
    Ok(Selection { chunk_quantiles, tau, selected })
}

/// G of the living weights; a copy only where some are eliminated.
fn living<'a, S: Scalar>(g: &'a [S], mask: &[bool]) -> Cow<'a, [S]> {
    match mask.contains(&false) {
        true => Cow::Owned(kernel::living(Kernel::any(), g, mask)),
        false => Cow::Borrowed(g),
    }
}

/// Eq. 6 and 7 over the `set` that is left of `population` values; `None` if nothing is left.
pub(super) fn threshold<S: Scalar>(
    set: &[S],
    population: usize,
    alpha: DoubleDouble,
    chunks: usize,
    reading: &Reading,
) -> Result<Option<(Vec<S>, S)>> {
    if chunks == 0 || chunks > population {
        return Err(Error::domain("C of Alg. 5", format!("a count from 1 to N = {population}"), chunks));
    }
    if set.is_empty() {
        return Ok(None);
    }
    let quantiles = chunk_quantiles(set, alpha, chunks.min(set.len()), reading.chunking, reading.quantile)?;
    let tau = mean_of_quantiles(&quantiles)?;
    Ok(Some((quantiles, tau)))
}
