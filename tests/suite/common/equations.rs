//! Bounds, generators and exact comparisons for the proofs of the paper's equations.

use gdstar::scalar::Scalar;
use proptest::prelude::*;
use std::fmt::Debug;

/// The tolerances of the equation proofs; everything else there is compared bit for bit.
pub mod bounds {
    use gdstar::scalar::Scalar;

    /// `|S_F^2 - S_sq| / S_sq`: Eq. 4 is one correctly rounded root, `S_F = sqrt(S_sq) (1 + d)` with `|d| <= u`, so
    /// `S_F^2 = S_sq (1 + 2d + d^2)`.
    pub fn squared_root<S: Scalar>() -> f64 {
        let u = S::UNIT_ROUNDOFF;
        2.0 * u + u * u
    }

    /// Relative distance of [`accumulate_squares`](gdstar::paper::gradient_norm::accumulate_squares) from Eq. 2 after
    /// n batches: a square and at most n sums round, `gamma_m = m u / (1 - m u)` with m = n + 1 (Higham, Accuracy and
    /// Stability of Numerical Algorithms, Lemma 3.1), the terms being of one sign. The comparison value itself is
    /// rounded once more, hence m = n + 2.
    pub fn accumulated<S: Scalar>(batches: usize) -> f64 {
        let mu = (batches + 2) as f64 * S::UNIT_ROUNDOFF;
        mu / (1.0 - mu)
    }

    /// Units in the last place between a formula evaluated wide and rounded once and the exact value: half from the
    /// rounding, and less than another half from the wide evaluation.
    pub const ONE_ULP: u32 = 1;

    /// Half a unit of the last digit that the paper prints with this many decimals.
    pub fn printed(decimals: i32) -> f64 {
        (0..decimals).fold(0.5, |half, _| half / 10.0)
    }
}

/// `Ok` if equal, else a message that names the case.
pub fn same<T: PartialEq + Debug>(case: &str, got: T, expected: T) -> Result<(), String> {
    if got == expected { Ok(()) } else { Err(format!("{case}: got {got:?}, expected {expected:?}")) }
}

/// Equal to the last bit, the sign of zero included.
pub fn same_bits(case: &str, got: f64, expected: f64) -> Result<(), String> {
    if got.to_bits() == expected.to_bits() {
        Ok(())
    } else {
        Err(format!(
            "{case}: got {got:e} ({:016x}), expected {expected:e} ({:016x})",
            got.to_bits(),
            expected.to_bits()
        ))
    }
}

/// Within so many units in the last place of an `f32`; -0 and +0 are neighbours of the same numbers.
pub fn within_ulps(got: f32, expected: f32, ulps: u32) -> bool {
    let (mut low, mut high) = (expected, expected);
    for _ in 0..ulps {
        (low, high) = (low.next_down(), high.next_up());
    }
    low <= got && got <= high
}

/// The values in another number system.
pub fn cast<S: Scalar>(values: &[f64]) -> Vec<S> {
    values.iter().map(|&x| S::from_f64(x)).collect()
}

/// A finite `f64` of any size and sign, with many exact repeats, zeros of both signs and subnormals among them.
pub fn finite() -> impl Strategy<Value = f64> {
    use prop::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    prop_oneof![
        3 => (-4i8..=4).prop_map(f64::from),
        1 => Just(-0.0),
        1 => Just(f64::MAX),
        1 => Just(-f64::MAX),
        4 => POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO,
    ]
}

/// An accumulated squared gradient that is exact in `f32`: zeros, repeats, and sizes from 2^-30 to 2^30.
pub fn accumulated() -> impl Strategy<Value = f64> {
    prop_oneof![
        2 => Just(0.0),
        3 => (0u8..6).prop_map(f64::from),
        4 => moderate().prop_map(f64::abs),
    ]
}

/// A number of either sign that is exact in `f32`, of size 2^-30 to 2^30, so that its square, and either of them
/// scaled by up to 2^20, is a normal number in `f32`.
pub fn moderate() -> impl Strategy<Value = f64> {
    (1u32 << 23..1 << 24, -30i32..30, any::<bool>()).prop_map(|(significand, exponent, negative)| {
        let size = f64::from(significand) / f64::from(1 << 23) * two_to(exponent);
        if negative { -size } else { size }
    })
}

/// 2^e, exactly, for |e| up to 1000.
pub fn two_to(e: i32) -> f64 {
    (0..e.abs()).fold(1.0, |power, _| if e > 0 { power * 2.0 } else { power / 2.0 })
}

/// A prune rate in [0, 1], the ends and coarse fractions (whole ranks, exact ties) among them.
pub fn rate() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(1.0), (0u8..=8).prop_map(|eighths| f64::from(eighths) / 8.0), 0.0..=1.0f64]
}
