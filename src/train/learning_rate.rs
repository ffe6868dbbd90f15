//! The cosine annealing schedule (Loshchilov & Hutter 2017), as PyTorch's `CosineAnnealingLR` with `eta_min = 0`.

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
