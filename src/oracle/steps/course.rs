//! Schedules (section 3) to the last place, with the bounds that a port's values keep.

use super::near::Near;
use super::rules::Rules;
use super::slips::Slip;
use crate::scalar::{DoubleDouble, Scalar};

/// Pi to 31 digits.
const PI: (f64, f64) = (std::f64::consts::PI, 1.2246467991473532e-16);

fn dd(x: f64) -> DoubleDouble {
    DoubleDouble::from(x)
}

/// c / T in [0, 1]; 1 where T = 0.
fn progress(c: usize, end: usize) -> DoubleDouble {
    if c >= end { DoubleDouble::ONE } else { DoubleDouble::from_usize(c) / DoubleDouble::from_usize(end) }
}

/// `x^n`.
pub(crate) fn power(x: DoubleDouble, n: usize) -> DoubleDouble {
    let (mut result, mut square, mut n) = (DoubleDouble::ONE, x, n);
    while n > 0 {
        if n % 2 == 1 {
            result *= square;
        }
        square = square * square;
        n /= 2;
    }
    result
}

impl Rules {
    /// The constant f.
    pub(crate) fn constant(&self, f: f64) -> Near {
        Near::exact(f).give(2.0 * self.arithmetic.u() * f.abs() + self.arithmetic.underflow())
    }

    /// A share that a schedule does not change.
    pub(crate) fn constant_share(&self, s: f64) -> Near {
        self.constant(if self.has(Slip::ShareForRest) { 1.0 - s } else { s })
    }

    /// `s_f + (s_i - s_f) (1 - x)^3`, to 16 u of the larger share.
    pub(crate) fn cubic(&self, (s_i, s_f): (f64, f64), c: usize, (start, end): (usize, usize)) -> Near {
        let (s_i, s_f) = match self.slip(&[Slip::Swapped, Slip::FromZero]) {
            Some(Slip::Swapped) => (s_f, s_i),
            Some(Slip::FromZero) => (0.0, s_f),
            _ => (s_i, s_f),
        };
        let c = self.counted(c);
        let since = c.saturating_sub(start);
        let x = match self.slip(&[Slip::WithoutOrigin, Slip::EndForSpan, Slip::OverTotal]) {
            Some(Slip::WithoutOrigin) => progress(c, end),
            Some(Slip::EndForSpan) => progress(since, end),
            Some(Slip::OverTotal) => progress(since, self.steps("total_steps").saturating_sub(start)),
            _ => progress(since, end.saturating_sub(start)),
        };
        let exponent = match self.slip(&[Slip::Linear, Slip::Quadratic]) {
            Some(Slip::Linear) => 1,
            Some(Slip::Quadratic) => 2,
            _ => 3,
        };
        let left = match self.has(Slip::CubeInside) {
            true => DoubleDouble::ONE - power(x, exponent),
            false => power(DoubleDouble::ONE - x, exponent),
        };
        let centre = dd(s_f) + (dd(s_i) - dd(s_f)) * left;
        Near { centre, radius: 0.0 }.give(16.0 * self.arithmetic.u() * s_i.max(s_f) + self.arithmetic.underflow())
    }

    /// `f_min + (f_0 - f_min) / 2 (1 + cos(pi c / T))`, to (16 + 4c) u of f_0: it may be stepped by recursion.
    pub(crate) fn cosine(&self, (f_0, f_min): (f64, f64), c: usize, end: usize, start: usize) -> Near {
        let c = self.counted(c);
        let since = c.saturating_sub(start);
        let x = match self.slip(&[Slip::WithOrigin, Slip::Shifted, Slip::UpToEnd, Slip::Constant]) {
            Some(Slip::WithOrigin) => progress(since, end.saturating_sub(start)),
            Some(Slip::Shifted) => progress(since, end),
            Some(Slip::UpToEnd) => progress(c, self.steps("update_end")),
            Some(Slip::Constant) => DoubleDouble::ZERO,
            _ => progress(c, end),
        };
        let f_min = if self.has(Slip::ToZero) { 0.0 } else { f_min };
        // 1 + cos(pi x) = 2 sin(pi (1 - x) / 2)^2, which loses nothing near the end.
        let sine = sine_of_quarter_turns(DoubleDouble::ONE - x);
        let factor = match self.slip(&[Slip::Linear, Slip::NotHalved, Slip::QuarterCosine, Slip::WithoutPi]) {
            Some(Slip::Linear) => DoubleDouble::ONE - x,
            Some(Slip::NotHalved) => sine * sine * dd(2.0),
            Some(Slip::QuarterCosine) => sine,
            Some(Slip::WithoutPi) => dd(0.5 + 0.5 * libm::cos(x.to_f64())),
            _ => sine * sine,
        };
        let centre = dd(f_min) + (dd(f_0) - dd(f_min)) * factor;
        let steps = c.min(end) as f64;
        let size = f_0.max(f_min);
        Near { centre, radius: 0.0 }
            .give((16.0 + 4.0 * steps) * self.arithmetic.u() * size + self.arithmetic.underflow())
    }

