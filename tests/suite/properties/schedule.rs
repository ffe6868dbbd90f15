//! Eq. 8.

use crate::common::equations::{bounds, within_ulps};
use gdstar::paper::schedule::prune_rate;
use gdstar::scalar::{DoubleDouble, Scalar};
use proptest::prelude::*;

proptest! {
    #[test]
    fn the_schedule_starts_at_alpha_0_ends_at_alpha_k_and_never_turns_back(
        epochs in 1usize..400,
        (alpha_0, alpha_end) in (0.0..=1.0f64, 0.0..=1.0f64),
    ) {
        let rates: Vec<f64> = (0..=epochs).map(|k| prune_rate(k, epochs, alpha_0, alpha_end).unwrap()).collect();
        prop_assert_eq!((rates[0], rates[epochs]), (alpha_0, alpha_end));
        let falls = rates.is_sorted_by(|a, b| a >= b);
        prop_assert!((alpha_end <= alpha_0 && falls) || (alpha_end > alpha_0 && rates.is_sorted()));
    }

    #[test]
    fn the_rate_is_within_one_ulp_of_the_exact_value(
        (k, more) in (0usize..1000, 1usize..1000),
        (alpha_0, alpha_end) in (0.0f32..=1.0, 0.0f32..=1.0),
    ) {
        let epochs = k + more;
        let exact = |a: f64, b: f64| prune_rate(k, epochs, DoubleDouble::from(a), DoubleDouble::from(b)).unwrap();
        let (a, b) = (f64::from(alpha_0), f64::from(alpha_end));
        let narrow = prune_rate(k, epochs, alpha_0, alpha_end).unwrap();
        prop_assert!(within_ulps(narrow, exact(a, b).to_f64() as f32, bounds::ONE_ULP));
        prop_assert_eq!(prune_rate(k, epochs, a, b).unwrap(), exact(a, b).to_f64());
    }
}
