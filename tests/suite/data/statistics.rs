//! Sums, counts, means and deviations of images.

use gdstar::data::{Dataset, Images};

/// (mean, standard deviation) of `pixel / scale` per channel; the population's deviation, with divisor N.
pub fn mean_and_std(images: &Images, scale: f64) -> Vec<(f64, f64)> {
    let [channels, height, width] = images.shape;
    let mut sums = vec![(0_u64, 0_u64); channels];
    for (i, plane) in images.pixels.chunks_exact(height * width).enumerate() {
        let (sum, squares) = &mut sums[i % channels];
        *sum += plane.iter().map(|&pixel| u64::from(pixel)).sum::<u64>();
        *squares += plane.iter().map(|&pixel| u64::from(pixel).pow(2)).sum::<u64>();
    }
    let count = u128::from((images.len() * height * width) as u64);
    let moments = |(sum, squares): (u64, u64)| {
        // N^2 var = N sum(p^2) - (sum p)^2, an exact integer.
        let variance = count * u128::from(squares) - u128::from(sum).pow(2);
        (sum as f64 / count as f64 / scale, (variance as f64).sqrt() / count as f64 / scale)
    };
    sums.into_iter().map(moments).collect()
}

/// Every channel's constants are the training split's own, within `tolerance`.
pub fn assert_normalisation(data: &Dataset, tolerance: f64) {
    let normalisation = &data.normalisation;
    let computed = mean_and_std(&data.train, normalisation.scale);
    assert_eq!((computed.len(), computed.len()), (normalisation.mean.len(), normalisation.std.len()));
    for (channel, (mean, std)) in computed.into_iter().enumerate() {
        let [off_mean, off_std] = [mean - normalisation.mean[channel], std - normalisation.std[channel]].map(f64::abs);
        assert!(off_mean <= tolerance, "{} channel {channel}: mean {mean}", data.name);
        assert!(off_std <= tolerance, "{} channel {channel}: standard deviation {std}", data.name);
    }
}

/// How many samples each of ten classes has.
pub fn histogram(images: &Images) -> [usize; 10] {
    let mut counts = [0; 10];
    images.labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
    counts
}

/// The sum of all pixels.
pub fn sum(images: &Images) -> u64 {
    images.pixels.iter().map(|&pixel| u64::from(pixel)).sum()
}
