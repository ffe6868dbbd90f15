//! Eq. 6 and 7, and the quantile they are made of.

use crate::common::equations::{cast, same, same_bits};
use gdstar::paper::quantile::*;
use gdstar::paper::reading::{Chunking, QuantileRule};
use gdstar::scalar::{DoubleDouble, Scalar};

/// {0, 1, 4, 9, 16} out of order; rank 4 alpha, so eighths give halves.
const G: [f64; 5] = [9.0, 1.0, 16.0, 0.0, 4.0];

pub fn check_quantile(quantile: impl Fn(&[f64], f64, QuantileRule) -> f64) -> Result<(), String> {
    use QuantileRule::{Higher, Linear, Lower, Midpoint, Nearest};
    for (alpha, rule, expected) in [
        (0.25, Linear, 1.0), // rank 1, whole: every rule agrees
        (0.25, Higher, 1.0),
        (0.25, Midpoint, 1.0),
        (0.375, Linear, 2.5), // rank 1.5
        (0.375, Lower, 1.0),
        (0.375, Higher, 4.0),
        (0.375, Midpoint, 2.5),
        (0.375, Nearest, 4.0),  // a tie between ranks 1 and 2: the even one
        (0.625, Nearest, 4.0),  // a tie between ranks 2 and 3: the even one
        (0.6875, Linear, 7.75), // rank 2.75
        (0.6875, Nearest, 9.0),
        (0.6875, Midpoint, 6.5),
        (0.5625, Nearest, 4.0), // rank 2.25
        (0.0, Linear, 0.0),
        (1.0, Linear, 16.0),
    ] {
        same_bits(&format!("{rule} at alpha = {alpha}"), quantile(&G, alpha, rule), expected)?;
    }
    same_bits("one value", quantile(&[7.0], 0.3, Linear), 7.0)
}

/// What selection has to get right among many values, several units of parallel work: exact, since ranks at
/// N = 2^14 + 1 are multiples of 1/2 where alpha is one of 2^-15.
pub fn check_selection(quantile: impl Fn(&[f64], f64, QuantileRule) -> f64) -> Result<(), String> {
    use QuantileRule::{Higher, Linear, Lower};
    const N: usize = (1 << 14) + 1;
    let alpha = |rank: f64| rank / (N - 1) as f64;
    let permutation: Vec<f64> = (0..N).map(|j| (7 * j % N) as f64).collect(); // 7 does not divide N
    for rank in [0.0, 0.5, 1.0, 819.5, 4095.5, 8192.0, 8192.5, 15_564.5, 16_383.5, 16_384.0] {
        same_bits(&format!("rank {rank} of 0, 1, 2, .."), quantile(&permutation, alpha(rank), Linear), rank)?;
    }
    for zeros in [1, 100, 8192, 15_000, N - 1] {
        let border = alpha(zeros as f64 - 0.5); // between the last of one kind and the first of the other
        let of = |first: f64, other: f64| -> Vec<f64> {
            permutation.iter().map(|&x| if x < zeros as f64 { first } else { other }).collect()
        };
        let case = |what: &str| format!("{what} after {zeros} values");
        same_bits(&case("a step"), quantile(&of(0.0, 1.0), border, Linear), 0.5)?;
        same_bits(&case("below a step"), quantile(&of(0.0, 1.0), border, Lower), 0.0)?;
        same_bits(&case("-0 comes before +0"), quantile(&of(-0.0, 0.0), border, Lower), -0.0)?;
        same_bits(&case("+0 comes after -0"), quantile(&of(-0.0, 0.0), border, Higher), 0.0)?;
        let tiny = f64::from_bits(1);
        same_bits(&case("the smallest number"), quantile(&of(0.0, tiny), border, Higher), tiny)?;
    }
    same_bits("all equal", quantile(&[-3.0; N], 0.3, Linear), -3.0)
}

