//! Eq. 5 to 8 and Alg. 5.

use super::caught;
use crate::equations::quantile::{check_eq6, check_eq7, check_quantile, check_selection, check_tau, tau};
use crate::equations::schedule::check_eq8;
use crate::equations::selection::{check_alg5, check_eq5, seen};
use gdstar::paper::quantile::{chunk_quantiles, chunk_sizes, mean_of_quantiles, quantile_selected, quantile_sorted};
use gdstar::paper::reading::{Chunking, MaskedGradient, QuantileRule};
use gdstar::paper::schedule::prune_rate;
use gdstar::paper::selection::below_threshold;

#[test]
fn faults_in_eq5_are_caught() {
    caught::<dyn Fn(&[f64], f64) -> Vec<bool>>(
        |f| check_eq5(f),
        &below_threshold,
        &[
            ("<= for <", &|g, tau| g.iter().map(|&g| g <= tau).collect()),
            ("> for <", &|g, tau| g.iter().map(|&g| g > tau).collect()),
        ],
    );
}

#[test]
fn faults_in_the_quantile_are_caught() {
    caught::<dyn Fn(&[f64], f64, QuantileRule) -> f64>(
        |f| check_quantile(f),
        &|g, alpha, rule| quantile_sorted(g, alpha, rule).unwrap(),
        &[
            ("lower for linear", &|g, alpha, rule| {
                let rule = if rule == QuantileRule::Linear { QuantileRule::Lower } else { rule };
                quantile_sorted(g, alpha, rule).unwrap()
            }),
            ("rank alpha N", &|g, alpha, rule| {
                let n = g.len() as f64;
                quantile_sorted(g, (alpha * n / (n - 1.0).max(1.0)).min(1.0), rule).unwrap()
            }),
            ("the quantile of 1 - alpha", &|g, alpha, rule| quantile_sorted(g, 1.0 - alpha, rule).unwrap()),
            ("unsorted", &|g, alpha, _| g[(alpha * (g.len() - 1) as f64) as usize]),
            ("a tie rounded up to the odd rank", &|g, alpha, rule| {
                let tie = rule == QuantileRule::Nearest && (alpha * 4.0).fract() == 0.5;
                quantile_sorted(g, alpha, if tie { QuantileRule::Higher } else { rule }).unwrap()
            }),
        ],
    );
}

#[test]
fn faults_in_the_selection_are_caught() {
    let selected = |g: &[f64], alpha: f64, rule| quantile_selected(g, alpha, rule).unwrap();
    caught::<dyn Fn(&[f64], f64, QuantileRule) -> f64>(
        |f| check_selection(f),
        &selected,
        &[
            ("-0 taken for +0", &|g, alpha, rule| selected(g, alpha, rule) + 0.0),
            ("the next value not looked for", &|g, alpha, _| selected(g, alpha, QuantileRule::Lower)),
            ("the next value beyond the ties", &|g, alpha, rule| {
                let lower = selected(g, alpha, QuantileRule::Lower);
                let above = g.iter().copied().filter(|&x| x > lower).fold(f64::INFINITY, f64::min);
                let whole = (alpha * (g.len() - 1) as f64).fract() == 0.0;
                if rule == QuantileRule::Linear && !whole { (lower + above) / 2.0 } else { selected(g, alpha, rule) }
            }),
            ("one rank too far", &|g, alpha, rule| selected(g, (alpha + 1.0 / (g.len() - 1) as f64).min(1.0), rule)),
            ("the sample's quantile", &|g, alpha, rule| {
                selected(&g.iter().copied().step_by(16).collect::<Vec<_>>(), alpha, rule)
            }),
            ("the last unit of work dropped", &|g, alpha, rule| selected(&g[..g.len() - 1], alpha, rule)),
        ],
    );
}

