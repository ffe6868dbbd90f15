//! [`Dual`]: forward-mode derivatives.

use super::assign::assigning_operators;
use super::{Scalar, name};
use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// `value + derivative * epsilon` with `epsilon^2 = 0`: a number and its derivative along one direction.
///
/// Evaluating `f` at `x + u epsilon` gives `f(x)` and the exact directional derivative `J_f(x) u`, up to rounding:
/// no step size, no truncation error. `S` may be any other number system, so derivatives come in 31 digits
/// (`Dual<DoubleDouble>`) or with error bounds (`Dual<Bounded<f64>>`).
///
/// Comparisons, [`Scalar::is_nan`], [`Scalar::is_finite`] and [`Scalar::total_order`] see the value alone: a
/// `Dual` takes the branches that its value takes. At a kink the derivative is a convention: [`Scalar::abs`] has
/// 0 at 0 (as PyTorch), and [`Scalar::sqrt`] at 0 has 0 for a derivative of 0 (a constant stays constant) and an
/// infinity otherwise.
///
/// ```
/// use gdstar::scalar::{Dual, Scalar};
/// let x = Dual::new(2.0, 1.0);
/// assert_eq!((x * x * x).derivative(), 12.0);
/// assert_eq!(x.ln().derivative(), 0.5);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Dual<S> {
    value: S,
    derivative: S,
}

impl<S: Scalar> Dual<S> {
    /// `value + derivative * epsilon`.
    #[inline]
    pub const fn new(value: S, derivative: S) -> Self {
        Self { value, derivative }
    }

    /// A number that does not move.
    #[inline]
    pub const fn constant(value: S) -> Self {
        Self { value, derivative: S::ZERO }
    }

    #[inline]
    pub const fn value(self) -> S {
        self.value
    }

    /// The derivative along the direction that the inputs carry.
    #[inline]
    pub const fn derivative(self) -> S {
        self.derivative
    }
}

impl<S: PartialEq> PartialEq for Dual<S> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<S: PartialOrd> PartialOrd for Dual<S> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

// Out of line: these serve proofs, where the size of every op in every number system counts for more than speed.
assigning_operators!(Dual<S>, S: Scalar);

impl<S: Scalar> Neg for Dual<S> {
    type Output = Self;
    #[inline]
    fn neg(self) -> Self {
        Self::new(-self.value, -self.derivative)
    }
}

impl<S: Scalar> Add for Dual<S> {
    type Output = Self;
    #[inline(never)]
    fn add(self, other: Self) -> Self {
        Self::new(self.value + other.value, self.derivative + other.derivative)
    }
}

impl<S: Scalar> Sub for Dual<S> {
    type Output = Self;
    #[inline(never)]
    fn sub(self, other: Self) -> Self {
        Self::new(self.value - other.value, self.derivative - other.derivative)
    }
}

impl<S: Scalar> Mul for Dual<S> {
    type Output = Self;
    /// `(a b)' = a' b + a b'`.
    #[inline(never)]
    fn mul(self, other: Self) -> Self {
        Self::new(self.value * other.value, self.derivative * other.value + self.value * other.derivative)
    }
}

impl<S: Scalar> Div for Dual<S> {
    type Output = Self;
    /// `(a / b)' = (a' - (a / b) b') / b`.
    #[inline(never)]
    fn div(self, other: Self) -> Self {
        let quotient = self.value / other.value;
        Self::new(quotient, (self.derivative - quotient * other.derivative) / other.value)
    }
}

impl<S: Scalar> Scalar for Dual<S> {
    type Wide = Dual<S::Wide>;
    type Accumulator = Dual<S::Accumulator>;
    /// `dual<f64>`, ...
    const NAME: &'static str = name::text(&const { name::nested("dual", S::NAME) });
    const UNIT_ROUNDOFF: f64 = S::UNIT_ROUNDOFF;
    const ZERO: Self = Self::constant(S::ZERO);
    const ONE: Self = Self::constant(S::ONE);

    fn from_f64(x: f64) -> Self {
        Self::constant(S::from_f64(x))
    }
    fn to_f64(self) -> f64 {
        self.value.to_f64()
    }
    fn from_usize(n: usize) -> Self {
        Self::constant(S::from_usize(n))
    }
    fn widen(self) -> Self::Wide {
        Dual::new(self.value.widen(), self.derivative.widen())
    }
    fn narrow(wide: Self::Wide) -> Self {
        Self::new(S::narrow(wide.value), S::narrow(wide.derivative))
    }
    fn to_accumulator(self) -> Self::Accumulator {
        Dual::new(self.value.to_accumulator(), self.derivative.to_accumulator())
    }
    fn from_accumulator(sum: Self::Accumulator) -> Self {
        Self::new(S::from_accumulator(sum.value), S::from_accumulator(sum.derivative))
    }
    #[inline(never)]
    fn add_product(sum: Self::Accumulator, a: Self, b: Self) -> Self::Accumulator {
        let derivative = S::add_product(sum.derivative, a.derivative, b.value);
        Dual::new(S::add_product(sum.value, a.value, b.value), S::add_product(derivative, a.value, b.derivative))
    }
    /// `sqrt(a)' = a' / (2 sqrt(a))`; 0 where `a = 0` and `a' = 0`.
    fn sqrt(self) -> Self {
        let root = self.value.sqrt();
        if root == S::ZERO && self.derivative == S::ZERO {
            return Self::constant(root);
        }
        Self::new(root, self.derivative / (root + root))
    }
    fn exp(self) -> Self {
        let exp = self.value.exp();
        Self::new(exp, exp * self.derivative)
    }
    fn exp_m1(self) -> Self {
        Self::new(self.value.exp_m1(), self.value.exp() * self.derivative)
    }
    fn ln(self) -> Self {
        Self::new(self.value.ln(), self.derivative / self.value)
    }
    fn ln_1p(self) -> Self {
        Self::new(self.value.ln_1p(), self.derivative / (S::ONE + self.value))
    }
    /// `|a|' = sign(a) a'`, 0 at 0.
    fn abs(self) -> Self {
        let derivative = if self.value > S::ZERO {
            self.derivative
        } else if self.value < S::ZERO {
            -self.derivative
        } else if self.value.is_nan() {
            self.value
        } else {
            S::ZERO
        };
        Self::new(self.value.abs(), derivative)
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
