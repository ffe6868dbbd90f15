//! The cosine annealing schedule (Loshchilov & Hutter 2017), as PyTorch's `CosineAnnealingLR` with `eta_min = 0`.

use crate::scalar::{DoubleDouble, Scalar};

/// `base / 2 * (1 + cos(pi * step / total))`; the cosine is the `libm` crate's, the same bits on every platform.
///
/// ```
/// use gdstar::train::cosine_learning_rate;
/// assert_eq!(cosine_learning_rate(0.05, 0, 300), 0.05);
/// assert!((cosine_learning_rate(0.05, 150, 300) - 0.025).abs() < f64::EPSILON);
/// assert_eq!(cosine_learning_rate(0.05, 300, 300), 0.0);
/// ```
pub fn cosine_learning_rate(base: f64, step: usize, total: usize) -> f64 {
    if step == 0 {
        return base;
    }
    let angle = std::f64::consts::PI * (step as f64 / total.max(1) as f64);
    0.5 * base * (1.0 + libm::cos(angle))
}

/// What `FRAC_PI_2` leaves of pi/2.
const HALF_PI_REST: f64 = 6.123233995736766e-17;

/// [`cosine_learning_rate`] to about 31 digits, for `step <= total`: the rate that a replay's weights are stepped by.
///
/// `(1 + cos 2a) / 2 = cos^2 a`, and with `a = pi/2 - b` that is `sin^2 b`, `b = (pi/2) (total - step) / total`: no
/// cancellation, even at the schedule's end. The sine's Taylor series on [0, pi/2] has a first term left out of
/// `b^37 / 37! < 2^-119`, and `sin b >= 2b/pi`.
///
/// ```
/// use gdstar::train::exact_cosine_learning_rate;
/// assert_eq!(exact_cosine_learning_rate(0.05, 0, 300).hi(), 0.05);
/// assert_eq!(exact_cosine_learning_rate(0.05, 150, 300).hi(), 0.025);
/// assert_eq!(exact_cosine_learning_rate(0.05, 200, 300).hi(), 0.0125); // cos 120 degrees = -1/2
/// ```
pub fn exact_cosine_learning_rate(base: f64, step: usize, total: usize) -> DoubleDouble {
    if step == 0 {
        return DoubleDouble::from(base);
    }
    let left = DoubleDouble::from_usize(total.saturating_sub(step)) / DoubleDouble::from_usize(total.max(1));
    let half_pi = DoubleDouble::from_sum(std::f64::consts::FRAC_PI_2, HALF_PI_REST);
    let b = half_pi * left;
    let square = b * b;
    // b - b^3/3! + b^5/5! - .., from the smallest term.
    let series = (1..=17).rev().fold(DoubleDouble::ONE, |series, n: usize| {
        DoubleDouble::ONE - square * series / DoubleDouble::from_usize(2 * n * (2 * n + 1))
    });
    let sine = b * series;
    DoubleDouble::from(base) * sine * sine
}
