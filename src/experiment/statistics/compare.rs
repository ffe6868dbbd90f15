//! [`compare`]: whether differences are differences.

use super::{CONFIDENCE, interquartile_mean, mean, mean_and_deviation, stratified_interval};

/// So many seeds or fewer are too few to call anything a difference: the bootstrap's interval is then the sample's own
/// range, which misses the median of all seeds in a quarter of all cases (three fall on one side of it with probability
/// 2 / 2^3), and Student's, `4.3 s / sqrt(3)` to either side, is right only if the values are spread normally.
pub const FEW: usize = 3;

/// The bootstrap's seed: the same samples have the same interval wherever they are shown.
const SEED: u64 = 0;

/// What may be said of two experiments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: there are no more than [`FEW`] seeds, or a stratum with fewer.
    TooFew,
    /// An interval has 0 in it: the seeds do not tell them apart.
    NotTold,
    Higher,
    Lower,
}

impl Verdict {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::TooFew => "too few seeds to tell",
            Self::NotTold => "not told apart",
            Self::Higher => "higher",
            Self::Lower => "lower",
        }
    }

    /// Whether it is called a difference.
    pub fn is_difference(self) -> bool {
        matches!(self, Self::Higher | Self::Lower)
    }

    /// By intervals that must all leave 0 out, on the same side.
    fn by(intervals: &[[f64; 2]]) -> Self {
        if intervals.iter().all(|[low, _]| *low > 0.0) {
            Self::Higher
        } else if intervals.iter().all(|[_, high]| *high < 0.0) {
            Self::Lower
        } else {
            Self::NotTold
        }
    }
}

/// What differences come to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// How many differences there are, over all strata.
    pub count: usize,
    /// Their mean; over strata, their interquartile mean.
    pub centre: f64,
    /// The bootstrap's interval for it.
    pub interval: [f64; 2],
    pub verdict: Verdict,
}

/// Differences, one a seed: of two experiments, the one less the other at the same seed; of one and a number that was
/// printed, each of its values less that number. The mean, its bootstrap interval, and a verdict: a difference only
/// where this interval and Student's both leave 0 out. (Of few seeds the bootstrap's is too narrow, and Student's supposes
/// that values are spread normally.) `None` of no differences, and where one is not finite.
///
/// ```
/// use gdstar::experiment::statistics::{Verdict, compare};
/// let all_better = compare(&[1.0, 1.2, 0.8, 1.1, 0.9]).unwrap();
/// assert_eq!((all_better.centre, all_better.verdict), (1.0, Verdict::Higher));
/// assert_eq!(compare(&[1.0, -1.2, 0.8, -1.1, 0.9]).unwrap().verdict, Verdict::NotTold);
/// assert_eq!(compare(&[1.0, 1.2, 0.8]).unwrap().verdict, Verdict::TooFew);
/// ```
pub fn compare(differences: &[f64]) -> Option<Comparison> {
    let interval = stratified_interval(&[differences], mean, SEED)?;
    let verdict = match mean_and_deviation(differences) {
        Some(over) if over.count > FEW => Verdict::by(&[interval, over.interval(CONFIDENCE)]),
        _ => Verdict::TooFew,
    };
    Some(Comparison { count: differences.len(), centre: mean(differences), interval, verdict })
}

/// The same over several networks or settings, a stratum each: the interquartile mean of all differences, its stratified
/// bootstrap interval, and the verdict by that interval, where every stratum has at least [`FEW`] seeds. Strata must be
/// independent: no run may be in two of them.
///
/// ```
/// use gdstar::experiment::statistics::{Verdict, compare_strata};
/// let both = compare_strata(&[vec![1.0, 2.0, 3.0], vec![2.0, 3.0, 4.0]]).unwrap();
/// // 1 and 4 are cut: (2 + 2 + 3 + 3) / 4
/// assert_eq!((both.count, both.centre, both.verdict), (6, 2.5, Verdict::Higher));
/// // Of a stratum with two seeds nobody knows the spread.
/// assert_eq!(compare_strata(&[vec![1.0, 2.0, 3.0], vec![2.0, 2.0]]).unwrap().verdict, Verdict::TooFew);
/// ```
pub fn compare_strata(strata: &[Vec<f64>]) -> Option<Comparison> {
    let parts: Vec<&[f64]> = strata.iter().map(Vec::as_slice).collect();
    let all = strata.concat();
    let centre = interquartile_mean(&all)?;
    let interval = stratified_interval(&parts, |drawn| interquartile_mean(drawn).unwrap_or(f64::NAN), SEED)?;
    let enough = all.len() > FEW && strata.iter().all(|stratum| stratum.len() >= FEW);
    let verdict = if enough { Verdict::by(&[interval]) } else { Verdict::TooFew };
    Some(Comparison { count: all.len(), centre, interval, verdict })
}
