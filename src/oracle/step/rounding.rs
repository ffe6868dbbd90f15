//! What each operation of a port may be off by, and our own evaluation with it.

use crate::oracle::arithmetic::theta;
use crate::trace::Arithmetic;

/// The unit roundoff of `f64`, in which the enclosure itself is computed.
pub(in crate::oracle) const OWN_ROUNDOFF: f64 = f64::EPSILON / 2.0;
/// The smallest subnormal `f64`: what an underflow of ours can be off by.
pub(in crate::oracle) const OWN_UNDERFLOW: f64 = f64::from_bits(1);

/// A correct port's `exp`, `ln` and `ln(1 + x)`: within this many units in the last place.
///
/// The largest documented ones: NumPy's AVX2 and AVX-512 loops 2.52 (exp) and 3.83 (log), Intel's SVML in its default
/// "la" form 4, CUDA's `expf` 2 and `logf` 1, JAX (jax/docs/accuracy.md) 2, 1.5 and 3 on CPUs and GPUs, glibc and
/// Sleef's `u10` 1. Fast approximations (`__expf`, a TPU's default exp at 116) are not correct in this sense.
const ELEMENTARY_ULPS: f64 = 4.0;

/// The largest sum whose radii [`up`] rounds outwards safely.
pub(in crate::oracle) const MOST_TERMS: f64 = (1_u64 << 20) as f64;
/// A radius is a sum of at most [`MOST_TERMS`] non-negative products, each within [`OWN_ROUNDOFF`], so within 2^-32,
/// and is passed through fewer than 64 further roundings: 2^-47. One factor `1 + 2^-30` covers both.
const SLACK: f64 = 1.0 / (1_u64 << 30) as f64;

/// The relative and absolute errors of one arithmetic, port's or our own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::oracle) struct Rounding {
    /// Of each operation of a sum, products included.
    pub sum: f64,
    /// Of each operation whose result is stored by itself.
    pub stored: f64,
    /// What storing a sum adds to it: 0 where the sum is already formed in numbers no finer than what is stored.
    pub storing: f64,
    /// How far what enters a product may be from the value it was read from.
    pub operand: f64,
    /// How far a parameter in use may be from the recorded one.
    pub parameter: f64,
    /// What a result near 0 can be off by on top.
    pub underflow: f64,
    /// Whether what enters an operation may be taken for 0 where it is below `underflow`.
    pub flushes: bool,
    /// The error of `exp` and `ln` in units in the last place.
    pub ulps: f64,
}

impl Rounding {
    pub fn of(arithmetic: &Arithmetic) -> Self {
        // No case of exact numbers is one of exact exponentials.
        let exact = Arithmetic::of(arithmetic.dtype);
        let arithmetic = if arithmetic.exact { &exact } else { arithmetic };
        let &Arithmetic { dtype, u_in, u_acc, u_out, ftz, .. } = arithmetic;
        // Parameters may be recorded narrower than they are only where the output's roundoff says so.
        let parameter = if u_out > dtype.unit_roundoff() { u_out } else { 0.0 };
        Self {
            sum: u_acc,
            stored: u_acc.max(u_out),
            storing: if u_out > u_acc { u_out } else { 0.0 },
            operand: u_in,
            parameter,
            underflow: arithmetic.underflow(),
            flushes: ftz,
            ulps: ELEMENTARY_ULPS,
        }
    }

    /// The `f64` evaluation of the enclosure.
    pub const OWN: Self = Self {
        sum: OWN_ROUNDOFF,
        stored: OWN_ROUNDOFF,
        storing: 0.0,
        operand: 0.0,
        parameter: 0.0,
        underflow: OWN_UNDERFLOW,
        flushes: false,
        ulps: ELEMENTARY_ULPS,
    };

    /// The relative error of `exp` and `ln`; an ulp is at most 2u of the value.
    pub fn elementary(&self) -> f64 {
        2.0 * self.ulps * self.stored
    }

    /// A bound on |v' - v| over the values v of a size up to `size` and the v' they are read as.
    pub fn read(&self, relative: f64, size: f64, smallest: f64) -> f64 {
        let flushed = if self.flushes && size > 0.0 && smallest < self.underflow { self.underflow } else { 0.0 };
        relative * size + flushed
    }
}

/// `gamma_n = n u / (1 - n u)`: bounds `|(1 + d_1) .. (1 + d_n) - 1|` for |d_i| <= u (Higham, "Accuracy and Stability
/// of Numerical Algorithms", 2nd ed., Lemma 3.1). Infinite where it bounds nothing.
pub(in crate::oracle) fn gamma(n: f64, u: f64) -> f64 {
    theta(n * u).unwrap_or(f64::INFINITY)
}

/// `-ln(1 - u)`: bounds `|ln(1 + d)|` for |d| <= u. Products of factors (1 + d) become sums of these.
pub(in crate::oracle) fn logarithmic(u: f64) -> f64 {
    if u < 1.0 { -libm::log1p(-u) } else { f64::INFINITY }
}

/// A radius rounded outwards; what is not a number is no bound at all.
pub(in crate::oracle) fn up(radius: f64) -> f64 {
    if radius == 0.0 {
        0.0
    } else if radius > 0.0 {
        radius * (1.0 + SLACK) + OWN_UNDERFLOW
    } else {
        f64::INFINITY
    }
}
