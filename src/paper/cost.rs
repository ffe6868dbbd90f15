//! Appendix A.4: what chunking saves (Eq. 10, 11), in percent of the cost at C = 1.

use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// Eq. 10: `Computation = (1 - log(N / C) / log N) * 100 %` of the sort over `n` weights in `chunks` chunks.
///
/// The base of the logarithm cancels; [`Scalar::ln`] is used, in [`Scalar::Wide`], rounded once.
///
/// # Errors
/// [`Error::Domain`] unless `n >= 2` (log 1 = 0 divides) and `1 <= chunks <= n`.
///
/// ```
/// // N = 16, C = 4: 1 - log 4 / log 16 = 1/2
/// let percent: f64 = gdstar::paper::cost::computation_saving(16, 4)?;
/// assert_eq!(percent, 50.0);
/// # Ok::<(), gdstar::Error>(())
/// ```
pub fn computation_saving<S: Scalar>(n: usize, chunks: usize) -> Result<S> {
    if n < 2 {
        return Err(Error::domain("N of Eq. 10", "at least 2 weights", n));
    }
    if chunks == 0 || chunks > n {
        return Err(Error::domain("C of Eq. 10", format!("a count from 1 to N = {n}"), chunks));
    }
    let n = S::Wide::from_usize(n);
    let ratio = (n / S::Wide::from_usize(chunks)).ln() / n.ln();
    Ok(S::narrow((S::Wide::ONE - ratio) * S::Wide::from_usize(100)))
}

/// Eq. 11: `Memory = (1 - 1 / C) * 100 %`: only one chunk of N / C values is held at a time.
///
/// # Errors
/// [`Error::Domain`] if `chunks` is 0.
///
/// ```
/// let percent: f64 = gdstar::paper::cost::memory_saving(16)?;
/// assert_eq!(percent, 93.75);
/// # Ok::<(), gdstar::Error>(())
/// ```
pub fn memory_saving<S: Scalar>(chunks: usize) -> Result<S> {
    if chunks == 0 {
        return Err(Error::domain("C of Eq. 11", "at least 1 chunk", chunks));
    }
    let held = S::Wide::ONE / S::Wide::from_usize(chunks);
    Ok(S::narrow((S::Wide::ONE - held) * S::Wide::from_usize(100)))
}
