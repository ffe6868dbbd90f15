//! [`Rounding`]: what each operation of a recorded call may be off by.

use super::{Declared, unit_roundoff};
use crate::oracle::step::rounding::{Rounding as Operations, gamma};
use safetensors::Dtype;

/// What bounds on bounds lose: radii are sums of at most 2^32 non-negative numbers in f64, each within 2^-53 of itself,
/// passed through fewer than 2^10 further roundings, so they are within 2^-21. One factor covers it.
const OUTWARDS: f64 = 1.0 + 1.0 / (1_u64 << 20) as f64;

/// How many standard deviations of a random walk of roundings are likely.
pub(super) const LAMBDA: f64 = 8.0;

/// What the operations behind one result may be off by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rounding {
    /// Of the operations before the result is stored; `stored` is that of every operation that is no sum's.
    pub operations: Operations,
    /// Of a result that is stored: u_out.
    pub out: f64,
    /// What a stored result near 0 may be off by on top.
    pub out_underflow: f64,
    /// Whether the result holds truth values or integers, which nothing rounds.
    pub is_integer: bool,
}

impl Rounding {
    /// That of a result of type `dtype`, as `declared`.
    ///
    /// Undeclared, sums and formulas are formed in f64 for an F64 result and in f32 for all others, F16 and BF16
    /// included, and the result is rounded to its type once. A port whose accumulators are finer says so by u_acc; what
    /// is no sum is then still an operation of the type.
    pub fn of(declared: &Declared, dtype: Dtype) -> Self {
        let type_of = if dtype == Dtype::F64 { crate::scalar::Dtype::F64 } else { crate::scalar::Dtype::F32 };
        let own = unit_roundoff(dtype).unwrap_or(0.0);
        let sum = declared.u_acc.unwrap_or(type_of.unit_roundoff());
        let out = declared.u_out.unwrap_or(own);
        let operand = declared.u_in.unwrap_or(0.0).max(if declared.tf32 { TF32 } else { 0.0 });
        let underflow = if declared.ftz { type_of.smallest_normal() } else { type_of.smallest_subnormal() };
        let out_underflow = match dtype {
            Dtype::F16 if declared.ftz => crate::scalar::power_of_two(-14),
            Dtype::F16 => crate::scalar::power_of_two(-24),
            Dtype::BF16 if !declared.ftz => crate::scalar::power_of_two(-133),
            _ => underflow,
        };
        // Sums that are no finer than the result's type are formed in it, and underflow where it does.
        let underflow = if sum >= own { underflow.max(out_underflow) } else { underflow };
        let operations = Operations {
            sum,
            stored: sum.max(type_of.unit_roundoff()),
            storing: if out > sum { out } else { 0.0 },
            operand,
            parameter: 0.0,
            underflow,
            flushes: declared.ftz,
            ulps: declared.exp_ulps,
        };
        Self { operations, out, out_underflow, is_integer: unit_roundoff(dtype).is_none() }
    }

    /// That of formulas whose every step is rounded to the result's type; of sums as it is.
    pub fn in_own_type(self) -> Self {
        let stored = self.operations.stored.max(self.out);
        Self { operations: Operations { stored, ..self.operations }, ..self }
    }

    /// What r = error / (u |A||B|) takes for u.
    pub fn unit(&self) -> f64 {
        if self.is_integer { 0.0 } else { self.out.max(self.operations.sum) }
    }

    /// `gamma_n` of additions.
    pub fn any_order(&self, n: f64) -> f64 {
        if n > 0.0 { gamma(n, self.operations.sum) } else { 0.0 }
    }

    /// What n roundings of a sum come to but with probability below `2 n exp(-LAMBDA^2 / 2)`, which is 3e-14 n, if they
    /// are independent with mean 0: `exp(LAMBDA sqrt(n) u + n u^2 / (1 - u)) - 1` (Higham and Mary, "A new approach to
    /// probabilistic rounding error analysis", SIAM J. Sci. Comput. 41(5), 2019, Theorems 2.4 and 3.1). Never more than
    /// what n roundings can come to.
    pub fn likely(&self, n: f64) -> f64 {
        let u = self.operations.sum;
        let walk = libm::expm1(LAMBDA * n.sqrt() * u + n * u * u / (1.0 - u));
        walk.min(self.any_order(n))
    }
}

/// The unit roundoff of TF32, whose significand has 11 digits.
pub(super) const TF32: f64 = 1.0 / (1 << 11) as f64;

/// A radius rounded outwards; what is not a number is no bound at all.
pub(super) fn outwards(radius: f64) -> f64 {
    if radius >= 0.0 { radius * OUTWARDS } else { f64::INFINITY }
}
