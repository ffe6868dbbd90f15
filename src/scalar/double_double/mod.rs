//! [`DoubleDouble`]: an unevaluated sum of two `f64`, about 31 digits.

mod arithmetic;
mod display;
mod elementary;
mod error_free;

pub(crate) use error_free::power_of_two;
pub use error_free::{quick_two_sum, two_prod, two_sum};

use super::Scalar;
use error_free::scale;
use std::cmp::Ordering;

/// The number `hi + lo`, where `hi` is `hi + lo` rounded to `f64` (so `|lo| <= ulp(hi)/2`): about 31 digits, with
/// `f64`'s range.
///
/// The relative error of each operation is bounded by the constants below ([`Self::SUM_ERROR`] ..); JMP there is
/// Joldes, Muller, Popescu, "Tight and rigorous error bounds for basic building blocks of double-word arithmetic", ACM
/// TOMS 44(2), 2017, <https://doi.org/10.1145/3121432>. [`Scalar::UNIT_ROUNDOFF`] is `2^-102`, the smallest power of two
/// above those of `+ - * / sqrt`. Since there are no bits below `2^-1074`, results under `2^-960` have, on top of this, an
/// absolute error of up to `2^-1073`; sums and differences never do. A result within an ulp of overflow may overflow.
///
/// Infinities and `NaN` propagate as in `f64` (`inf + 1 = inf`, `x / 0 = inf`, overflow gives `inf`), signed zeros too;
/// `lo` is then 0. No operation depends on the platform: the same bits everywhere.
///
/// ```
/// use gdstar::scalar::{DoubleDouble, Scalar};
/// let third = DoubleDouble::ONE / DoubleDouble::from(3.0);
/// assert_eq!(third.to_string(), "3.3333333333333333333333333333333e-1");
/// assert_eq!(DoubleDouble::ONE.exp().to_string(), "2.7182818284590452353602874713527e0");
/// ```
#[derive(Clone, Copy, Default, PartialEq, PartialOrd)]
pub struct DoubleDouble {
    // Comparing `hi` and then `lo` orders by value, because `hi` is the rounded sum.
    hi: f64,
    lo: f64,
}

/// `u^2` with `u = 2^-53`.
const U2: f64 = error_free::power_of_two(-106);
/// From here on, both words of a product, quotient or scaled number have all their bits.
const UNROUNDED_FROM: f64 = error_free::power_of_two(-960);
/// 2^-1074, the smallest subnormal.
const SMALLEST: f64 = f64::from_bits(1);

impl DoubleDouble {
    /// Relative error of `+` and `-`: `3u^2 / (1 - 4u)` with `u = 2^-53` (JMP, AccurateDWPlusDW).
    pub const SUM_ERROR: f64 = 3.0 * U2 / (1.0 - 2.0 * f64::EPSILON);
    /// Relative error of `*`: `7u^2` (JMP, DWTimesDW1).
    pub const PRODUCT_ERROR: f64 = 7.0 * U2;
    /// Relative error of `/`: `15u^2 + 56u^3` (JMP, DWDivDW2).
    pub const QUOTIENT_ERROR: f64 = 15.0 * U2 + 28.0 * f64::EPSILON * U2;
    /// Relative error of [`Scalar::sqrt`]: `25/8 u^2` (Lefevre, Louvet, Muller, Picot, Rideau, "Accurate calculation of
    /// Euclidean norms using double-word arithmetic", ACM TOMS 49(1), 2023, SQRTDWtoDW).
    pub const ROOT_ERROR: f64 = 3.125 * U2;
    /// Relative error of [`Scalar::exp`]: `16u^2 = 2^-102` (derived in `elementary.rs`, as the next two).
    pub const EXP_ERROR: f64 = 16.0 * U2;
    /// Relative error of [`Scalar::exp_m1`]: `32u^2 = 2^-101`.
    pub const EXP_M1_ERROR: f64 = 32.0 * U2;
    /// Relative error of [`Scalar::ln`] and [`Scalar::ln_1p`]: `64u^2 = 2^-100`.
    pub const LN_ERROR: f64 = 64.0 * U2;

    /// `hi + lo`, exactly, for any two `f64`.
    #[inline]
    pub fn new(hi: f64, lo: f64) -> Self {
        // Ordered by magnitude, nothing on the way can overflow unless the sum does.
        let (hi, lo) = if hi.abs() >= lo.abs() { quick_two_sum(hi, lo) } else { quick_two_sum(lo, hi) };
        if lo.is_finite() && hi != 0.0 { Self { hi, lo } } else { Self::from(hi) }
    }

