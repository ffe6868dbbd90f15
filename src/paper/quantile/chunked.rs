//! The chunked approximation: one quantile a chunk (Eq. 6), and their mean (Eq. 7).

use super::quantile_selected;
use crate::error::{Error, Result};
use crate::paper::reading::{Chunking, QuantileRule};
use crate::scalar::{DoubleDouble, Scalar};

/// The sizes of the chunks that `n` weights are cut into, in order (open point 4).
///
/// `near-equal`: C chunks, the first `n mod C` of `ceil(n / C)` weights and the rest of `floor(n / C)`.
/// `ceil`: chunks of `ceil(n / C)`, the last one what is left; there may be fewer than C (5 weights and C = 4 give
/// 2, 2, 1).
///
/// # Errors
/// [`Error::Domain`] unless `1 <= chunks <= n`.
///
/// ```
/// use gdstar::paper::{quantile::chunk_sizes, reading::Chunking};
/// assert_eq!(chunk_sizes(5, 4, Chunking::NearEqual)?, [2, 1, 1, 1]);
/// assert_eq!(chunk_sizes(5, 4, Chunking::Ceil)?, [2, 2, 1]);
/// # Ok::<(), gdstar::Error>(())
/// ```
pub fn chunk_sizes(n: usize, chunks: usize, chunking: Chunking) -> Result<Vec<usize>> {
    if chunks == 0 || chunks > n {
        return Err(Error::domain("C of Eq. 6", format!("a count from 1 to the number of weights, {n}"), chunks));
    }
    Ok(match chunking {
        Chunking::NearEqual => (0..chunks).map(|c| n / chunks + usize::from(c < n % chunks)).collect(),
        Chunking::Ceil => {
            let size = n.div_ceil(chunks);
            (0..n).step_by(size).map(|start| size.min(n - start)).collect()
        }
    })
}

/// Eq. 6: `q_k^(c) = Quantile_alpha({G_j : w_j in chunk c})`, one a chunk, in order.
///
/// `g`: G flattened in the order of the parameter list. One chunk is looked at after the other, which is the memory
/// that Eq. 11 counts for a quantile that sorts; [`quantile_selected`] copies a few hundredths of it.
///
/// # Errors
/// As [`chunk_sizes`] and [`quantile_sorted`](super::quantile_sorted).
///
/// ```
/// use gdstar::paper::{quantile::*, reading::{Chunking, QuantileRule}};
/// let g = [0.0, 4.0, 2.0, 10.0, 6.0];
/// let q = chunk_quantiles(&g, 0.5, 2, Chunking::NearEqual, QuantileRule::Linear)?;
/// assert_eq!(q, [2.0, 8.0]); // the medians of {0, 4, 2} and {10, 6}
/// assert_eq!(mean_of_quantiles(&q)?, 5.0);
/// # Ok::<(), gdstar::Error>(())
/// ```
pub fn chunk_quantiles<S: Scalar>(
    g: &[S],
    alpha: impl Into<DoubleDouble>,
    chunks: usize,
    chunking: Chunking,
    rule: QuantileRule,
) -> Result<Vec<S>> {
    let alpha = alpha.into();
    let mut rest = g;
    chunk_sizes(g.len(), chunks, chunking)?
        .into_iter()
        .map(|size| {
            let (chunk, after) = rest.split_at(size);
            rest = after;
            quantile_selected(chunk, alpha, rule)
        })
        .collect()
}

/// Eq. 7: `tau_k = (1 / C) sum_c q_k^(c)`.
///
/// The sum runs from the first chunk to the last, wide, is divided by the number of chunks there are, and is
/// rounded once. One chunk gives its quantile unchanged.
///
/// # Errors
/// [`Error::Domain`] if there is no quantile, or the mean is not finite.
pub fn mean_of_quantiles<S: Scalar>(quantiles: &[S]) -> Result<S> {
    let sum = quantiles.iter().map(|q| q.widen()).reduce(|sum, q| sum + q);
    let Some(sum) = sum else {
        return Err(Error::domain("the chunk quantiles of Eq. 7", "at least one", "none"));
    };
    let tau = S::narrow(sum / S::Wide::from_usize(quantiles.len()));
    if tau.is_finite() { Ok(tau) } else { Err(Error::domain("tau of Eq. 7", "a finite mean", tau.to_f64())) }
}
