//! Floating-point formats and units simulated in `f64`, and sums in every order that ports use.
//!
//! An operation is formed in `f64` and rounded to the format. For formats of at most 24 bits this second rounding
//! changes nothing: 53 >= 2 * 24 + 2 (Figueroa, "When is double rounding innocuous?", 1995). Fused operations of
//! `f32` are the processor's own, since that theorem does not cover them.

/// A floating-point format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    F64,
    F32,
    F16,
    Bf16,
}

impl Precision {
    /// Bits of the significand, the leading one included.
    fn bits(self) -> i32 {
        match self {
            Self::F64 => 53,
            Self::F32 => 24,
            Self::F16 => 11,
            Self::Bf16 => 8,
        }
    }

    /// The exponent of the smallest normal number.
    pub fn least_exponent(self) -> i32 {
        match self {
            Self::F64 => -1022,
            Self::F32 | Self::Bf16 => -126,
            Self::F16 => -14,
        }
    }

    /// `2^-bits`.
    pub fn unit_roundoff(self) -> f64 {
        libm::ldexp(1.0, -self.bits())
    }

    /// The nearest number of this format, ties to even, subnormal numbers included. Overflow is left to the caller:
    /// no quantity here comes near it.
    pub fn round(self, x: f64) -> f64 {
        match self {
            Self::F64 => x,
            Self::F32 => f64::from(x as f32),
            Self::F16 | Self::Bf16 if x == 0.0 || !x.is_finite() => x,
            Self::F16 | Self::Bf16 => {
                let exponent = (libm::frexp(x).1 - 1).max(self.least_exponent());
                let shift = self.bits() - 1 - exponent;
                libm::ldexp(libm::ldexp(x, shift).round_ties_even(), -shift)
            }
        }
    }
}

/// What computes: a format, with or without fused multiply-add, with or without subnormal numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unit {
    pub precision: Precision,
    pub fma: bool,
    pub ftz: bool,
}

impl Unit {
    /// A subnormal number is 0 where they are flushed.
    fn flush(&self, x: f64) -> f64 {
        if self.ftz && x.abs() < libm::ldexp(1.0, self.precision.least_exponent()) { 0.0 } else { x }
    }

    pub fn round(&self, x: f64) -> f64 {
        self.flush(self.precision.round(x))
    }

    pub fn add(&self, a: f64, b: f64) -> f64 {
        self.round(self.flush(a) + self.flush(b))
    }

    pub fn sub(&self, a: f64, b: f64) -> f64 {
        self.add(a, -b)
    }

    pub fn mul(&self, a: f64, b: f64) -> f64 {
        self.round(self.flush(a) * self.flush(b))
    }

    pub fn div(&self, a: f64, b: f64) -> f64 {
        self.round(self.flush(a) / self.flush(b))
    }

    /// `a b + c`, in one rounding or two. (Operands wider than the format, as an f64 port's with sums in f32, are not
    /// rounded first.)
    pub fn mul_add(&self, a: f64, b: f64, c: f64) -> f64 {
        if !self.fma {
            return self.add(self.mul(a, b), c);
        }
        let (a, b, c) = (self.flush(a), self.flush(b), self.flush(c));
        match self.precision {
            Precision::F32 if [a, b, c].iter().all(|&x| f64::from(x as f32) == x) => {
                self.flush(f64::from((a as f32).mul_add(b as f32, c as f32)))
            }
            _ => self.round(a.mul_add(b, c)),
        }
    }

    pub fn sqrt(&self, x: f64) -> f64 {
        self.round(self.flush(x).sqrt())
    }
}

/// The order of a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Forward,
    Reversed,
    /// Halves, halved again.
    Pairwise,
    /// So many running sums side by side, as vector instructions do.
    Lanes(usize),
    /// Neumaier's compensated sum.
    Compensated,
}

impl Order {
    pub fn sum(self, unit: &Unit, terms: &[f64]) -> f64 {
        match self {
            Self::Compensated => compensated(unit, terms),
            _ => self.fold(unit, terms, &|sum, x| unit.add(sum, x)),
        }
    }

    pub fn sum_of_squares(self, unit: &Unit, terms: &[f64]) -> f64 {
        match self {
            Self::Compensated => {
                let squares: Vec<f64> = terms.iter().map(|&x| unit.mul(x, x)).collect();
                compensated(unit, &squares)
            }
            _ => self.fold(unit, terms, &|sum, x| unit.mul_add(x, x, sum)),
        }
    }

