//! The tolerances of the proofs, each with its derivation. Nothing else states one.
//!
//! Notation: u is a number system's unit roundoff; a sum `sum_l a_l b_l` of n products has the magnitude
//! `(|A||B|) = sum_l |a_l||b_l|`. The model is `fl(x op y) = (x op y)(1 + d)`, |d| <= u, which holds while nothing
//! underflows or overflows: the proofs draw their values so that nothing does. See Higham, "Accuracy and Stability
//! of Numerical Algorithms", 2nd ed., sections 3.1 and 3.5.

use gdstar::scalar::{DoubleDouble, Scalar};

/// `n u / (1 - n u)`: bounds `|(1 + d_1) .. (1 + d_n) - 1|` for |d_i| <= u (Higham, Lemma 3.1).
pub fn gamma(n: usize, u: f64) -> f64 {
    let nu = n as f64 * u;
    assert!(nu < 1.0, "gamma is defined for n u < 1");
    nu / (1.0 - nu)
}

/// A sum of n products formed in `S`, in any order, with or without fused multiply-add: `gamma_n(u) (|A||B|)`.
///
/// Whatever the tree of additions, a product passes through at most n - 1 of them and is itself rounded at most
/// once: n factors (1 + d). A fused step leaves one of them out. Starting from +0 adds an exact addition. A bias is
/// one product more, with the factor 1.
pub fn fast_sum<S: Scalar>(n: usize) -> f64 {
    gamma(n, S::UNIT_ROUNDOFF)
}

/// The same sum formed in the accumulator and rounded once to `S`: `(gamma_n(u_acc) + u (1 + gamma_n(u_acc))) (|A||B|)`.
///
/// The accumulated sum s is within `gamma_n(u_acc) (|A||B|)` of the truth, by the argument above, so |s| is at most
/// `(1 + gamma_n(u_acc)) (|A||B|)`, and rounding it adds at most u |s|.
pub fn literal_sum<S: Scalar>(n: usize) -> f64 {
    let accumulated = gamma(n, S::Accumulator::UNIT_ROUNDOFF);
    accumulated + S::UNIT_ROUNDOFF * (1.0 + accumulated)
}

/// What a comparison with [`DoubleDouble`]'s result adds: the reference's own error, as any sum's.
pub fn reference_sum(n: usize) -> f64 {
    gamma(n, DoubleDouble::UNIT_ROUNDOFF)
}

/// The tolerance of a comparison that is itself made in finite precision: `bound * magnitude`, enlarged for its own
/// roundings. `bound` (gamma in up to six `f64` operations, the sum of two such) and the product with a magnitude
/// rounded from [`DoubleDouble`] make fewer than sixteen roundings.
pub fn tolerance(bound: f64, magnitude: f64) -> f64 {
    bound * magnitude * (1.0 + gamma(16, f64::UNIT_ROUNDOFF))
}
