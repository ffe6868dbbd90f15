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

    fn from_f64(x: f64) -> Self {
        x as f32
    }
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    fn widen(self) -> f64 {
        f64::from(self)
    }
    fn narrow(wide: f64) -> Self {
        wide as f32
    }
    fn to_accumulator(self) -> f64 {
        f64::from(self)
    }
    fn from_accumulator(sum: f64) -> Self {
        sum as f32
    }
    fn sqrt(self) -> Self {
        self.sqrt() // correctly rounded on every platform (IEEE 754)
    }
    fn exp(self) -> Self {
        libm::exp(f64::from(self)) as f32
    }
    fn exp_m1(self) -> Self {
        libm::expm1(f64::from(self)) as f32
    }
    fn ln(self) -> Self {
        libm::log(f64::from(self)) as f32
    }
    fn ln_1p(self) -> Self {
        libm::log1p(f64::from(self)) as f32
    }
    fn abs(self) -> Self {
        self.abs()
    }
    fn is_finite(self) -> bool {
        self.is_finite()
    }
    fn is_nan(self) -> bool {
        self.is_nan()
    }
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

    fn from_f64(x: f64) -> Self {
        x
    }
    fn to_f64(self) -> f64 {
        self
    }
    fn widen(self) -> DoubleDouble {
        DoubleDouble::from(self)
    }
    fn narrow(wide: DoubleDouble) -> Self {
        wide.to_f64()
    }
    fn to_accumulator(self) -> f64 {
        self
    }
    fn from_accumulator(sum: f64) -> Self {
        sum
    }
    fn sqrt(self) -> Self {
        self.sqrt() // correctly rounded on every platform (IEEE 754)
    }
    fn exp(self) -> Self {
        libm::exp(self)
    }
    fn exp_m1(self) -> Self {
        libm::expm1(self)
    }
    fn ln(self) -> Self {
        libm::log(self)
    }
    fn ln_1p(self) -> Self {
        libm::log1p(self)
    }
    fn abs(self) -> Self {
        self.abs()
    }
    fn is_finite(self) -> bool {
        self.is_finite()
    }
    fn is_nan(self) -> bool {
        self.is_nan()
    }
    fn total_order(&self, other: &Self) -> Ordering {
        self.total_cmp(other)
    }
}