pub fn check_eq6(quantiles: impl Fn(&[f64], f64, usize, Chunking) -> Vec<f64>) -> Result<(), String> {
    let g = [0.0, 4.0, 2.0, 10.0, 6.0];
    let cases = [
        (1, Chunking::NearEqual, vec![4.0]),
        (2, Chunking::NearEqual, vec![2.0, 8.0]),            // {0, 4, 2} {10, 6}
        (4, Chunking::NearEqual, vec![2.0, 2.0, 10.0, 6.0]), // {0, 4} {2} {10} {6}
        (4, Chunking::Ceil, vec![2.0, 6.0, 6.0]),            // {0, 4} {2, 10} {6}: fewer than C
        (5, Chunking::NearEqual, g.to_vec()),
    ];
    for (chunks, chunking, expected) in cases {
        same(&format!("medians of {chunks} {chunking} chunks"), quantiles(&g, 0.5, chunks, chunking), expected)?;
    }
    Ok(())
}

pub fn check_eq7(tau: impl Fn(&[f64]) -> f64) -> Result<(), String> {
    same_bits("one chunk", tau(&[3.0]), 3.0)?;
    same_bits("a mean, not a median", tau(&[1.0, 2.0, 9.0]), 4.0)?;
    let tiny = f64::EPSILON; // in `f64`, left to right, 1 + tiny/2 + tiny/2 is 1
    same_bits("rounded once", tau(&[1.0, tiny / 2.0, tiny / 2.0]), (1.0 + tiny) / 3.0)
}

/// Eq. 6 and 7 together: `(g, alpha, C) -> tau`.
pub fn check_tau(tau: impl Fn(&[f64], f64, usize) -> f64) -> Result<(), String> {
    let g = [0.0, 4.0, 2.0, 10.0, 6.0];
    for (chunks, expected) in [(1, 4.0), (2, 5.0), (4, 5.0), (5, 4.4)] {
        same_bits(&format!("C = {chunks}"), tau(&g, 0.5, chunks), expected)?;
    }
    Ok(())
}

pub fn tau(g: &[f64], alpha: f64, chunks: usize) -> f64 {
    let quantiles = chunk_quantiles(g, alpha, chunks, Chunking::NearEqual, QuantileRule::Linear).unwrap();
    mean_of_quantiles(&quantiles).unwrap()
}

#[test]
fn the_quantile_reads_between_ranks_as_each_rule_says() {
    check_quantile(|g, alpha, rule| quantile_sorted(g, alpha, rule).unwrap()).unwrap();
    check_quantile(|g, alpha, rule| quantile_selected(g, alpha, rule).unwrap()).unwrap();
    check_quantile(|g, alpha, rule| f64::from(quantile_sorted(&cast::<f32>(g), alpha, rule).unwrap())).unwrap();
    check_quantile(|g, alpha, rule| quantile_sorted(&cast::<DoubleDouble>(g), alpha, rule).unwrap().to_f64()).unwrap();
}

#[test]
fn selection_among_many_values_is_exact() {
    let narrow = |g: &[f64], alpha, rule| quantile_selected(&cast::<DoubleDouble>(g), alpha, rule).unwrap().to_f64();
    check_selection(|g, alpha, rule| quantile_sorted(g, alpha, rule).unwrap()).unwrap();
    check_selection(|g, alpha, rule| quantile_selected(g, alpha, rule).unwrap()).unwrap();
    check_selection(narrow).unwrap();
}

#[test]
fn the_first_of_many_values_that_is_not_finite_is_named() {
    let finite: Vec<f32> = (0..10_000).map(|j| (j % 97) as f32).collect();
    for (j, wrong) in [(0, f32::NAN), (4_095, f32::INFINITY), (4_096, -f32::NAN), (9_000, f32::NEG_INFINITY)] {
        let mut values = finite.clone();
        (values[j], values[9_999]) = (wrong, f32::NAN);
        let message = quantile_selected(&values, 0.95, QuantileRule::Linear).unwrap_err().to_string();
        assert!(message.starts_with(&format!("value {j} of a quantile: expected a finite number")), "{message}");
    }
}