#[test]
fn faults_in_eq6_are_caught() {
    let linear = QuantileRule::Linear;
    caught::<dyn Fn(&[f64], f64, usize, Chunking) -> Vec<f64>>(
        |f| check_eq6(f),
        &|g, alpha, chunks, chunking| chunk_quantiles(g, alpha, chunks, chunking, linear).unwrap(),
        &[
            ("the remainder dropped", &|g, alpha, chunks, chunking| {
                let whole = &g[..g.len() / chunks * chunks];
                chunk_quantiles(whole, alpha, chunks, chunking, linear).unwrap()
            }),
            ("near-equal read as ceil", &|g, alpha, chunks, _| {
                chunk_quantiles(g, alpha, chunks, Chunking::Ceil, linear).unwrap()
            }),
            ("every C-th weight instead of consecutive ones", &|g, alpha, chunks, chunking| {
                let count = chunk_sizes(g.len(), chunks, chunking).unwrap().len();
                let strided = |c| g.iter().copied().skip(c).step_by(count).collect::<Vec<_>>();
                (0..count).map(|c| quantile_sorted(&strided(c), alpha, linear).unwrap()).collect()
            }),
        ],
    );
}

#[test]
fn faults_in_eq7_are_caught() {
    caught::<dyn Fn(&[f64]) -> f64>(
        |f| check_eq7(f),
        &|quantiles| mean_of_quantiles(quantiles).unwrap(),
        &[
            ("median of chunks", &|quantiles| quantile_sorted(quantiles, 0.5, QuantileRule::Linear).unwrap()),
            ("sum without 1/C", &|quantiles| quantiles.iter().sum()),
            ("summed in f64", &|quantiles| quantiles.iter().sum::<f64>() / quantiles.len() as f64),
        ],
    );
    caught::<dyn Fn(&[f64], f64, usize) -> f64>(
        |f| check_tau(f),
        &tau,
        &[
            ("C ignored", &|g, alpha, _| tau(g, alpha, 1)),
            ("one chunk too many", &|g, alpha, chunks| tau(g, alpha, (chunks + 1).min(g.len()))),
        ],
    );
}

#[test]
fn faults_in_eq8_are_caught() {
    caught::<dyn Fn(usize, usize, f64, f64) -> f64>(
        |f| check_eq8(f),
        &|k, epochs, from, to| prune_rate(k, epochs, from, to).unwrap(),
        &[
            ("k - 1", &|k, epochs, from, to| prune_rate(k.saturating_sub(1), epochs, from, to).unwrap()),
            ("K - 1 in the denominator", &|k, epochs, from, to| from + k as f64 / (epochs - 1) as f64 * (to - from)),
            ("alpha_0 and alpha_K exchanged", &|k, epochs, from, to| prune_rate(k, epochs, to, from).unwrap()),
            ("no alpha_0", &|k, epochs, from, to| k as f64 / epochs as f64 * (to - from)),
            ("integer division", &|k, epochs, from, to| from + (k / epochs) as f64 * (to - from)),
        ],
    );
}

type Select = dyn Fn(&[f64], &[bool], f64, usize, MaskedGradient) -> (Vec<f64>, f64, Vec<bool>);

#[test]
fn faults_in_alg5_are_caught() {
    use MaskedGradient::{Dense, Excluded, Zero};
    caught::<Select>(
        |f| check_alg5(f),
        &seen,
        &[
            ("the mask ignored", &|g, mask, alpha, chunks, _| seen(g, mask, alpha, chunks, Dense)),
            ("excluded weights stay in the set as zeros", &|g, mask, alpha, chunks, treatment| {
                seen(g, mask, alpha, chunks, if treatment == Excluded { Zero } else { treatment })
            }),
            ("C = 1 always", &|g, mask, alpha, _, treatment| seen(g, mask, alpha, 1, treatment)),
            ("1 - alpha", &|g, mask, alpha, chunks, treatment| seen(g, mask, (1.0 - alpha) / 2.0, chunks, treatment)),
            ("<= for <", &|g, mask, alpha, chunks, treatment| {
                let (quantiles, tau, _) = seen(g, mask, alpha, chunks, treatment);
                let selected = g.iter().map(|&g| g <= tau).collect();
                (quantiles, tau, selected)
            }),
        ],
    );
}
