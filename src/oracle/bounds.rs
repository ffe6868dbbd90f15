//! The one table of tolerances: how far a correct port's rounding can take it from each equation's exact value.
//!
//! Every bound follows from the arithmetic that the trace declares ([`Arithmetic`]) by the lemma of rounding error
//! analysis: a product of factors `1 + d_i` or `1 / (1 + d_i)` with `sum |d_i| <= m < 1` is `1 + theta` with
//! `|theta| <= m / (1 - m)` (Higham, "Accuracy and Stability of Numerical Algorithms", 2002, Lemma 3.1, for equal bounds
//! `gamma_n = n u / (1 - n u)`). Where `m >= 1` there is no bound, and the verdict says so.
//!
//! Fused multiply-adds only leave roundings out, so every bound holds with and without them.

use super::interval::Interval;
use crate::scalar::{DoubleDouble, Dtype, Scalar};
use crate::trace::Arithmetic;

/// A tolerance around an exact value E: `relative |E| + absolute`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    pub relative: f64,
    pub absolute: f64,
}

/// The most batches that an epoch may have had if the trace records none of them.
pub const UNKNOWN_BATCHES: f64 = 1024.0;

/// `m / (1 - m)`, or `None` where rounding errors that add up to `m` leave no bound (or `m` is NaN).
pub fn theta(m: f64) -> Option<f64> {
    (m < 1.0).then(|| m / (1.0 - m))
}

impl Arithmetic {
    /// A sum of `n` non-negative terms, each the square of a gradient or its size: the gradient's own error (twice, for
    /// a square), a rounding for the square, one for its storage, at most `n` for the sums in any order and one for the
    /// result's storage. Underflow: each square and each sum, n of both.
    ///
    /// Eq. 1 with n = weights times batches, Eq. 2 with n = batches.
    pub fn sum_over_gradients(&self, n: usize) -> Option<Tolerance> {
        let relative = theta(2.0 * self.u_in + (n as f64 + 1.0) * self.u_acc + 2.0 * self.u_out)?;
        Some(Tolerance { relative, absolute: 2.0 * (n as f64 + 1.0) * self.underflow() * (1.0 + relative) })
    }

    /// Eq. 3 from G: at most `n` sums over the weights in any order. A port may as well add up the squares themselves,
    /// batch by batch: it then has the roundings of a G over `batches` batches besides, and its recorded G too. Where the
    /// trace does not say how many batches there are, they are taken to be at most [`UNKNOWN_BATCHES`]; where so many
    /// would leave no bound, the sum is taken to be over G.
    pub fn sum_of_squares(&self, n: usize, batches: usize) -> Option<Tolerance> {
        let of_sum = (n as f64 + 1.0) * self.u_acc + self.u_out;
        let of_g = |b: f64| 2.0 * (b + 1.0) * self.u_acc + 4.0 * self.u_out + 2.0 * self.u_in;
        let (relative, b) = match batches {
            0 => match theta(of_sum + of_g(UNKNOWN_BATCHES)) {
                Some(relative) => (relative, UNKNOWN_BATCHES),
                None => (theta(of_sum)?, 0.0),
            },
            batches => (theta(of_sum + of_g(batches as f64))?, batches as f64),
        };
        Some(Tolerance { relative, absolute: (n as f64 * (1.0 + 4.0 * b) + 1.0) * self.underflow() * (1.0 + relative) })
    }

    /// Eq. 4: the operand as recorded may have been rounded (half of which passes the root), the root and its storage.
    pub fn root(&self) -> Option<Tolerance> {
        let relative = theta(0.5 * self.u_out + self.u() + self.u_out)?;
        // A flushed operand: the root of everything below the smallest normal number.
        let absolute = if self.ftz { self.smallest_normal().sqrt() } else { self.underflow() };
        Some(Tolerance { relative, absolute })
    }

    /// Eq. 8, absolutely. With M the larger of alpha_0 and alpha_K: both may be rounded to the dtype (2 u M, and once
    /// more alpha_0 in the difference), the difference, the quotient k / K, the product and the sum are rounded
    /// (at most 4 u M, as `k / K <= 1`), and the result stored (u M): 8 u M. A port that adds a step every epoch rounds
    /// up to k sums more, and its step's error k times: 3 k u M. One u M covers all terms of second order.
    pub fn prune_rate(&self, k: usize, largest: f64) -> f64 {
        (9.0 + 3.0 * k as f64) * self.u() * largest
    }

    /// The rank `alpha (n - 1)` of Eq. 6, absolutely, for the alpha that the port uses: the product is rounded, or, in
    /// `n alpha - alpha`, a product and a difference of the rank's size; 4 u n alpha covers both, storage and terms of
    /// second order.
    pub fn rank(&self, alpha: f64, n: usize) -> f64 {
        4.0 * self.u() * alpha * n as f64
    }

    /// The value between two order statistics, relative to the upper one: `low + f (high - low)` or
    /// `high - (1 - f)(high - low)` or `(1 - f) low + f high` rounds the difference, 1 - f, the product and the sum, each of
    /// a number no larger than the upper neighbour, and is stored: 5 u, and one for terms of second order.
    pub fn interpolation(&self) -> Tolerance {
        Tolerance { relative: 6.0 * self.u(), absolute: 4.0 * self.underflow() }
    }

