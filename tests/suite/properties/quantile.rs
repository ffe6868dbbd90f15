//! Eq. 6, 7 and the quantile itself.

use crate::common::equations::{accumulated, bounds, cast, finite, rate, two_to, within_ulps};
use crate::common::threads::is_invariant;
use gdstar::paper::quantile::*;
use gdstar::paper::reading::{Chunking, QuantileRule};
use gdstar::scalar::{DoubleDouble, Scalar};
use proptest::prelude::*;
use proptest::sample::select;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn rule() -> impl Strategy<Value = QuantileRule> {
    select(QuantileRule::ALL)
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(finite(), 1..60)
}

/// More values than one unit of parallel work, drawn from a few: many ties where the few are few, and in an order that
/// a sample may misjudge.
fn many_values() -> impl Strategy<Value = Vec<f64>> {
    (prop::collection::vec(finite(), 1..300), 4_097usize..20_000, any::<u64>(), 0..4).prop_map(
        |(few, n, seed, order)| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            // The square of a uniform number: the first of the few come often, the last seldom.
            let mut draw = || few[(random.random::<f64>().powi(2) * few.len() as f64) as usize];
            let mut values: Vec<f64> = (0..n).map(|_| draw()).collect();
            match order {
                0 => {}
                1 => values.sort_by(f64::total_cmp),
                2 => values.sort_by(|a, b| b.total_cmp(a)),
                _ => values[n / 3..].sort_by(f64::total_cmp),
            }
            values
        },
    )
}

/// Both forms in one number system, to the last bit.
fn forms_agree<S: Scalar>(values: &[f64], alpha: f64, rule: QuantileRule) -> bool {
    // A value beyond f32's range is left out rather than infinite.
    let values: Vec<S> = cast::<S>(values).into_iter().filter(|x| x.is_finite()).collect();
    let bits = |x: S| x.to_f64().to_bits();
    match (quantile_sorted(&values, alpha, rule), quantile_selected(&values, alpha, rule)) {
        (Ok(sorted), Ok(selected)) => bits(sorted) == bits(selected),
        (Err(_), Err(_)) => values.is_empty(),
        _ => false,
    }
}

