//! [`Bounded`]: a value with a running bound on its rounding error.

mod arithmetic;
mod outward;

use super::{DoubleDouble, Scalar, name};
use outward::{below, magnitude, product, quotient, up};
use std::cmp::Ordering;

/// A number system whose rounding [`Bounded`] can follow: `fl(x) = x (1 + d) + e` with `|d| <= UNIT_ROUNDOFF` and
/// `|e| <= UNDERFLOW_UNIT`, for each of `+ - * / sqrt`.
pub trait Rounding:
    Scalar<Wide = <Self as Rounding>::RoundingWide, Accumulator = <Self as Rounding>::RoundingAccumulator>
{
    /// [`Scalar::Wide`].
    type RoundingWide: Rounding;
    /// [`Scalar::Accumulator`].
    type RoundingAccumulator: Rounding;
    /// What a product, quotient or function value near 0 can be off by on top of the relative error.
    const UNDERFLOW_UNIT: f64;
    /// The relative error of `exp`, `exp_m1`, `ln` and `ln_1p`, in units of [`Scalar::UNIT_ROUNDOFF`].
    const ELEMENTARY_ERROR: f64;
}

impl Rounding for f32 {
    type RoundingWide = <Self as Scalar>::Wide;
    type RoundingAccumulator = <Self as Scalar>::Accumulator;
    /// 2^-149, the smallest subnormal.
    const UNDERFLOW_UNIT: f64 = f32::from_bits(1) as f64;
    /// One rounding of an `f64` result that is within 2^-52: `1 + 2^-28`, and the product of both.
    const ELEMENTARY_ERROR: f64 = 1.0 + 1.0 / (1_u64 << 27) as f64;
}

impl Rounding for f64 {
    type RoundingWide = <Self as Scalar>::Wide;
    type RoundingAccumulator = <Self as Scalar>::Accumulator;
    /// 2^-1074, the smallest subnormal.
    const UNDERFLOW_UNIT: f64 = f64::from_bits(1);
    /// Less than one unit in the last place, so than `2u`: the error analysis that FreeBSD's msun states in
    /// `e_exp.c`, `s_expm1.c`, `e_log.c` and `s_log1p.c`, of which the `libm` crate is a port.
    const ELEMENTARY_ERROR: f64 = 2.0;
}

impl Rounding for DoubleDouble {
    type RoundingWide = <Self as Scalar>::Wide;
    type RoundingAccumulator = <Self as Scalar>::Accumulator;
    /// 2^-1073 (see [`DoubleDouble`]).
    const UNDERFLOW_UNIT: f64 = f64::from_bits(2);
    /// The largest of [`DoubleDouble`]'s four bounds.
    const ELEMENTARY_ERROR: f64 = DoubleDouble::LN_ERROR / DoubleDouble::UNIT_ROUNDOFF;
}

/// What arithmetic `S` computes, and a bound on how far that is from the exact result.
///
/// The bound is a running error analysis (Wilkinson; Higham, "Accuracy and Stability of Numerical Algorithms", 2002,
/// section 3.3): each operation passes its operands' errors on and adds its own rounding, `u |result|`. It holds for
/// the computation as it was done, order included, where an a-priori bound such as `gamma_n` holds for any data; so it is
/// the derived tolerance for a comparison with the exact result.
///
/// - The value is bit for bit what `S` computes.
/// - `error` is an upper bound: its own arithmetic is rounded outwards (see `outward.rs`), underflow included.
/// - Where nothing is known the error is infinite, never `NaN`: a divisor or a logarithm's or root's argument that
///   may be 0 or beyond, an overflow, any value that is not finite.
/// - Operations that round nothing add nothing: a sum with 0, a product with 0 or 1, a narrowing that changes nothing.
/// - Comparisons, and so branches, see the value alone: the bound assumes that exact arithmetic would take the same
///   branches.
///
/// ```
/// use gdstar::scalar::{Bounded, Scalar};
/// let third = Bounded::<f32>::ONE / Bounded::from_f64(3.0);
/// let off = (f64::from(third.value()) - 1.0 / 3.0).abs();
/// assert!(off <= third.error() && third.error() < 2e-8); // 2^-24 / 3
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Bounded<S> {
    value: S,
    error: f64,
}

impl<S: Rounding> Bounded<S> {
    /// A number that is known exactly.
    pub fn exact(value: S) -> Self {
        Self::new(value, 0.0)
    }

    /// A number within `error` of the exact one. Without a finite value there is no bound; nor with an error that is
    /// negative or `NaN`.
    pub fn new(value: S, error: f64) -> Self {
        let known = value.is_finite() && error >= 0.0;
        Self { value, error: if known { error } else { f64::INFINITY } }
    }

    pub fn value(self) -> S {
        self.value
    }

    /// At least the distance from [`Self::value`] to the exact result.
    pub fn error(self) -> f64 {
        self.error
    }

    /// `value`, off by the `passed_on` errors of its operands and by one rounding of relative size `units * u`.
    fn rounded(value: S, passed_on: f64, units: f64) -> Self {
        let rounding = units * S::UNIT_ROUNDOFF * magnitude(value) + S::UNDERFLOW_UNIT;
        Self::new(value, up(passed_on + rounding))
    }

