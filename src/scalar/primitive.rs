//! [`Scalar`] for the hardware's own `f32` and `f64`.

use super::{DoubleDouble, Gemm, Scalar};
use std::cmp::Ordering;

/// What the two types share, and by which name the rest is done: elementary functions of `f32` are those of `f64`,
/// rounded; those of `f64` are the `libm` crate's.
macro_rules! primitive {
    ($S:ty, $name:literal, $gemm:path, wide: $Wide:ty, widen: $widen:expr, narrow: $narrow:expr, add_product: $add:expr) => {
        impl Scalar for $S {
            type Wide = $Wide;
            type Accumulator = $Wide;
            const NAME: &'static str = $name;
            const UNIT_ROUNDOFF: f64 = (<$S>::EPSILON / 2.0) as f64;
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const GEMM: Option<Gemm<Self>> = Some($gemm);

            #[inline]
            fn from_f64(x: f64) -> Self {
                x as $S
            }
            #[inline]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline]
            fn widen(self) -> $Wide {
                $widen(self)
            }
            #[inline]
            fn narrow(wide: $Wide) -> Self {
                $narrow(wide)
            }
            #[inline]
            fn to_accumulator(self) -> $Wide {
                $widen(self)
            }
            #[inline]
            fn from_accumulator(sum: $Wide) -> Self {
                $narrow(sum)
            }
            #[inline(always)]
            fn add_product(sum: $Wide, a: Self, b: Self) -> $Wide {
                $add(sum, a, b)
            }
            #[inline(always)]
            fn mul_add(self, factor: Self, term: Self) -> Self {
                self.mul_add(factor, term) // correctly rounded on every platform (IEEE 754)
            }
            #[inline]
            fn sqrt(self) -> Self {
                self.sqrt() // correctly rounded on every platform (IEEE 754)
            }
            #[inline]
            fn exp(self) -> Self {
                libm::exp(f64::from(self)) as $S
            }
            #[inline]
            fn exp_m1(self) -> Self {
                libm::expm1(f64::from(self)) as $S
            }
            #[inline]
            fn ln(self) -> Self {
                libm::log(f64::from(self)) as $S
            }
            #[inline]
            fn ln_1p(self) -> Self {
                libm::log1p(f64::from(self)) as $S
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
    };
}

/// The product of two `f32` is an `f64`: one rounding.
#[inline(always)]
fn plus_product(sum: f64, a: f32, b: f32) -> f64 {
    sum + f64::from(a) * f64::from(b)
}

primitive!(
    f32, "f32", matrixmultiply::sgemm, wide: f64, widen: f64::from, narrow: |wide| wide as f32,
    add_product: plus_product
);
primitive!(
    f64, "f64", matrixmultiply::dgemm, wide: DoubleDouble, widen: DoubleDouble::from, narrow: DoubleDouble::to_f64,
    add_product: DoubleDouble::plus_product
);
