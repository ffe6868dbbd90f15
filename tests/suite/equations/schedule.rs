//! Eq. 8.

use crate::common::equations::{bounds, same_bits};
use gdstar::paper::Hyperparameters;
use gdstar::paper::reading::EpochOrigin;
use gdstar::paper::schedule::prune_rate;

/// Section 4's schedule at its printed points, and quarters that are exact in binary.
pub fn check_eq8(alpha: impl Fn(usize, usize, f64, f64) -> f64) -> Result<(), String> {
    for (k, expected) in [(0, 0.95), (150, 0.60), (300, 0.25)] {
        same_bits(&format!("alpha_{k} of section 4"), alpha(k, 300, 0.95, 0.25), expected)?;
    }
    same_bits("decreasing, a quarter", alpha(1, 4, 1.0, 0.5), 0.875)?;
    same_bits("decreasing, three quarters", alpha(3, 4, 1.0, 0.5), 0.625)?;
    same_bits("increasing", alpha(1, 2, 0.25, 0.75), 0.5)?;
    same_bits("constant", alpha(2, 3, 0.55, 0.55), 0.55)
}

#[test]
fn eq8_gives_the_papers_rates() {
    check_eq8(|k, epochs, alpha_0, alpha_end| prune_rate(k, epochs, alpha_0, alpha_end).unwrap()).unwrap();
}

#[test]
fn eq8_the_first_rate_is_alpha_0_from_epoch_0_and_0_9477_from_epoch_1() {
    let Hyperparameters { epochs, alpha_0, alpha_end, .. } = Hyperparameters::default();
    let first = |origin: EpochOrigin| prune_rate(origin.first(), epochs, alpha_0, alpha_end).unwrap();
    assert_eq!(first(EpochOrigin::Zero), 0.95);
    assert!((first(EpochOrigin::One) - 0.9477).abs() <= bounds::printed(4));
}

#[test]
fn eq8_rejects_no_epochs_epochs_past_the_end_and_rates_outside_0_to_1() {
    assert!(prune_rate(0, 0, 0.9, 0.5).is_err());
    assert!(prune_rate(5, 4, 0.9, 0.5).is_err());
    for wrong in [-0.1, 1.1, f64::NAN] {
        assert!(prune_rate(0, 4, wrong, 0.5).is_err(), "alpha_0 = {wrong}");
        assert!(prune_rate(0, 4, 0.5, wrong).is_err(), "alpha_K = {wrong}");
    }
}
