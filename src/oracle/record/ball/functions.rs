//! Roots and elementary functions among the [`Steps`] of a formula: each off by what its operand passes on, and by its own
//! rounding, of elementary functions `exp_ulps`.

use super::{Ball, Steps};
use crate::scalar::{DoubleDouble, Scalar};

impl Steps<'_> {
    /// A function's value with what its operand passes on, after its own rounding.
    fn elementary(&self, centre: DoubleDouble, any: f64, likely: f64) -> Ball {
        self.rounded_by(self.0.operations.elementary(), Ball { centre, any, likely })
    }

    /// A constant that no type holds, as a port has it: rounded once.
    pub fn constant(&self, centre: DoubleDouble) -> Ball {
        self.rounded_by(self.u(), Ball { centre, any: 0.0, likely: 0.0 })
    }

    /// 1 / sqrt(a): a port's root and quotient, or an `rsqrt` within 2 units in the last place.
    /// |1/sqrt(a') - 1/sqrt(a)| <= 1/sqrt(a - r) - 1/sqrt(a), which is (1/sqrt(a)) r / (sqrt(a - r) (sqrt(a) + sqrt(a - r))).
    pub fn reciprocal_root(&self, a: Ball) -> Ball {
        let centre = DoubleDouble::ONE / a.centre.sqrt();
        let value = a.centre.to_f64();
        let passed_on = |r: f64| {
            let (root, least) = (value.sqrt(), (value - r).sqrt());
            if value > r { centre.to_f64() * r / (least * (root + least)) } else { f64::INFINITY }
        };
        self.rounded_by(4.0 * self.u(), Ball { centre, any: passed_on(a.any), likely: passed_on(a.likely) })
    }

    /// |e^a' - e^a| <= e^a (e^r - 1).
    pub fn exp(&self, a: Ball) -> Ball {
        let centre = a.centre.exp();
        let passed_on = |r: f64| centre.to_f64() * libm::expm1(r);
        let power = Ball { centre, any: passed_on(a.any), likely: passed_on(a.likely) };
        if a.is(0.0) { power } else { self.rounded_by(self.0.operations.elementary(), power) }
    }

    /// |e^a' - 1 - (e^a - 1)| <= e^a (e^r - 1).
    pub fn exp_m1(&self, a: Ball) -> Ball {
        let centre = a.centre.exp_m1();
        let passed_on = |r: f64| (centre.to_f64() + 1.0) * libm::expm1(r);
        if a.is(0.0) { a } else { self.elementary(centre, passed_on(a.any), passed_on(a.likely)) }
    }

    /// |ln a' - ln a| <= r / (a - r).
    pub fn ln(&self, a: Ball) -> Ball {
        let value = a.centre.to_f64();
        let passed_on = |r: f64| match value > r {
            true => r / (value - r),
            false if r == 0.0 => 0.0,
            false => f64::INFINITY,
        };
        let centre = if value > 0.0 { a.centre.ln() } else { DoubleDouble::from(libm::log(value)) };
        if a.is(1.0) { Ball::exact(0.0) } else { self.elementary(centre, passed_on(a.any), passed_on(a.likely)) }
    }

    /// ln(1 + a) for a >= 0: the slope is 1 / (1 + a) at most.
    pub fn ln_1p(&self, a: Ball) -> Ball {
        let centre = a.centre.ln_1p();
        let passed_on = |r: f64| r / (1.0 + f64::max(a.centre.to_f64() - r, 0.0));
        if a.is(0.0) { a } else { self.elementary(centre, passed_on(a.any), passed_on(a.likely)) }
    }

    /// |sqrt a' - sqrt a| <= r / sqrt a, and sqrt r where a is 0. Within a unit in the last place: libraries of vectors
    /// (Intel's VML, which PyTorch calls) round a root not always to the nearest.
    pub fn sqrt(&self, a: Ball) -> Ball {
        let centre = a.centre.sqrt();
        let root = centre.to_f64();
        let passed_on = |r: f64| if r == 0.0 || root > 0.0 { r / root.max(f64::MIN_POSITIVE) } else { r.sqrt() };
        let root = Ball { centre, any: passed_on(a.any), likely: passed_on(a.likely) };
        if a.is(0.0) { a } else { self.rounded_by(2.0 * self.u(), root) }
    }

    /// |tanh a' - tanh a| <= r times the slope, 1 / cosh^2, at the place nearest to 0 between them.
    pub fn tanh(&self, a: Ball) -> Ball {
        let size = a.centre.abs();
        let power = (-(size + size)).exp_m1();
        let value = -power / (power + DoubleDouble::from(2.0));
        let centre = if a.centre.hi() < 0.0 { -value } else { value };
        let passed_on = |r: f64| {
            let least = libm::cosh(f64::max(size.to_f64() - r, 0.0));
            r / (least * least)
        };
        if a.is(0.0) { a } else { self.elementary(centre, passed_on(a.any), passed_on(a.likely)) }
    }
}
