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

    /// `s_f + (s_i - s_f) (1 - x)^3`.
    pub(crate) fn cubic(&self, (s_i, s_f): (f64, f64), c: usize, (start, end): (usize, usize)) -> Near {
        let (s_i, s_f) = if self.has(Slip::Reversed) { (s_f, s_i) } else { (s_i, s_f) };
        let c = self.counted(c);
        let x = match self.slip {
            Some(Slip::WithoutOrigin) => progress(c, end),
            Some(Slip::EndForSpan) => progress(c.saturating_sub(start), end),
            _ => progress(c.saturating_sub(start), end.saturating_sub(start)),
        };
        let exponent = match self.slip {
            Some(Slip::Linear) => 1,
            Some(Slip::Quadratic) => 2,
            _ => 3,
        };
        let centre = dd(s_f) + (dd(s_i) - dd(s_f)) * power(DoubleDouble::ONE - x, exponent);
        Near { centre, radius: 0.0 }.give(16.0 * self.arithmetic.u() * s_i.max(s_f) + self.arithmetic.underflow())
    }

    /// `f_min + (f_0 - f_min) / 2 (1 + cos(pi c / T))`.
    pub(crate) fn cosine(&self, (f_0, f_min): (f64, f64), c: usize, end: usize, start: usize) -> Near {
        let c = self.counted(c);
        let x = match self.slip {
            Some(Slip::WithOrigin) => progress(c.saturating_sub(start), end.saturating_sub(start)),
            _ => progress(c, end),
        };
        // 1 + cos(pi x) = 2 sin(pi (1 - x) / 2)^2, which loses nothing near the end.
        let sine = sine_of_quarter_turns(DoubleDouble::ONE - x);
        let factor = if self.has(Slip::NotHalved) { 2.0 } else { 1.0 };
        let centre = dd(f_min) + (dd(f_0) - dd(f_min)) * sine * sine * dd(factor);
        let steps = c.min(end) as f64;
        let size = f_0.max(f_min);
        Near { centre, radius: 0.0 }
            .give((16.0 + 4.0 * steps) * self.arithmetic.u() * size + self.arithmetic.underflow())
    }

    /// `f_0 (1 - c / T)^b`.
    pub(crate) fn power(&self, f_0: f64, c: usize, end: usize, b: f64) -> Near {
        let left = DoubleDouble::ONE - progress(self.counted(c), end);
        let factor = match b {
            b if (0.0..=64.0).contains(&b) && b.fract() == 0.0 => power(left, b as usize),
            _ if left == DoubleDouble::ZERO => {
                if b > 0.0 {
                    DoubleDouble::ZERO
                } else {
                    dd(f64::INFINITY)
                }
            }
            _ => (left.ln() * dd(b)).exp(),
        };
        let centre = dd(f_0) * factor;
        // A port's power is as exact as its exponent allows.
        let size = f_0.max(centre.abs().to_f64());
        Near { centre, radius: 0.0 }.give(16.0 * self.arithmetic.u() * size + self.arithmetic.underflow())
    }

    /// `lambda^e`.
    pub(crate) fn decayed(&self, lambda: f64, e: usize) -> DoubleDouble {
        match self.slip {
            Some(Slip::ExponentMore) => power(dd(lambda), e + 1),
            Some(Slip::ExponentFewer) => power(dd(lambda), e.saturating_sub(1)),
            Some(Slip::DecayOnce) => dd(lambda),
            _ => power(dd(lambda), e),
        }
    }

    fn counted(&self, c: usize) -> usize {
        match self.slip {
            Some(Slip::CourseOfSteps) => c + 1,
            Some(Slip::CourseBehind) => c.saturating_sub(1),
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
