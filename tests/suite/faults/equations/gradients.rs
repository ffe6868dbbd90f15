//! Eq. 1 to 4.

use super::caught;
use crate::equations::gradient_norm::{check_eq1, check_eq2, check_eq3, check_eq4, check_sum_of_g, s_sq_from_batches};
use gdstar::paper::gradient_norm::{accumulated_squares, frobenius_norm, sum_of_l1_norms, sum_of_squares};

type OfBatches<T> = dyn Fn(&[&[f64]]) -> T;

#[test]
fn faults_in_eq1_are_caught() {
    caught::<OfBatches<f64>>(
        |f| check_eq1(f),
        &sum_of_l1_norms,
        &[
            ("no absolute value", &|batches| batches.iter().flat_map(|b| b.iter()).sum::<f64>() + 0.0),
            ("last batch only", &|batches| sum_of_l1_norms(&batches[batches.len().saturating_sub(1)..])),
            ("g^2 for |g|", &s_sq_from_batches),
            ("summed in f64", &|batches| batches.iter().flat_map(|b| b.iter()).fold(0.0, |s, g| s + g.abs())),
        ],
    );
}

#[test]
fn faults_in_eq2_are_caught() {
    fn per_weight(batches: &[&[f64]], term: fn(f64) -> f64) -> Vec<f64> {
        (0..batches[0].len()).map(|j| batches.iter().map(|b| term(b[j])).sum()).collect()
    }
    caught::<OfBatches<Vec<f64>>>(
        |f| check_eq2(f),
        &|batches| accumulated_squares(batches).unwrap(),
        &[
            ("|g| for g^2", &|batches| per_weight(batches, f64::abs)),
            ("the square of the sum", &|batches| per_weight(batches, |g| g).iter().map(|s| s * s).collect()),
            ("assigned, not accumulated", &|batches| batches[batches.len() - 1].iter().map(|g| g * g).collect()),
            ("the mean over batches", &|batches| {
                per_weight(batches, |g| g * g).iter().map(|g| g / batches.len() as f64).collect()
            }),
        ],
    );
}

#[test]
fn faults_in_eq3_are_caught() {
    caught::<OfBatches<f64>>(
        |f| check_eq3(f),
        &s_sq_from_batches,
        &[
            ("the printed last member: one batch's norm", &|batches| s_sq_from_batches(&batches[batches.len() - 1..])),
            ("the norm of the summed gradient", &|batches| {
                (0..batches[0].len()).map(|j| batches.iter().map(|b| b[j]).sum::<f64>()).map(|g| g * g).sum()
            }),
        ],
    );
    caught::<dyn Fn(&[f64]) -> f64>(
        |f| check_sum_of_g(f),
        &sum_of_squares,
        &[
            ("summed in f64", &|g| g.iter().sum()),
            ("squared a second time", &|g| sum_of_squares(&g.iter().map(|g| g * g).collect::<Vec<_>>())),
        ],
    );
}

#[test]
fn faults_in_eq4_are_caught() {
    caught::<dyn Fn(f64) -> f64>(
        |f| check_eq4(f),
        &|s_sq| frobenius_norm(s_sq).unwrap(),
        &[("no square root", &|s_sq| s_sq), ("a root of half the digits", &|s_sq| f64::from((s_sq as f32).sqrt()))],
    );
}
