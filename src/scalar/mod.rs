//! The number systems: one literal code, many kinds of number.
//!
//! Ops ([`crate::ops`]) and equations ([`crate::paper`]) are written once, generic over [`Scalar`], and run in
//!
//! | type | what it is for |
//! |---|---|
//! | [`f32`], [`f64`] | training, and the reference |
//! | [`Dual`] | exact directional derivatives, against which every backward is checked |
//! | [`DoubleDouble`] | about 31 digits: the truth that golden values are rounded from |
//! | [`Bounded`] | a value with a running bound on its rounding error, so that a tolerance is derived, not chosen |
//!
//! Two companion types of each scalar settle *where* a formula is evaluated. [`Scalar::Wide`] carries formulas
//! in which cancellation or saturation would show (sigmoid, softmax, batch statistics): they are evaluated wide
//! and rounded once. [`Scalar::Accumulator`] carries the long sums of products: `f64` for `f32`, [`DoubleDouble`] for `f64`.

mod assign;
mod bounded;
mod double_double;
mod dtype;
mod dual;
mod name;
mod primitive;

pub use bounded::{Bounded, Rounding};
pub(crate) use double_double::power_of_two;
pub use double_double::{DoubleDouble, quick_two_sum, two_prod, two_sum};
pub use dtype::Dtype;
pub use dual::Dual;

use std::cmp::Ordering;
use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

/// `c[m,n] <- alpha * a[m,k] * b[k,n] + beta * c` on raw pointers with row and column strides, as
/// `matrixmultiply` defines it: `(m, k, n, alpha, a, rsa, csa, b, rsb, csb, beta, c, rsc, csc)`.
pub type Gemm<S> =
    unsafe fn(usize, usize, usize, S, *const S, isize, isize, *const S, isize, isize, S, *mut S, isize, isize);

/// A number that the ops and the equations can be evaluated in.
///
/// Arithmetic is IEEE-like: no operation panics, `NaN` propagates. Comparison operators compare the value alone
/// (the primal of a [`Dual`], the centre of a [`Bounded`]), so that every number system takes the same branches.
pub trait Scalar:
    Copy
    + Debug
    + Default
    + PartialEq
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
{
    /// The type in which cancellation-prone formulas are evaluated before one rounding back.
    type Wide: Scalar;
    /// The type of long sums of products (matrix products, convolutions).
    type Accumulator: Scalar;

    /// `"f32"`, `"f64"`, ...
    const NAME: &'static str;
    /// `u`: half the distance from 1 to the next number (2^-24 for `f32`, 2^-53 for `f64`).
    const UNIT_ROUNDOFF: f64;
    const ZERO: Self;
    const ONE: Self;
    /// The fast matrix product of this type, where there is one.
    const GEMM: Option<Gemm<Self>> = None;

    /// The nearest number to `x`.
    fn from_f64(x: f64) -> Self;
    /// The nearest `f64` to this number's value.
    fn to_f64(self) -> f64;
    /// A count as a number, exact for counts below 2^24.
    fn from_usize(n: usize) -> Self {
        Self::from_f64(n as f64)
    }

    /// This number, exactly, in the wider type.
    fn widen(self) -> Self::Wide;
    /// The wider number rounded to this type (to nearest, ties to even).
    fn narrow(wide: Self::Wide) -> Self;
    /// This number, exactly, in the accumulator's type.
    fn to_accumulator(self) -> Self::Accumulator;
    /// A sum rounded to this type.
    fn from_accumulator(sum: Self::Accumulator) -> Self;
    /// `sum + a b`, in the accumulator: one step of a long sum of products.
    fn add_product(sum: Self::Accumulator, a: Self, b: Self) -> Self::Accumulator {
        sum + a.to_accumulator() * b.to_accumulator()
    }

    /// `self * factor + term`, rounded once where IEEE 754 has that operation.
    fn mul_add(self, factor: Self, term: Self) -> Self {
        self * factor + term
    }
    fn sqrt(self) -> Self;
    /// `e^self`, from the `libm` crate and never from `std`: the same bits on every platform.
    fn exp(self) -> Self;
    /// `e^self - 1` without cancellation near 0.
    fn exp_m1(self) -> Self;
    /// The natural logarithm.
    fn ln(self) -> Self;
    /// `ln(1 + self)` without cancellation near 0.
    fn ln_1p(self) -> Self;
    fn abs(self) -> Self;
    fn is_finite(self) -> bool;
    fn is_nan(self) -> bool;
    /// The IEEE total order on the value: -NaN < -inf < .. < -0 < +0 < .. < inf < NaN.
    fn total_order(&self, other: &Self) -> Ordering;

    /// The larger value; `NaN` if either is.
    fn maximum(self, other: Self) -> Self {
        if self.is_nan() || other.is_nan() {
            self + other
        } else if self >= other {
            self
        } else {
            other
        }
    }
}
