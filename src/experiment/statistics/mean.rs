//! Mean and deviation of a sample, and Student's interval.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// The mean of a sample, how far its members lie from it, and how far it may lie from the mean of all seeds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanAndDeviation {
    /// n.
    pub count: usize,
    pub mean: f64,
    /// The sample standard deviation: squares are divided by n - 1 (Bessel's correction), since the mean is of the
    /// same sample.
    pub deviation: f64,
}

/// `sum x / n`, summed in order; NaN of no values.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The mean `m = sum x / n` and the sample standard deviation `sqrt(sum (x - m)^2 / (n - 1))`, summed in order;
/// `None` for fewer than two values, which have no deviation.
///
/// ```
/// use gdstar::experiment::statistics::{MeanAndDeviation, mean_and_deviation};
/// let three = MeanAndDeviation { count: 3, mean: 4.0, deviation: 2.0 };
/// assert_eq!(mean_and_deviation(&[2.0, 4.0, 6.0]), Some(three));
/// assert_eq!(mean_and_deviation(&[2.0]), None);
/// ```
pub fn mean_and_deviation(values: &[f64]) -> Option<MeanAndDeviation> {
    if values.len() < 2 {
        return None;
    }
    let (n, mean) = (values.len() as f64, mean(values));
    let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
    Some(MeanAndDeviation { count: values.len(), mean, deviation: (squares / (n - 1.0)).sqrt() })
}

impl MeanAndDeviation {
    /// The same of values that are each `factor` times as large, a positive number.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Self { mean: factor * self.mean, deviation: factor * self.deviation, ..self }
    }

    /// Student's interval for the mean of all seeds: it covers it with this probability, in (0, 1), where values are
    /// spread normally. Its half-width is `t s / sqrt(n)`, t the quantile of Student's distribution with n - 1 degrees
    /// of freedom.
    ///
    /// ```
    /// let [low, high] = gdstar::experiment::statistics::mean_and_deviation(&[2.0, 4.0, 6.0]).unwrap().interval(0.95);
    /// // t = 4.302653 for two degrees of freedom, in any table; 4.302653 * 2 / sqrt(3) = 4.968276
    /// assert_eq!(format!("{low:.4} {high:.4}"), "-0.9683 8.9683");
    /// ```
    pub fn interval(&self, probability: f64) -> [f64; 2] {
        let quantile = StudentsT::new(0.0, 1.0, (self.count - 1) as f64)
            .map_or(f64::NAN, |student| student.inverse_cdf((1.0 + probability) / 2.0));
        let half = quantile * self.deviation / (self.count as f64).sqrt();
        [self.mean - half, self.mean + half]
    }
}
