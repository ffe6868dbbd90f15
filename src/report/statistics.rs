//! What several seeds of one experiment come to.

/// The mean of a sample, and how far its members lie from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanAndDeviation {
    pub mean: f64,
    /// The sample standard deviation: squares are divided by n - 1 (Bessel's correction), since the mean is of the
    /// same sample.
    pub deviation: f64,
}

/// The mean `m = sum x / n` and the sample standard deviation `sqrt(sum (x - m)^2 / (n - 1))`, summed in order;
/// `None` for fewer than two values, which have no deviation.
///
/// ```
/// use gdstar::report::{MeanAndDeviation, mean_and_deviation};
/// assert_eq!(mean_and_deviation(&[2.0, 4.0, 6.0]), Some(MeanAndDeviation { mean: 4.0, deviation: 2.0 }));
/// assert_eq!(mean_and_deviation(&[2.0]), None);
/// ```
pub fn mean_and_deviation(values: &[f64]) -> Option<MeanAndDeviation> {
    if values.len() < 2 {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
    Some(MeanAndDeviation { mean, deviation: (squares / (n - 1.0)).sqrt() })
}
