//! Eq. 5 and Alg. 5.

use crate::common::equations::{accumulated, cast, rate, two_to};
use gdstar::paper::quantile::{Rank, chunk_quantiles, mean_of_quantiles};
use gdstar::paper::reading::{Chunking, MaskedGradient, QuantileRule, Reading};
use gdstar::paper::selection::{below_threshold, select_weights};
use gdstar::scalar::Scalar;
use proptest::prelude::*;
use proptest::sample::select;

fn reading() -> impl Strategy<Value = Reading> {
    (select(MaskedGradient::ALL), select(QuantileRule::ALL), select(Chunking::ALL)).prop_map(
        |(masked_gradient, quantile, chunking)| Reading { masked_gradient, quantile, chunking, ..Reading::default() },
    )
}

/// G with its mask, and C from 1 to N.
fn weights() -> impl Strategy<Value = (Vec<f64>, Vec<bool>, usize)> {
    prop::collection::vec((accumulated(), any::<bool>()), 1..60).prop_flat_map(|weights| {
        let (g, mask): (Vec<f64>, Vec<bool>) = weights.into_iter().unzip();
        let n = g.len();
        (Just(g), Just(mask), 1..=n)
    })
}

proptest! {
    #[test]
    fn exactly_the_strict_less_set_is_selected((g, mask, chunks) in weights(), alpha in rate(), reading in reading()) {
        let selection = select_weights(&g, &mask, alpha, chunks, &reading).unwrap();
        for ((&g, &alive), &selected) in g.iter().zip(&mask).zip(&selection.selected) {
            let expected = match reading.masked_gradient {
                MaskedGradient::Dense => g < selection.tau,
                MaskedGradient::Zero => (if alive { g } else { 0.0 }) < selection.tau,
                MaskedGradient::Excluded => alive && g < selection.tau,
            };
            prop_assert_eq!(selected, expected);
        }
        prop_assert_eq!(selection.count(), selection.selected.iter().filter(|&&s| s).count());
    }

    #[test]
    fn eq5_selects_nothing_that_equals_the_threshold(
        g in prop::collection::vec(accumulated(), 1..60),
        at in any::<prop::sample::Index>(),
    ) {
        let tau = *at.get(&g);
        let selected = below_threshold(&g, tau);
        prop_assert!(g.iter().zip(selected).all(|(&g, selected)| selected == (g < tau) && !(selected && g == tau)));
    }

    #[test]
    fn tau_is_the_mean_of_the_chunk_quantiles_of_the_set(
        (g, mask, chunks) in weights(),
        alpha in rate(),
        reading in reading(),
    ) {
        let set: Vec<f64> = g.iter().zip(&mask).filter_map(|(&g, &alive)| match reading.masked_gradient {
            MaskedGradient::Dense => Some(g),
            MaskedGradient::Zero => Some(if alive { g } else { 0.0 }),
            MaskedGradient::Excluded => alive.then_some(g),
        }).collect();
        let selection = select_weights(&g, &mask, alpha, chunks, &reading).unwrap();
        if set.is_empty() {
            prop_assert_eq!((selection.tau, selection.count()), (0.0, 0));
        } else {
            let chunks = chunks.min(set.len());
            let expected = chunk_quantiles(&set, alpha, chunks, reading.chunking, reading.quantile).unwrap();
            prop_assert_eq!(selection.tau, mean_of_quantiles(&expected).unwrap());
            prop_assert_eq!(selection.chunk_quantiles, expected);
        }
    }

    #[test]
    fn one_chunk_selects_at_most_the_rank_rounded_up(
        g in prop::collection::vec(accumulated(), 1..60),
        alpha in rate(),
        reading in reading(),
    ) {
        let rank = Rank::new(alpha, g.len()).unwrap();
        let at_most = rank.floor() + usize::from(rank.fraction_as::<f64>() > 0.0);
        let selection = select_weights(&g, &vec![true; g.len()], alpha, 1, &reading).unwrap();
        prop_assert!(selection.count() <= at_most);
    }

    #[test]
    fn at_alpha_0_one_chunk_selects_nothing_and_at_1_all_but_the_largest(
        g in prop::collection::vec(accumulated(), 1..60),
        reading in reading(),
    ) {
        let count = |alpha: f64| select_weights(&g, &vec![true; g.len()], alpha, 1, &reading).unwrap().count();
        let largest = g.iter().copied().fold(0.0, f64::max);
        prop_assert_eq!(count(0.0), 0);
        prop_assert_eq!(count(1.0), g.iter().filter(|&&g| g < largest).count());
    }

    #[test]
    fn scaling_the_gradients_by_a_power_of_two_selects_the_same_weights(
        (g, mask, chunks) in weights(),
        alpha in rate(),
        reading in reading(),
        e in -15i32..=15,
    ) {
        fn selected<S: Scalar>(g: &[f64], mask: &[bool], alpha: f64, chunks: usize, reading: &Reading) -> Vec<bool> {
            select_weights(&cast::<S>(g), mask, alpha, chunks, reading).unwrap().selected
        }
        let scaled: Vec<f64> = g.iter().map(|g| g * two_to(e)).collect();
        let run = |g: &[f64]| {
            (selected::<f32>(g, &mask, alpha, chunks, &reading), selected::<f64>(g, &mask, alpha, chunks, &reading))
        };
        prop_assert_eq!(run(&g), run(&scaled));
    }
}
