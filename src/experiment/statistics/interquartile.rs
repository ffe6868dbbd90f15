//! [`interquartile_mean`].

/// The mean of the middle half: of the sorted sample without the `floor(n / 4)` smallest and the `floor(n / 4)` largest
/// (a trimmed mean with a quarter cut from either end). One bad seed, or one network that everything works on, does not
/// move it, and it uses more of the sample than the median does. `None` of no values, and where one is no number.
///
/// ```
/// use gdstar::experiment::statistics::interquartile_mean;
/// // Of eight, two are cut at either end: (3 + 4 + 5 + 6) / 4.
/// assert_eq!(interquartile_mean(&[1000.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]), Some(4.5));
/// // Of three, none is.
/// assert_eq!(interquartile_mean(&[1.0, 2.0, 6.0]), Some(3.0));
/// ```
pub fn interquartile_mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() || values.iter().any(|value| value.is_nan()) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let cut = sorted.len() / 4;
    Some(super::mean(&sorted[cut..sorted.len() - cut]))
}
