//! Where a quantile is read: rank `alpha (N - 1)` among the sorted values, without rounding.

use crate::error::{Error, Result};
use crate::scalar::{DoubleDouble, Scalar};

/// The rank `alpha (N - 1)`, counted from 0, as its whole part and its fraction in [0, 1).
///
/// An `f64` alpha times an integer below 2^53 has at most 106 significant bits, so a [`DoubleDouble`] holds the
/// product exactly. In `f64` it would not: at N = 11,173,114 a rank has about 24 bits before the point, and only
/// 29 are left for the fraction that `linear` weighs two neighbours with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rank {
    floor: usize,
    fraction: DoubleDouble,
}

impl Rank {
    /// The rank of alpha among `n` values.
    ///
    /// # Errors
    /// [`Error::Domain`] if `n` is 0 (or above 2^53) or alpha is not a number in `[0, 1]`.
    ///
    /// ```
    /// use gdstar::paper::quantile::Rank;
    /// let rank = Rank::new(0.375, 5)?; // 0.375 * 4 = 1.5
    /// assert_eq!((rank.floor(), rank.fraction_as::<f64>()), (1, 0.5));
    /// # Ok::<(), gdstar::Error>(())
    /// ```
    pub fn new(alpha: impl Into<DoubleDouble>, n: usize) -> Result<Self> {
        let alpha = alpha.into();
        if !(alpha >= DoubleDouble::ZERO && alpha <= DoubleDouble::ONE) {
            return Err(Error::domain("alpha of a quantile", "a number in [0, 1]", alpha.to_f64()));
        }
        if n == 0 || n as u64 > 1 << f64::MANTISSA_DIGITS {
            return Err(Error::domain("the values of a quantile", "from 1 to 2^53 values", format!("{n} values")));
        }
        let last = DoubleDouble::from((n - 1) as f64);
        let product = alpha * last;
        // A product with an unrounded alpha (not an f64) is itself rounded, beyond 2^-102: never past the last rank.
        let rank = if product > last { last } else { product };
        let whole = rank.floor();
        Ok(Self { floor: whole.to_f64() as usize, fraction: rank - whole })
    }

    /// The whole part: the index of the lower neighbour.
    pub fn floor(self) -> usize {
        self.floor
    }

    /// How far the rank lies towards the upper neighbour; 0 at the last value, so that a positive fraction always
    /// has an upper neighbour.
    pub fn fraction(self) -> DoubleDouble {
        self.fraction
    }

    /// The fraction rounded to another number system.
    pub fn fraction_as<W: Scalar>(self) -> W {
        W::from_f64(self.fraction.hi()) + W::from_f64(self.fraction.lo())
    }
}
