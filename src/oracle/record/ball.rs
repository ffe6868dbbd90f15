//! [`Ball`]: a number of a formula as correct ports may hold it, and [`Steps`]: formulas over such numbers.

mod functions;

use super::rounding::Rounding;
use crate::scalar::{DoubleDouble, Scalar, power_of_two};

/// What correct ports hold for one number: within `any` of `centre`, and most within `likely`.
///
/// The centre is computed to 31 digits, so its own error is below 2^-47 of every rounding that is charged here.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Ball {
    pub centre: DoubleDouble,
    pub any: f64,
    pub likely: f64,
}

impl Ball {
    pub fn exact(x: f64) -> Self {
        Self { centre: DoubleDouble::from(x), any: 0.0, likely: 0.0 }
    }

    /// The number's largest size.
    pub fn size(&self) -> f64 {
        self.centre.abs().to_f64() + self.any
    }

    /// Whether it is known to be `x`.
    pub fn is(&self, x: f64) -> bool {
        self.any == 0.0 && self.centre == DoubleDouble::from(x)
    }

    pub fn negated(self) -> Self {
        Self { centre: -self.centre, ..self }
    }

    /// Its size, of a number and of all that ports may hold for it.
    pub fn magnitude(self) -> Self {
        Self { centre: self.centre.abs(), ..self }
    }

    /// The same number, off by this much more.
    pub fn off_by(self, error: f64) -> Self {
        Self { any: self.any + error, likely: self.likely + error, ..self }
    }

    /// This number, where ports may as well compute it as `other`.
    pub fn or(self, other: Self) -> Self {
        let apart = (self.centre - other.centre).abs().to_f64();
        Self { any: self.any.max(apart + other.any), likely: self.likely.max(apart + other.likely), ..self }
    }
}

/// The operations of a formula, each with its rounding: a correct port's number lies in the result's ball if its operands
/// lie in theirs. What rounds nothing (a sum with 0, a product with 0 or 1) is charged nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps<'a>(pub &'a Rounding);

impl Steps<'_> {
    fn u(&self) -> f64 {
        self.0.operations.stored
    }

    /// A result before its rounding, with what its operands pass on.
    fn rounded(&self, centre: DoubleDouble, any: f64, likely: f64) -> Ball {
        self.rounded_by(self.u(), Ball { centre, any, likely })
    }

    fn rounded_by(&self, relative: f64, unrounded: Ball) -> Ball {
        unrounded.off_by(relative * unrounded.size() + self.0.operations.underflow)
    }

    /// A number of a program, f64, as an operation takes it: rounded to the operation's type, where that does not hold it.
    pub fn number(&self, x: f64) -> Ball {
        let stored = self.0.operations.stored;
        let is_single = stored <= power_of_two(-24) && f64::from(x as f32) == x;
        let is_held = self.0.is_integer || stored <= power_of_two(-53) || is_single;
        if is_held { Ball::exact(x) } else { Ball::exact(x).off_by(stored * x.abs()) }
    }

    pub fn add(&self, a: Ball, b: Ball) -> Ball {
        if a.is(0.0) {
            return b;
        }
        if b.is(0.0) {
            return a;
        }
        self.rounded(a.centre + b.centre, a.any + b.any, a.likely + b.likely)
    }

    pub fn sub(&self, a: Ball, b: Ball) -> Ball {
        self.add(a, b.negated())
    }

    /// |a'b' - ab| <= |a| r_b + r_a (|b| + r_b).
    pub fn mul(&self, a: Ball, b: Ball) -> Ball {
        if a.is(0.0) || b.is(1.0) {
            return a;
        }
        if b.is(0.0) || a.is(1.0) {
            return b;
        }
        let passed_on = |r_a: f64, r_b: f64| a.centre.abs().to_f64() * r_b + r_a * (b.centre.abs().to_f64() + r_b);
        self.rounded(a.centre * b.centre, passed_on(a.any, b.any), passed_on(a.likely, b.likely))
    }

    /// |a'/b' - a/b| <= (r_a + |a/b| r_b) / (|b| - r_b).
    pub fn div(&self, a: Ball, b: Ball) -> Ball {
        if b.is(1.0) || (a.is(0.0) && b.any < b.centre.abs().to_f64()) {
            return a;
        }
        let quotient = a.centre / b.centre;
        let (q, size) = (quotient.abs().to_f64(), b.centre.abs().to_f64());
        let passed_on = |r_a: f64, r_b: f64| {
            if r_b < size { (r_a + q * r_b) / (size - r_b) } else { f64::INFINITY }
        };
        self.rounded(quotient, passed_on(a.any, b.any), passed_on(a.likely, b.likely))
    }
}

/// A sum in any order, term by term.
///
/// A tree of additions over n terms lets a term take part in at most n - 1 of them, so `|s' - s| <= gamma_(n-1)(u) sum
/// |term|` (Higham, "Accuracy and Stability of Numerical Algorithms", 2002, section 4.2). Terms that are exactly 0 take
/// part without rounding and do not count. Sums never underflow.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    centre: DoubleDouble,
    any: f64,
    likely: f64,
    size: f64,
    /// Terms that are not exactly 0.
    count: f64,
}

impl Sum {
    pub fn add(&mut self, term: Ball) {
        if term.is(0.0) {
            return;
        }
        self.centre += term.centre;
        self.any += term.any;
        self.likely += term.likely;
        self.size += term.size();
        self.count += 1.0;
    }

    /// The sum of the terms' sizes.
    pub fn size(&self) -> f64 {
        self.size
    }

    /// What a port may hold; where sums are formed finer than results, the sum is stored once.
    pub fn settle(self, rounding: &Rounding) -> Ball {
        let Self { centre, any, likely, size, count } = self;
        let additions = count - 1.0;
        if additions <= 0.0 {
            return Ball { centre, any, likely };
        }
        let sum = Ball {
            centre,
            any: any + rounding.any_order(additions) * size,
            likely: likely + rounding.likely(additions) * size,
        };
        let operations = &rounding.operations;
        if operations.stored > operations.sum { sum.off_by(operations.stored * sum.size()) } else { sum }
    }
}
