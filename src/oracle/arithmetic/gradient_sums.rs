//! Sums over gradients as they are computed here, and how far a port's may be: of sizes (Eq. 1), with weight decay in them.

use super::{Sum, theta};
use crate::scalar::{DoubleDouble, Scalar};
use crate::trace::Arithmetic;

/// The sum of Eq. 1 over what was read so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct L1 {
    /// Of the loss gradients, as the reading masks them.
    pub(crate) of_loss: Sum,
    /// Of those with weight decay added, the sum of how far each may be off, and how many they are.
    decayed: DoubleDouble,
    error: f64,
    terms: usize,
    pub(crate) weights_unknown: bool,
    pub(crate) parameters: usize,
}

impl L1 {
    pub(crate) fn add_decayed(&mut self, size: f64, radius: f64) {
        self.decayed += DoubleDouble::from(size);
        self.error += radius;
        self.terms += 1;
    }

    /// The sum with weight decay added, and how far it may be off; `None` where our own roundings leave no bound.
    pub(crate) fn decayed(&self) -> Option<(DoubleDouble, f64)> {
        Some((self.decayed, self.error * (1.0 + own_roundings(self.terms)?)))
    }
}

/// What rounding does to a sum of `n` numbers of one sign here, in `f64`: each of them has three operations before it
/// is added, and the sum at most n.
pub(crate) fn own_roundings(n: usize) -> Option<f64> {
    theta((n as f64 + 4.0) * f64::UNIT_ROUNDOFF)
}

/// The size of a gradient with weight decay added, as computed here, and how far a port's may be from it.
///
/// The port has the gradient g within `u_in |g|` and the weight w within its radius r. It rounds the decay, the product
/// and the sum, and flushes what it flushes, so with D the exact pull, u one rounding and eta an underflow,
///
/// ```text
/// |g' + D' - (g + D)| <= A = u_in |g| + decay r (1 + u)^2 + |D| (2 u + u^2) + 3 eta
/// |fl(g' + D') - (g + D)| <= A (1 + u) + u |g + D| + eta
/// ```
///
/// Here the product and the sum are rounded to 2^-53 of themselves, twice which also covers what u makes of that. The
/// radius is a sum of positive terms of fewer than 16 operations, which 2^-48 covers.
pub(crate) fn with_decay(arithmetic: &Arithmetic, g: f64, decay: f64, (w, r): (f64, f64)) -> (f64, f64) {
    let (u, eta) = (arithmetic.u(), arithmetic.underflow());
    let pull = decay * w;
    let sum = g + pull;
    let operands =
        arithmetic.u_in * g.abs() + decay * r * (1.0 + u) * (1.0 + u) + pull.abs() * u * (2.0 + u) + 3.0 * eta;
    let port = operands * (1.0 + u) + u * sum.abs() + eta;
    let own = 4.0 * f64::UNIT_ROUNDOFF * (pull.abs() + sum.abs());
    (sum.abs(), (port + own) * (1.0 + 1.0 / (1_u64 << 48) as f64))
}