    /// `a + b`, exactly.
    #[inline]
    pub fn from_sum(a: f64, b: f64) -> Self {
        Self::new(a, b)
    }

    /// `a b`, exactly (below `2^-960` within `2^-1073`).
    #[inline]
    pub fn from_product(a: f64, b: f64) -> Self {
        Self::from(a) * Self::from(b)
    }

    /// The value rounded to `f64`.
    #[inline]
    pub const fn hi(self) -> f64 {
        self.hi
    }

    /// What [`Self::hi`] leaves.
    #[inline]
    pub const fn lo(self) -> f64 {
        self.lo
    }

    /// The largest integer that is not above the value.
    pub fn floor(self) -> Self {
        let floor = self.hi.floor();
        if floor == self.hi { Self::new(floor, self.lo.floor()) } else { Self::from(floor) }
    }

    /// `self 2^k` for `|k| <= 2000`. Exact, except under `2^-960`: there within `2^-1074`, and `hi` is the correctly
    /// rounded value still, as if the exact value had been rounded once.
    #[inline]
    fn scaled(self, k: i32) -> Self {
        let hi = scale(self.hi, k);
        if !hi.is_finite() || hi == 0.0 {
            return Self::from(hi);
        }
        if hi.abs() >= UNROUNDED_FROM { Self { hi, lo: scale(self.lo, k) } } else { self.scaled_to_few_bits(hi, k) }
    }

    /// [`Self::scaled`] where `lo`, and possibly `hi`, keep fewer bits. A rounded `lo` can make a tie that was none.
    #[inline(never)]
    fn scaled_to_few_bits(self, hi: f64, k: i32) -> Self {
        let lost = self.hi - scale(hi, -k); // exact
        let lo = scale(lost + self.lo, k);
        if lost == 0.0 && hi + lo != hi {
            // `hi` is right as it is; `lo` was rounded up to half an ulp of it, and steps back.
            return Self { hi, lo: lo - SMALLEST.copysign(lo) };
        }
        // `hi` itself was rounded to a multiple of 2^-1074; where that was a tie, `lo` settles it.
        let (hi, lo) = quick_two_sum(hi, lo);
        Self { hi, lo }
    }
}

const _: () = assert!(DoubleDouble::QUOTIENT_ERROR <= DoubleDouble::UNIT_ROUNDOFF);

impl From<f64> for DoubleDouble {
    #[inline]
    fn from(x: f64) -> Self {
        Self { hi: x, lo: 0.0 }
    }
}

impl Scalar for DoubleDouble {
    type Wide = Self;
    type Accumulator = Self;
    const NAME: &'static str = "dd";
    /// The smallest power of two that bounds the relative error of every `+ - * / sqrt` (see [`DoubleDouble`]).
    const UNIT_ROUNDOFF: f64 = error_free::power_of_two(-102);
    const ZERO: Self = Self { hi: 0.0, lo: 0.0 };
    const ONE: Self = Self { hi: 1.0, lo: 0.0 };

    #[inline]
    fn from_f64(x: f64) -> Self {
        Self::from(x)
    }
    #[inline]
    fn to_f64(self) -> f64 {
        self.hi
    }
    /// Exact for every `n`.
    fn from_usize(n: usize) -> Self {
        let hi = n as f64;
        Self::new(hi, (n as i128 - hi as i128) as f64)
    }
    #[inline]
    fn widen(self) -> Self {
        self
    }
    #[inline]
    fn narrow(wide: Self) -> Self {
        wide
    }
    #[inline]
    fn to_accumulator(self) -> Self {
        self
    }
    #[inline]
    fn from_accumulator(sum: Self) -> Self {
        sum
    }
    fn sqrt(self) -> Self {
        self.square_root()
    }
    fn exp(self) -> Self {
        self.exponential()
    }
    fn exp_m1(self) -> Self {
        self.exponential_minus_one()
    }
    fn ln(self) -> Self {
        self.logarithm()
    }
    fn ln_1p(self) -> Self {
        self.logarithm_of_one_plus()
    }
    #[inline]
    fn abs(self) -> Self {
        if self.hi.is_sign_negative() { -self } else { self }
    }
    #[inline]
    fn is_finite(self) -> bool {
        self.hi.is_finite()
    }
    #[inline]
    fn is_nan(self) -> bool {
        self.hi.is_nan()
    }
    fn total_order(&self, other: &Self) -> Ordering {
        // `lo` is never NaN, and its zeros carry no sign of their own.
        self.hi.total_cmp(&other.hi).then(self.lo.partial_cmp(&other.lo).unwrap_or(Ordering::Equal))
    }
}
