//! From pixels to what a network sees.

use super::Images;
use crate::kernel::share;
use crate::scalar::Scalar;
use serde::{Deserialize, Serialize};

/// Per-channel standardisation: `x = (pixel / scale - mean_c) / std_c`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalisation {
    /// The pixel value that maps to 1: 255, or 16 for the embedded digits.
    pub scale: f64,
    /// The mean of `pixel / scale` over the training set, one per channel.
    pub mean: Vec<f64>,
    /// Its standard deviation (of the population, divisor N), one per channel.
    pub std: Vec<f64>,
}

impl Normalisation {
    /// The normalisation by the mean and standard deviation of `images` themselves.
    ///
    /// With n pixels p of a channel, the sums of p and of p^2 are exact integers, so neither order nor number of
    /// threads matters. From them `mean = sum p / n / scale` and `std = sqrt(n sum p^2 - (sum p)^2) / n / scale`, where
    /// the radicand is an exact integer too: nothing cancels, and each is within a few roundings of f64.
    ///
    /// A channel of one value only has deviation 0, by which nothing can be divided. It says nothing about an image;
    /// its divisor is 1, so that it is 0 in training images and keeps its difference from that in others.
    #[must_use]
    pub fn of(images: &Images, scale: f64) -> Self {
        let [_, height, width] = images.shape;
        let n = (images.len() * height * width) as u128;
        let (mut mean, mut std) = (Vec::new(), Vec::new());
        for (sum, squares) in sums(images) {
            let n_squared_variance = n * squares - sum * sum;
            mean.push(sum as f64 / n as f64 / scale);
            std.push(if n_squared_variance == 0 { 1.0 } else { (n_squared_variance as f64).sqrt() / n as f64 / scale });
        }
        Self { scale, mean, std }
    }

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

/// The sums of p and of p^2 over the pixels p of each channel.
fn sums(images: &Images) -> Vec<(u128, u128)> {
    let [channels, height, width] = images.shape;
    let of_channel = |channel: usize| {
        let of_images = share::map(images.len(), images.len() * height * width, |i| {
            let plane = &images.image(i)[channel * height * width..][..height * width];
            let (sum, squares) =
                plane.iter().map(|&p| u64::from(p)).fold((0, 0), |(sum, squares), p| (sum + p, squares + p * p));
            (u128::from(sum), u128::from(squares))
        });
        of_images.into_iter().fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1))
    };
    (0..channels).map(of_channel).collect()
}