proptest! {
    #[test]
    fn selection_gives_the_bits_of_the_sort(values in values(), alpha in rate(), rule in rule()) {
        prop_assert!(forms_agree::<f32>(&values, alpha, rule));
        prop_assert!(forms_agree::<f64>(&values, alpha, rule));
        prop_assert!(forms_agree::<DoubleDouble>(&values, alpha, rule));
    }

    #[test]
    fn selection_among_many_values_gives_the_bits_of_the_sort(
        values in many_values(),
        alpha in rate(),
        rule in rule(),
    ) {
        prop_assert!(forms_agree::<f32>(&values, alpha, rule));
        prop_assert!(forms_agree::<f64>(&values, alpha, rule));
    }

    #[test]
    fn the_quantile_does_not_decrease_with_alpha(values in values(), (a, b) in (rate(), rate()), rule in rule()) {
        let (lower, higher) = (a.min(b), a.max(b));
        prop_assert!(quantile_sorted(&values, lower, rule).unwrap() <= quantile_sorted(&values, higher, rule).unwrap());
    }

    #[test]
    fn the_quantile_does_not_decrease_from_one_alpha_to_the_next(values in values(), alpha in 0.0..1.0f64) {
        let at = |alpha: f64| quantile_sorted(&values, alpha, QuantileRule::Linear).unwrap();
        prop_assert!(at(alpha) <= at(alpha.next_up()));
        let narrow: Vec<f32> = cast::<f32>(&values).into_iter().filter(|x| x.is_finite()).collect();
        prop_assume!(!narrow.is_empty());
        let at = |alpha: f64| quantile_sorted(&narrow, alpha, QuantileRule::Linear).unwrap();
        prop_assert!(at(alpha) <= at(alpha.next_up()));
    }

    #[test]
    fn the_quantile_does_not_depend_on_the_order_of_its_values(
        (values, shuffled) in values().prop_flat_map(|v| (Just(v.clone()), Just(v).prop_shuffle())),
        alpha in rate(),
        rule in rule(),
    ) {
        let at = |values: &[f64]| quantile_sorted(values, alpha, rule).unwrap().to_bits();
        prop_assert_eq!(at(&values), at(&shuffled));
    }

    #[test]
    fn the_quantile_is_the_smallest_value_at_0_and_the_largest_at_1(values in values(), rule in rule()) {
        let extreme = |ends: fn(f64, f64) -> f64| values.iter().copied().reduce(ends).unwrap();
        prop_assert_eq!(quantile_selected(&values, 0.0, rule).unwrap(), extreme(f64::min));
        prop_assert_eq!(quantile_selected(&values, 1.0, rule).unwrap(), extreme(f64::max));
    }

    #[test]
    fn the_quantile_lies_between_its_neighbours_in_rank(values in values(), alpha in rate(), rule in rule()) {
        let at = |rule| quantile_sorted(&values, alpha, rule).unwrap();
        let value = at(rule);
        prop_assert!(at(QuantileRule::Lower) <= value && value <= at(QuantileRule::Higher));
    }

    #[test]
    fn the_quantile_is_within_one_ulp_of_the_exact_value(
        g in prop::collection::vec(accumulated(), 1..60),
        alpha in rate(),
        rule in rule(),
    ) {
        let exact = quantile_sorted(&cast::<DoubleDouble>(&g), alpha, rule).unwrap().to_f64();
        let narrow = quantile_sorted(&cast::<f32>(&g), alpha, rule).unwrap();
        prop_assert!(within_ulps(narrow, exact as f32, bounds::ONE_ULP));
        prop_assert_eq!(quantile_sorted(&g, alpha, rule).unwrap(), exact);
    }

    #[test]
    fn the_quantile_of_integers_at_a_binary_alpha_is_exact(
        mut g in prop::collection::vec(0i64..1 << 30, 1..60),
        alpha in 0i64..=1 << 16,
    ) {
        // In units of 2^-16 everything is an integer: rank = alpha (N - 1), value = lower 2^16 + fraction * gap.
        let quantile = |g: &[i64], rule| {
            let g: Vec<f64> = g.iter().map(|&g| g as f64).collect();
            quantile_selected(&g, alpha as f64 / 65536.0, rule).unwrap()
        };
        let (linear, midpoint) = (quantile(&g, QuantileRule::Linear), quantile(&g, QuantileRule::Midpoint));
        g.sort();
        let rank = alpha * (g.len() as i64 - 1);
        let (whole, fraction) = ((rank >> 16) as usize, rank & 0xffff);
        let (lower, upper) = (g[whole], g[(whole + 1).min(g.len() - 1)]);
        prop_assert_eq!(linear, ((lower << 16) + fraction * (upper - lower)) as f64 / 65536.0);
        prop_assert_eq!(midpoint, if fraction == 0 { lower as f64 } else { (lower + upper) as f64 / 2.0 });
    }

    #[test]
    fn one_chunk_is_the_exact_quantile(
        values in values(),
        alpha in rate(),
        rule in rule(),
        chunking in select(Chunking::ALL),
    ) {
        let chunked = chunk_quantiles(&values, alpha, 1, chunking, rule).unwrap();
        let exact = quantile_sorted(&values, alpha, rule).unwrap().to_bits();
        prop_assert_eq!(mean_of_quantiles(&chunked).unwrap().to_bits(), exact);
    }

    #[test]
    fn chunks_of_one_weight_give_the_mean(
        g in prop::collection::vec(-1000i32..1000, 1..60),
        alpha in rate(),
        rule in rule(),
        chunking in select(Chunking::ALL),
    ) {
        // The sum of integers is exact, so the mean is their quotient, correctly rounded.
        let mean = f64::from(g.iter().sum::<i32>()) / g.len() as f64;
        let g: Vec<f64> = g.into_iter().map(f64::from).collect();
        let chunked = chunk_quantiles(&g, alpha, g.len(), chunking, rule).unwrap();
        prop_assert_eq!(&chunked, &g);
        prop_assert_eq!(mean_of_quantiles(&chunked).unwrap(), mean);
    }

    #[test]
    fn chunks_partition_the_weights(n in 1usize..500, share in 0.0..=1.0f64, chunking in select(Chunking::ALL)) {
        let chunks = 1 + (share * (n - 1) as f64) as usize;
        let sizes = chunk_sizes(n, chunks, chunking).unwrap();
        let (least, most) = (*sizes.iter().min().unwrap(), *sizes.iter().max().unwrap());
        prop_assert_eq!(sizes.iter().sum::<usize>(), n);
        prop_assert!(least >= 1 && most == n.div_ceil(chunks));
        prop_assert!(sizes.is_sorted_by(|a, b| a >= b));
        match chunking {
            Chunking::NearEqual => prop_assert!(sizes.len() == chunks && most - least <= 1),
            Chunking::Ceil => {
                prop_assert!(sizes.len() <= chunks && sizes[..sizes.len() - 1].iter().all(|&size| size == most));
            }
        }
    }

    #[test]
    fn each_chunk_has_the_quantile_of_its_own_values(
        g in prop::collection::vec(accumulated(), 1..60),
        share in 0.0..=1.0f64,
        alpha in rate(),
        chunking in select(Chunking::ALL),
        rule in rule(),
    ) {
        let chunks = 1 + (share * (g.len() - 1) as f64) as usize;
        let mut rest = g.as_slice();
        let mut expected = Vec::new();
        for size in chunk_sizes(g.len(), chunks, chunking).unwrap() {
            expected.push(quantile_sorted(&rest[..size], alpha, rule).unwrap());
            rest = &rest[size..];
        }
        prop_assert_eq!(chunk_quantiles(&g, alpha, chunks, chunking, rule).unwrap(), expected);
    }

    #[test]
    fn scaling_g_by_a_power_of_two_scales_the_threshold_exactly(
        g in prop::collection::vec(accumulated(), 1..60),
        (share, alpha) in (0.0..=1.0f64, rate()),
        rule in rule(),
        e in -15i32..=15,
    ) {
        fn tau<S: Scalar>(g: &[f64], scale: f64, alpha: f64, chunks: usize, rule: QuantileRule) -> f64 {
            let g: Vec<S> = g.iter().map(|&g| S::from_f64(g * scale)).collect();
            let quantiles = chunk_quantiles(&g, alpha, chunks, Chunking::NearEqual, rule).unwrap();
            mean_of_quantiles(&quantiles).unwrap().to_f64()
        }
        let chunks = 1 + (share * (g.len() - 1) as f64) as usize;
        let scale = two_to(e);
        let at = [tau::<f32>(&g, 1.0, alpha, chunks, rule), tau::<f64>(&g, 1.0, alpha, chunks, rule)];
        prop_assert_eq!(tau::<f32>(&g, scale, alpha, chunks, rule), at[0] * scale);
        prop_assert_eq!(tau::<f64>(&g, scale, alpha, chunks, rule), at[1] * scale);
    }
}

#[test]
fn the_quantile_has_the_same_bits_for_any_number_of_threads() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let values: Vec<f32> = (0..100_000).map(|_| random.random::<f32>().powi(8)).collect();
    assert!(is_invariant(|| {
        let quantile = |&alpha: &f64| quantile_selected(&values, alpha, QuantileRule::Linear).unwrap();
        [0.0, 0.25, 0.6, 0.95, 0.999, 1.0].iter().map(quantile).collect::<Vec<f32>>()
    }));
}