    fn fold(self, unit: &Unit, terms: &[f64], step: &impl Fn(f64, f64) -> f64) -> f64 {
        match self {
            Self::Forward | Self::Compensated => terms.iter().fold(0.0, |sum, &x| step(sum, x)),
            Self::Reversed => terms.iter().rev().fold(0.0, |sum, &x| step(sum, x)),
            Self::Pairwise => match terms {
                [] => 0.0,
                [x] => step(0.0, *x),
                _ => {
                    let (left, right) = terms.split_at(terms.len() / 2);
                    unit.add(self.fold(unit, left, step), self.fold(unit, right, step))
                }
            },
            Self::Lanes(lanes) => {
                let mut sums = vec![0.0; lanes];
                for (i, &x) in terms.iter().enumerate() {
                    sums[i % lanes] = step(sums[i % lanes], x);
                }
                sums.into_iter().fold(0.0, |sum, lane| unit.add(sum, lane))
            }
        }
    }
}

fn compensated(unit: &Unit, terms: &[f64]) -> f64 {
    let (mut sum, mut lost) = (0.0, 0.0);
    for &x in terms {
        let next = unit.add(sum, x);
        let (large, small) = if f64::abs(sum) >= f64::abs(x) { (sum, x) } else { (x, sum) };
        lost = unit.add(lost, unit.add(unit.sub(large, next), small));
        sum = next;
    }
    unit.add(sum, lost)
}

#[cfg(test)]
mod tests {
    use super::*;

    const F32: Unit = Unit { precision: Precision::F32, fma: false, ftz: false };

    /// The simulated formats round as their definitions say: half an ulp, ties to even, gradual underflow.
    #[test]
    fn formats_round_to_nearest_even() {
        let ulp = libm::ldexp(1.0, -7);
        assert_eq!(Precision::Bf16.round(1.0 + 0.5 * ulp), 1.0);
        assert_eq!(Precision::Bf16.round(1.0 + 1.5 * ulp), 1.0 + 2.0 * ulp);
        assert_eq!(Precision::Bf16.round(-1.0 - 0.51 * ulp), -1.0 - ulp);
        assert_eq!(Precision::F16.round(libm::ldexp(1.4, -24)), libm::ldexp(1.0, -24));
        assert_eq!(Precision::F16.round(libm::ldexp(0.4, -24)), 0.0);
        assert_eq!(Precision::F32.round(1.0 + libm::ldexp(1.0, -24)), 1.0);
        assert_eq!(Unit { ftz: true, ..F32 }.mul(libm::ldexp(1.0, -70), libm::ldexp(1.0, -70)), 0.0);
        assert_eq!(F32.mul(libm::ldexp(1.0, -70), libm::ldexp(1.0, -70)), libm::ldexp(1.0, -140));
    }

    /// Every order sums every term once; where sums round, the orders differ.
    #[test]
    fn orders_sum_every_term() {
        let orders = [Order::Forward, Order::Reversed, Order::Pairwise, Order::Lanes(8), Order::Compensated];
        let integers: Vec<f64> = (1..=101).map(f64::from).collect();
        let reciprocals: Vec<f64> = integers.iter().map(|x| Precision::F32.round(1.0 / x)).collect();
        let mut results = Vec::new();
        for order in orders {
            assert_eq!(order.sum(&F32, &integers), 5151.0);
            assert_eq!(order.sum_of_squares(&F32, &integers), 348_551.0);
            results.push(order.sum(&F32, &reciprocals));
        }
        results.sort_by(f64::total_cmp);
        results.dedup();
        assert!(results.len() >= 3, "{results:?}");
        assert_eq!(Order::Pairwise.sum(&F32, &[]), 0.0);
    }

    /// A fused operation rounds once: (1 + 2^-12)^2 - 1 keeps its last bit.
    #[test]
    fn fused_operations_round_once() {
        let x = 1.0 + libm::ldexp(1.0, -12);
        let fused = Unit { fma: true, ..F32 }.mul_add(x, x, -1.0);
        assert_eq!(fused, libm::ldexp(1.0, -11) + libm::ldexp(1.0, -24));
        assert_eq!(F32.mul_add(x, x, -1.0), libm::ldexp(1.0, -11));
    }
}