#[test]
fn eq6_takes_one_quantile_a_chunk() {
    check_eq6(|g, alpha, chunks, chunking| chunk_quantiles(g, alpha, chunks, chunking, QuantileRule::Linear).unwrap())
        .unwrap();
}

#[test]
fn eq7_is_the_mean_over_the_chunks_there_are() {
    check_eq7(|quantiles| mean_of_quantiles(quantiles).unwrap()).unwrap();
    check_tau(tau).unwrap();
}

#[test]
fn the_rank_at_resnet18s_size_keeps_its_fraction() {
    // alpha as f64 and as f32 (0.95 rounded), times N - 1 = 11,173,113, to the digits of the open-points table
    let rank = |alpha: f64| {
        let rank = Rank::new(alpha, 11_173_114).unwrap();
        (rank.floor(), (rank.fraction_as::<f64>() * 1000.0).round())
    };
    assert_eq!(rank(0.95), (10_614_457, 350.0));
    assert_eq!(rank(f64::from(0.95f32)), (10_614_457, 217.0));
}

#[test]
fn the_rank_is_exact_where_f64_would_round_it() {
    // With alpha = a / 2^53 and m = N - 1, the rank is the 93-bit integer a m over 2^53.
    let (a, m) = ((1u128 << 52) + 12_345, (1u128 << 40) + 1);
    let rank = Rank::new(a as f64 / (1u64 << 53) as f64, m as usize + 1).unwrap();
    let (whole, rest) = ((a * m) >> 53, (a * m) & ((1 << 53) - 1));
    assert_eq!(rank.floor() as u128, whole);
    let scaled = rank.fraction() * DoubleDouble::from((1u64 << 53) as f64);
    assert_eq!(scaled, DoubleDouble::from(rest as f64));
}

#[test]
fn chunk_sizes_cover_every_weight_as_each_rule_says() {
    for (n, chunks, chunking, expected) in [
        (7, 3, Chunking::NearEqual, vec![3, 2, 2]),
        (7, 3, Chunking::Ceil, vec![3, 3, 1]),
        (6, 3, Chunking::NearEqual, vec![2, 2, 2]),
        (6, 3, Chunking::Ceil, vec![2, 2, 2]),
        (6, 4, Chunking::Ceil, vec![2, 2, 2]), // three chunks where four were asked for
        (4, 4, Chunking::Ceil, vec![1, 1, 1, 1]),
    ] {
        assert_eq!(chunk_sizes(n, chunks, chunking).unwrap(), expected, "{n} in {chunks}, {chunking}");
    }
}

#[test]
fn impossible_quantiles_are_errors() {
    let linear = QuantileRule::Linear;
    type Form = fn(&[f64], f64, QuantileRule) -> gdstar::Result<f64>;
    let forms: [Form; 2] = [quantile_sorted, quantile_selected];
    for quantile in forms {
        let at = |g: &[f64], alpha: f64| quantile(g, alpha, linear);
        assert!(at(&[], 0.5).is_err());
        for wrong in [-0.1, 1.1, f64::NAN] {
            assert!(at(&[1.0], wrong).is_err(), "alpha = {wrong}");
        }
        for wrong in [f64::NAN, f64::INFINITY] {
            let message = at(&[1.0, wrong], 0.5).unwrap_err().to_string();
            assert!(message.starts_with("value 1 of a quantile: expected a finite number"), "{message}");
        }
    }
    for chunks in [0, 4] {
        assert!(chunk_quantiles(&[1.0; 3], 0.5, chunks, Chunking::NearEqual, linear).is_err(), "C = {chunks}");
    }
    assert!(mean_of_quantiles::<f64>(&[]).is_err());
    assert!(mean_of_quantiles(&[f64::MAX; 2]).is_err());
}