    /// `f_0 (1 - c / T)^b`, to 16 u of f_0, or of itself where b is negative.
    pub(crate) fn power(&self, f_0: f64, c: usize, end: usize, b: f64) -> Near {
        let left = DoubleDouble::ONE - progress(self.counted(c), end);
        let b = match self.slip(&[Slip::Linear, Slip::Constant]) {
            Some(Slip::Linear) => 1.0,
            Some(Slip::Constant) => 0.0,
            _ => b,
        };
        let factor = match b {
            b if (0.0..=64.0).contains(&b) && b.fract() == 0.0 => power(left, b as usize),
            b if left == DoubleDouble::ZERO => dd(if b > 0.0 { 0.0 } else { f64::INFINITY }),
            b => (left.ln() * dd(b)).exp(),
        };
        let centre = dd(f_0) * factor;
        // A port's power is as exact as its exponent allows.
        let size = f_0.max(centre.abs().to_f64());
        Near { centre, radius: 0.0 }.give(16.0 * self.arithmetic.u() * size + self.arithmetic.underflow())
    }

    /// `lambda^e`.
    pub(crate) fn decayed(&self, lambda: f64, e: usize) -> DoubleDouble {
        let of = [Slip::ExponentMore, Slip::ExponentFewer, Slip::DecayOnce, Slip::Linear, Slip::Exponential];
        match self.slip(&of) {
            Some(Slip::Exponential) => (-(dd(lambda) * DoubleDouble::from_usize(e))).exp(),
            Some(Slip::ExponentMore) => power(dd(lambda), e + 1),
            Some(Slip::ExponentFewer) => power(dd(lambda), e.saturating_sub(1)),
            Some(Slip::DecayOnce) => dd(lambda),
            Some(Slip::Linear) => DoubleDouble::ONE - DoubleDouble::from_usize(e) * (DoubleDouble::ONE - dd(lambda)),
            _ => power(dd(lambda), e),
        }
    }

    fn counted(&self, c: usize) -> usize {
        let every = self.steps("update_every").max(1);
        let among = [
            Slip::CourseOfSteps,
            Slip::CourseBehind,
            Slip::CourseOfUpdates,
            Slip::CourseOfUpdatesBefore,
            Slip::BehindUpdate,
        ];
        match self.slip(&among) {
            Some(Slip::CourseOfSteps) => c + 1,
            Some(Slip::CourseBehind) => c.saturating_sub(1),
            Some(Slip::CourseOfUpdates) => c / every,
            Some(Slip::CourseOfUpdatesBefore) => (c / every).saturating_sub(1),
            Some(Slip::BehindUpdate) => c.saturating_sub(every),
            _ => c,
        }
    }
}

/// `sin(pi y / 2)` for y in [0, 1], by its series: 27 terms leave less than 2^-106 of the sum.
fn sine_of_quarter_turns(y: DoubleDouble) -> DoubleDouble {
    let x = y * DoubleDouble::new(PI.0, PI.1) * dd(0.5);
    let square = x * x;
    let (mut term, mut sum) = (x, x);
    for k in 1..27 {
        term = -(term * square / dd((2 * k * (2 * k + 1)) as f64));
        sum += term;
    }
    sum
}
