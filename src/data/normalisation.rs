//! From pixels to what a network sees.

use crate::scalar::Scalar;

/// Per-channel standardisation: `x = (pixel / scale - mean_c) / std_c`.
#[derive(Debug, Clone, PartialEq)]
pub struct Normalisation {
    /// The pixel value that maps to 1: 255, or 16 for the embedded digits.
    pub scale: f64,
    /// The mean of `pixel / scale` over the training set, one per channel.
    pub mean: Vec<f64>,
    /// Its standard deviation (of the population, divisor N), one per channel.
    pub std: Vec<f64>,
}

impl Normalisation {
    /// The normalised value of each of the 256 pixel values, one table per channel.
    ///
    /// The three operations are done in f64, in the order written in [`Normalisation`], and the result is rounded
    /// once to `S`. (torchvision does each in f32, so its inputs may differ in the last bits.)
    #[must_use]
    pub fn tables<S: Scalar>(&self) -> Vec<[S; 256]> {
        let table = |mean: f64, std: f64| {
            std::array::from_fn(|pixel| S::from_f64((pixel as f64 / self.scale - mean) / std)) // pixel <= 255: exact
        };
        self.mean.iter().zip(&self.std).map(|(&mean, &std)| table(mean, std)).collect()
    }
}