    /// `value`, off by the `passed_on` errors of its operands alone.
    fn unrounded(value: S, passed_on: f64) -> Self {
        Self::new(value, up(passed_on))
    }

    /// `value`, a library function's, which is free of error at the argument where it `is_exact`.
    fn elementary(value: S, passed_on: f64, is_exact: bool) -> Self {
        if is_exact { Self::unrounded(value, passed_on) } else { Self::rounded(value, passed_on, S::ELEMENTARY_ERROR) }
    }

    /// The conversion of `wide`, off by `error`, to `value`.
    fn converted(value: S, error: f64, is_exact: bool) -> Self {
        if is_exact { Self::new(value, error) } else { Self::rounded(value, error, 1.0) }
    }

    /// `e^a (e^error - 1)`: how far `e^a`, and so `e^a - 1`, moves when `a` moves by `error`.
    fn exponential_spread(self) -> f64 {
        product(libm::exp(self.value.to_f64()) + f64::from_bits(1), libm::expm1(self.error))
    }
}

impl<S: PartialEq> PartialEq for Bounded<S> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<S: PartialOrd> PartialOrd for Bounded<S> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl<S: Rounding> Scalar for Bounded<S> {
    type Wide = Bounded<S::Wide>;
    type Accumulator = Bounded<S::Accumulator>;
    /// `bounded<f32>`, ...
    const NAME: &'static str = name::text(&const { name::nested("bounded", S::NAME) });
    const UNIT_ROUNDOFF: f64 = S::UNIT_ROUNDOFF;
    const ZERO: Self = Self { value: S::ZERO, error: 0.0 };
    const ONE: Self = Self { value: S::ONE, error: 0.0 };

    /// The number nearest to `x`, off by the rounding if it is not `x`.
    fn from_f64(x: f64) -> Self {
        let value = S::from_f64(x);
        Self::converted(value, 0.0, value.to_f64() == x)
    }
    fn to_f64(self) -> f64 {
        self.value.to_f64()
    }
    fn from_usize(n: usize) -> Self {
        let value = S::from_usize(n);
        Self::converted(value, 0.0, (n as u64) < 1 << 53 && value.to_f64() == n as f64)
    }
    fn widen(self) -> Self::Wide {
        Bounded::new(self.value.widen(), self.error)
    }
    fn narrow(wide: Self::Wide) -> Self {
        let value = S::narrow(wide.value);
        Self::converted(value, wide.error, value.widen() == wide.value)
    }
    fn to_accumulator(self) -> Self::Accumulator {
        Bounded::new(self.value.to_accumulator(), self.error)
    }
    fn from_accumulator(sum: Self::Accumulator) -> Self {
        let value = S::from_accumulator(sum.value);
        Self::converted(value, sum.error, value.to_accumulator() == sum.value)
    }
    /// The value is `S`'s own; how far it is from what the operators give is error.
    #[inline(never)]
    fn add_product(sum: Self::Accumulator, a: Self, b: Self) -> Self::Accumulator {
        let value = S::add_product(sum.value, a.value, b.value);
        let by_operators = sum + a.to_accumulator() * b.to_accumulator();
        if value == by_operators.value {
            return by_operators;
        }
        Bounded::new(value, up(by_operators.error + magnitude(value - by_operators.value)))
    }

    /// `|sqrt(a) - sqrt(A)| = |a - A| / (sqrt(a) + sqrt(A))`.
    fn sqrt(self) -> Self {
        let a = magnitude(self.value);
        let lowest = below(a, self.error);
        let passed_on = match self.error {
            0.0 => 0.0,
            error if lowest >= 0.0 => quotient(error, below(a, 0.0).sqrt() + lowest.sqrt()),
            _ => f64::INFINITY,
        };
        let root = self.value.sqrt();
        if root == S::ZERO { Self::unrounded(root, passed_on) } else { Self::rounded(root, passed_on, 1.0) }
    }
    fn exp(self) -> Self {
        Self::elementary(self.value.exp(), self.exponential_spread(), self.value == S::ZERO)
    }
    fn exp_m1(self) -> Self {
        Self::elementary(self.value.exp_m1(), self.exponential_spread(), self.value == S::ZERO)
    }
    /// `|ln a - ln A| <= ln(a / (a - |a - A|))`.
    fn ln(self) -> Self {
        let lowest = below(magnitude(self.value), self.error);
        let passed_on = libm::log1p(quotient(self.error, lowest));
        Self::elementary(self.value.ln(), passed_on, self.value == S::ONE)
    }
    fn ln_1p(self) -> Self {
        // In the wider type, 1 + a is within 2^-53 of itself however close a is to -1.
        let one_plus = (S::ONE.widen() + self.value.widen()).to_f64();
        let passed_on = libm::log1p(quotient(self.error, below(one_plus, self.error)));
        Self::elementary(self.value.ln_1p(), passed_on, self.value == S::ZERO)
    }
    fn abs(self) -> Self {
        Self::new(self.value.abs(), self.error)
    }
    fn is_finite(self) -> bool {
        self.value.is_finite()
    }
    fn is_nan(self) -> bool {
        self.value.is_nan()
    }
    fn total_order(&self, other: &Self) -> Ordering {
        self.value.total_order(&other.value)
    }
}
