//! [`DoubleDouble`]: an unevaluated sum of two `f64`, about 31 digits.

use super::Scalar;
use std::cmp::Ordering;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

/// `hi + lo` with `hi = fl(hi + lo)`.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd)]
pub struct DoubleDouble {
    hi: f64,
    lo: f64,
}
// PLACEHOLDER: replaced by the real arithmetic on the `numbers` branch.
impl From<f64> for DoubleDouble {
    fn from(x: f64) -> Self {
        Self { hi: x, lo: 0.0 }
    }
}
impl Add for DoubleDouble {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        Self::from(self.hi + o.hi)
    }
}
impl Sub for DoubleDouble {
    type Output = Self;
    fn sub(self, o: Self) -> Self {
        Self::from(self.hi - o.hi)
    }
}
impl Mul for DoubleDouble {
    type Output = Self;
    fn mul(self, o: Self) -> Self {
        Self::from(self.hi * o.hi)
    }
}
impl Div for DoubleDouble {
    type Output = Self;
    fn div(self, o: Self) -> Self {
        Self::from(self.hi / o.hi)
    }
}
impl Neg for DoubleDouble {
    type Output = Self;
    fn neg(self) -> Self {
        Self::from(-self.hi)
    }
}
impl AddAssign for DoubleDouble {
    fn add_assign(&mut self, o: Self) {
        *self = *self + o
    }
}
impl SubAssign for DoubleDouble {
    fn sub_assign(&mut self, o: Self) {
        *self = *self - o
    }
}
impl MulAssign for DoubleDouble {
    fn mul_assign(&mut self, o: Self) {
        *self = *self * o
    }
}
impl Scalar for DoubleDouble {
    type Wide = Self;
    type Accumulator = Self;
    const NAME: &'static str = "dd";
    const UNIT_ROUNDOFF: f64 = 1.0 / (1u128 << 104) as f64;
    const ZERO: Self = Self { hi: 0.0, lo: 0.0 };
    const ONE: Self = Self { hi: 1.0, lo: 0.0 };
    fn from_f64(x: f64) -> Self {
        Self::from(x)
    }
    fn to_f64(self) -> f64 {
        self.hi + self.lo
    }
    fn widen(self) -> Self {
        self
    }
    fn narrow(wide: Self) -> Self {
        wide
    }
    fn to_accumulator(self) -> Self {
        self
    }
    fn from_accumulator(sum: Self) -> Self {
        sum
    }
    fn sqrt(self) -> Self {
        Self::from(self.hi.sqrt())
    }
    fn exp(self) -> Self {
        Self::from(libm::exp(self.hi))
    }
    fn exp_m1(self) -> Self {
        Self::from(libm::expm1(self.hi))
    }
    fn ln(self) -> Self {
        Self::from(libm::log(self.hi))
    }
    fn ln_1p(self) -> Self {
        Self::from(libm::log1p(self.hi))
    }
    fn abs(self) -> Self {
        if self.hi < 0.0 { -self } else { self }
    }
    fn is_finite(self) -> bool {
        self.hi.is_finite()
    }
    fn is_nan(self) -> bool {
        self.hi.is_nan()
    }
    fn total_order(&self, other: &Self) -> Ordering {
        self.hi.total_cmp(&other.hi)
    }
}
