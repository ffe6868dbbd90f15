//! [`Scalar`] for the hardware's own `f32` and `f64`.

use super::{DoubleDouble, Gemm, Scalar};
use std::cmp::Ordering;

impl Scalar for f32 {
    type Wide = f64;
    type Accumulator = f64;
    const NAME: &'static str = "f32";
    const UNIT_ROUNDOFF: f64 = (f32::EPSILON / 2.0) as f64;
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const GEMM: Option<Gemm<Self>> = Some(matrixmultiply::sgemm);

    #[inline]
    fn from_f64(x: f64) -> Self {
        x as f32
    }
    #[inline]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    #[inline]
    fn widen(self) -> f64 {
        f64::from(self)
    }
    #[inline]
    fn narrow(wide: f64) -> Self {
        wide as f32
    }
    #[inline]
    fn to_accumulator(self) -> f64 {
        f64::from(self)
    }
    #[inline]
    fn from_accumulator(sum: f64) -> Self {
        sum as f32
    }
    #[inline]
    fn sqrt(self) -> Self {
        self.sqrt() // correctly rounded on every platform (IEEE 754)
    }
    #[inline]
    fn exp(self) -> Self {
        libm::exp(f64::from(self)) as f32
    }
    #[inline]
    fn exp_m1(self) -> Self {
        libm::expm1(f64::from(self)) as f32
    }
    #[inline]
    fn ln(self) -> Self {
        libm::log(f64::from(self)) as f32
    }
    #[inline]
    fn ln_1p(self) -> Self {
        libm::log1p(f64::from(self)) as f32
    }
    #[inline]
    fn abs(self) -> Self {
        self.abs()
    }
    #[inline]
    fn is_finite(self) -> bool {
        self.is_finite()
    }
    #[inline]
    fn is_nan(self) -> bool {
        self.is_nan()
    }
    #[inline]
    fn total_order(&self, other: &Self) -> Ordering {
        self.total_cmp(other)
    }
}

impl Scalar for f64 {
    type Wide = DoubleDouble;
    type Accumulator = f64;
    const NAME: &'static str = "f64";
    const UNIT_ROUNDOFF: f64 = f64::EPSILON / 2.0;
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const GEMM: Option<Gemm<Self>> = Some(matrixmultiply::dgemm);

    #[inline]
    fn from_f64(x: f64) -> Self {
        x
    }
    #[inline]
    fn to_f64(self) -> f64 {
        self
    }
    #[inline]
    fn widen(self) -> DoubleDouble {
        DoubleDouble::from(self)
    }
    #[inline]
    fn narrow(wide: DoubleDouble) -> Self {
        wide.to_f64()
    }
    #[inline]
    fn to_accumulator(self) -> f64 {
        self
    }
    #[inline]
    fn from_accumulator(sum: f64) -> Self {
        sum
    }
    #[inline]
    fn sqrt(self) -> Self {
        self.sqrt() // correctly rounded on every platform (IEEE 754)
    }
    #[inline]
    fn exp(self) -> Self {
        libm::exp(self)
    }
    #[inline]
    fn exp_m1(self) -> Self {
        libm::expm1(self)
    }
    #[inline]
    fn ln(self) -> Self {
        libm::log(self)
    }
    #[inline]
    fn ln_1p(self) -> Self {
        libm::log1p(self)
    }
    #[inline]
    fn abs(self) -> Self {
        self.abs()
    }
    #[inline]
    fn is_finite(self) -> bool {
        self.is_finite()
    }
    #[inline]
    fn is_nan(self) -> bool {
        self.is_nan()
    }
    #[inline]
    fn total_order(&self, other: &Self) -> Ordering {
        self.total_cmp(other)
    }
}