    /// Eq. 7: the quantiles as recorded may have been rounded, C - 1 sums and the quotient are, or C products with a
    /// rounded 1/C, and the result is stored.
    pub fn mean(&self, chunks: usize) -> Option<Tolerance> {
        let relative = theta((chunks as f64 + 2.0) * self.u() + 2.0 * self.u_out)?;
        Some(Tolerance { relative, absolute: (chunks as f64 + 1.0) * self.underflow() * (1.0 + relative) })
    }

    /// Eq. 9's product `w* lambda^t`, relatively: lambda may be rounded (t u), the power is t - 1 products in any order,
    /// or `exp(t ln lambda)`, whose argument carries 3 roundings that the exponential turns into `3 t |ln lambda| u`;
    /// then the function itself (4 u: CUDA's documentation gives `powf` 4 ulp), the product, and storage twice.
    pub fn decayed(&self, lambda: f64, t: u64) -> Option<f64> {
        let per_step = 2.0 + 3.0 * libm::log(lambda).abs();
        theta((t as f64 * per_step + 8.0) * self.u())
    }

    /// Eq. 9's product near 0, absolutely: the power may be off by an underflow at each of its steps, of which later ones
    /// shrink what earlier ones left (a sum of at most min(t, 1 / (1 - lambda)) underflows), times w*, and the product.
    pub fn decayed_underflow(&self, lambda: f64, t: u64, w_star: f64) -> f64 {
        let steps = (t as f64).min(1.0 / (1.0 - lambda)) + 1.0;
        // `lambda = 1` gives t steps.
        2.0 * self.underflow() * (steps * w_star.abs() + 1.0)
    }

    /// A threshold as the port may hold it: as declared, rounded to the dtype, or stored as its results are.
    pub fn threshold(&self, eps: f64) -> Interval {
        let rounded = match self.dtype {
            Dtype::F32 => f64::from(eps as f32),
            Dtype::F64 => eps,
        };
        let stored = if self.u_out > self.dtype.unit_roundoff() { self.u_out } else { 0.0 };
        let held = Interval { low: eps.min(rounded), high: eps.max(rounded) }.widened(stored);
        if self.ftz && held.low < self.smallest_normal() { Interval { low: 0.0, ..held } } else { held }
    }
}

/// A sum that knows whether it is exact in a port's arithmetic, whatever the order.
///
/// If every term is a multiple of 2^e and the sum of their sizes is at most 2^(e + p), then so is every partial sum in
/// every order, and all of them are numbers of p bits: no addition rounds. That is the whole difference between a case
/// where every correct port must agree bit for bit and one where a tolerance is due.
#[derive(Debug, Clone, Copy)]
pub struct Sum {
    /// To about 31 digits.
    pub value: DoubleDouble,
    /// Of the terms' sizes.
    size: f64,
    /// The largest e for which every term is a multiple of 2^e.
    unit: i32,
}

impl Default for Sum {
    fn default() -> Self {
        Self { value: DoubleDouble::ZERO, size: 0.0, unit: i32::MAX }
    }
}

impl Sum {
    /// Adds `x`.
    pub fn add(&mut self, x: f64) {
        self.value += DoubleDouble::from(x);
        self.size += x.abs();
        self.unit = self.unit.min(unit(x));
    }

    /// Adds `x^2`.
    pub fn add_square(&mut self, x: f64) {
        self.value += DoubleDouble::from_product(x, x);
        self.size += x * x;
        self.unit = self.unit.min(unit(x).saturating_mul(2));
    }

    /// Whether no order of adding the terms rounds in `arithmetic`.
    pub fn is_exact_in(&self, arithmetic: &Arithmetic) -> bool {
        if self.unit == i32::MAX {
            return true; // every term is 0
        }
        let floor = match arithmetic.dtype {
            _ if arithmetic.ftz => unit(arithmetic.smallest_normal()),
            Dtype::F32 => -149,
            Dtype::F64 => -1022,
        };
        arithmetic.u_in == 0.0
            && self.unit >= floor
            && self.unit < 900
            && self.size <= libm::ldexp(1.0, self.unit + arithmetic.precision())
    }
}

/// The largest e for which `x` is a multiple of 2^e; `i32::MAX` for 0.
pub fn unit(x: f64) -> i32 {
    let (bits, significand) = (x.to_bits(), x.to_bits() & ((1 << 52) - 1));
    let exponent = (bits >> 52 & 0x7ff) as i32;
    match (exponent, significand) {
        (0, 0) => i32::MAX,
        (0, s) => -1074 + s.trailing_zeros() as i32,
        (e, s) => e - 1075 + (s | 1 << 52).trailing_zeros() as i32,
    }
}

/// Whether `x` is a number of `arithmetic`'s sums and results.
pub fn is_representable(x: DoubleDouble, arithmetic: &Arithmetic) -> bool {
    let mut alone = Sum::default();
    alone.add(x.hi());
    x.lo() == 0.0 && alone.is_exact_in(arithmetic)
}
