//! Statistics over seeds: what SciPy makes of the same samples, what holds of all samples, and when a difference is called one.

use gdstar::experiment::exhibit::{Cell, Difference, Sample};
use gdstar::experiment::statistics::{
    Verdict, compare, compare_strata, interquartile_mean, mean, mean_and_deviation, stratified_interval,
};
use gdstar::random::{Purpose, normal, stream};
use proptest::prelude::*;
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("statistics/samples.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// Sums of a handful of numbers, in another order.
#[track_caller]
fn assert_same(got: f64, expected: f64) {
    assert!((got - expected).abs() <= 1e-13 * expected.abs().max(1.0), "{got} is not {expected}");
}

#[track_caller]
fn assert_ends(interval: Option<[f64; 2]>, bounds: &Value) {
    for (end, bounds) in interval.unwrap().into_iter().zip(bounds.as_array().unwrap()) {
        let (low, high) = (bounds[0].as_f64().unwrap(), bounds[1].as_f64().unwrap());
        let ulps = 1e-13 * high.abs();
        assert!(low - ulps <= end && end <= high + ulps, "{end} is not from {low} to {high}");
    }
}

#[test]
fn mean_deviation_and_students_interval_are_scipys() {
    for sample in golden()["samples"].as_array().unwrap() {
        let over = mean_and_deviation(&numbers(&sample["values"])).unwrap();
        assert_same(over.mean, sample["mean"].as_f64().unwrap());
        assert_same(over.deviation, sample["deviation"].as_f64().unwrap());
        for (end, expected) in over.interval(0.95).into_iter().zip(numbers(&sample["student"])) {
            // The quantile of Student's distribution is found by bisection to about ten digits.
            assert!((end - expected).abs() <= 1e-8 * (1.0 + expected.abs()), "{end} is not {expected}");
        }
    }
}

#[test]
fn the_interquartile_mean_is_scipys_trimmed_mean() {
    for sample in golden()["samples"].as_array().unwrap() {
        let expected = sample["interquartile_mean"].as_f64().unwrap();
        assert_same(interquartile_mean(&numbers(&sample["values"])).unwrap(), expected);
    }
    assert_eq!(interquartile_mean(&[]), None);
    assert_eq!(interquartile_mean(&[1.0, f64::NAN]), None);
}

#[test]
fn an_interval_is_where_the_list_of_all_resamples_has_it() {
    let golden = golden();
    for sample in golden["samples"].as_array().unwrap() {
        if !sample["bootstrap"].is_null() {
            assert_ends(stratified_interval(&[&numbers(&sample["values"])], mean, 0), &sample["bootstrap"]);
        }
    }
    for case in golden["strata"].as_array().unwrap() {
        let strata: Vec<Vec<f64>> = case["values"].as_array().unwrap().iter().map(numbers).collect();
        assert_ends(Some(compare_strata(&strata).unwrap().interval), &case["bootstrap"]);
    }
}

#[test]
fn an_interval_is_the_same_each_time_and_its_seed_decides_it() {
    let sample: &[f64] = &[0.31, 0.72, 0.15, 0.98, 0.44, 0.61, 0.07];
    let interval = |seed| stratified_interval(&[sample], mean, seed).unwrap();
    assert_eq!(interval(0), interval(0));
    assert_ne!(interval(0), interval(1));
}

#[test]
fn what_has_no_interval_has_none() {
    assert_eq!(stratified_interval(&[&[1.0, f64::NAN]], mean, 0), None);
    assert_eq!(stratified_interval(&[&[]], mean, 0), None);
    assert_eq!(compare(&[]), None);
    assert_eq!(compare(&[1.0, f64::INFINITY, 2.0, 3.0]), None);
    assert_eq!(compare_strata(&[]), None);
}

#[test]
fn few_seeds_are_called_few_however_far_apart() {
    for n in 1..=3 {
        assert_eq!(compare(&vec![1e6; n]).unwrap().verdict, Verdict::TooFew, "{n} seeds");
    }
    assert_eq!(compare(&[1e6, 1e6 + 1.0, 1e6 + 2.0, 1e6 + 3.0]).unwrap().verdict, Verdict::Higher);
}

#[test]
fn both_intervals_must_leave_out_zero() {
    // Four values on one side: every resample's mean is, but Student's interval reaches over 0.
    let one_sided = [0.1, 0.2, 0.1, 5.0];
    let [low, _] = stratified_interval(&[&one_sided], mean, 0).unwrap();
    let [student, _] = mean_and_deviation(&one_sided).unwrap().interval(0.95);
    assert!(low > 0.0 && student < 0.0, "{low}, {student}");
    assert_eq!(compare(&one_sided).unwrap().verdict, Verdict::NotTold);
}

/// Two experiments that are the same: how often they are called different. Student's interval alone would be wrong in 5 %.
#[test]
fn what_is_the_same_is_seldom_called_a_difference() {
    let mut rng = stream(7, Purpose::Resampling, 1);
    let (mut called, repeats) = (0, 200);
    for _ in 0..repeats {
        let differences: Vec<f64> = (0..5).map(|_| normal(&mut rng)).collect();
        called += usize::from(compare(&differences).unwrap().verdict.is_difference());
    }
    // 5 % of 200 are 10; five deviations more would be 25.
    assert!(called <= 25, "{called} of {repeats}");
}

#[test]
fn pairs_are_of_the_same_seed() {
    let sample = |seed, value| Sample { seed, value, hash: String::new() };
    let difference = Difference {
        ours: vec![sample(3, 1.0), sample(0, 2.0), sample(7, 4.0)],
        baseline: vec![sample(0, 10.0), sample(1, 20.0), sample(3, 30.0)],
    };
    let pairs: Vec<(f64, f64)> = difference.pairs().map(|(ours, baseline)| (ours.value, baseline.value)).collect();
    assert_eq!(pairs, [(1.0, 30.0), (2.0, 10.0)]);
    assert_eq!(Cell::difference(vec![sample(0, 1.0)], vec![sample(1, 1.0)]), Cell::Empty, "no seed in common");
}

fn samples() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-100.0..100.0, 1..9)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_statistic_lies_in_the_samples_range(sample in samples()) {
        let (low, high) = sample.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &x| (l.min(x), h.max(x)));
        // Of a mean of at most eight numbers.
        let ulps = 1e-12;
        let inside = |x: f64| low - ulps <= x && x <= high + ulps;
        prop_assert!(inside(interquartile_mean(&sample).unwrap()));
        let [first, last] = stratified_interval(&[&sample], mean, 0).unwrap();
        prop_assert!(first <= last && inside(first) && inside(last));
    }

    #[test]
    fn the_order_of_seeds_decides_no_interquartile_mean(sample in samples()) {
        let reversed: Vec<f64> = sample.iter().rev().copied().collect();
        prop_assert_eq!(interquartile_mean(&sample), interquartile_mean(&reversed));
    }

    #[test]
    fn a_unit_twice_as_large_halves_everything(sample in samples()) {
        let halved: Vec<f64> = sample.iter().map(|x| 0.5 * x).collect();
        let (whole, half) = (compare(&sample).unwrap(), compare(&halved).unwrap());
        prop_assert_eq!(half.interval, whole.interval.map(|end| 0.5 * end));
        prop_assert_eq!((half.centre, half.verdict), (0.5 * whole.centre, whole.verdict));
    }

    #[test]
    fn what_is_higher_one_way_is_lower_the_other(sample in samples()) {
        let turned: Vec<f64> = sample.iter().map(|x| -x).collect();
        let expected = match compare(&sample).unwrap().verdict {
            Verdict::Higher => Verdict::Lower,
            Verdict::Lower => Verdict::Higher,
            other => other,
        };
        prop_assert_eq!(compare(&turned).unwrap().verdict, expected);
    }
}
