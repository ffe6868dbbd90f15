//! [`stratified_interval`]: the percentile bootstrap.

use super::CONFIDENCE;
use crate::paper::quantile::quantile_sorted;
use crate::paper::reading::QuantileRule;
use crate::random::{Purpose, stream, uniform};

/// How many resamples an interval is read from. The share of all resamples beyond one of its ends, 2.5 %, is then known to
/// 0.16 % (the deviation of a share p of n draws, `sqrt(p (1 - p) / n)`).
pub const RESAMPLES: usize = 10_000;

/// The 95 % interval of a statistic by the percentile bootstrap (B. Efron, 1979), stratified: each of [`RESAMPLES`]
/// resamples draws from every stratum (the seeds of one network) as many members as it has, each with the same
/// probability, again and again; the statistic is taken of all that were drawn together. The interval's ends are the 2.5 %
/// and the 97.5 % quantile of these, between two of which they are on the line.
///
/// Draws are those of [`stream`] with this seed and [`Purpose::Resampling`], resample by resample, in the order of strata.
/// `None` where there is nothing to draw from, and where a statistic is not finite.
///
/// ```
/// use gdstar::experiment::statistics::{mean, stratified_interval};
/// // Of 27 resamples of three values one has the smallest only: 3.7 %, more than 2.5. So the interval is the whole range.
/// assert_eq!(stratified_interval(&[&[1.0, 2.0, 6.0]], mean, 0), Some([1.0, 6.0]));
/// // A stratum of one value is the same in each resample.
/// assert_eq!(stratified_interval(&[&[2.0], &[4.0]], mean, 0), Some([3.0, 3.0]));
/// ```
pub fn stratified_interval(strata: &[&[f64]], statistic: impl Fn(&[f64]) -> f64, seed: u64) -> Option<[f64; 2]> {
    let mut rng = stream(seed, Purpose::Resampling, 0);
    let mut drawn = Vec::with_capacity(strata.iter().map(|stratum| stratum.len()).sum());
    let statistics: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            drawn.clear();
            for stratum in strata {
                drawn.extend(stratum.iter().map(|_| stratum[uniform(&mut rng, stratum.len() as u64) as usize]));
            }
            statistic(&drawn)
        })
        .collect();
    let end = |alpha: f64| quantile_sorted(&statistics, alpha, QuantileRule::Linear).ok();
    Some([end((1.0 - CONFIDENCE) / 2.0)?, end((1.0 + CONFIDENCE) / 2.0)?])
}
