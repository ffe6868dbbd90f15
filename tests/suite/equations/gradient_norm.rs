//! Eq. 1 to 4.

use crate::common::equations::{cast, same, same_bits};
use gdstar::kernel::Kernel;
use gdstar::paper::gradient_norm::*;
use gdstar::paper::reading::MaskedGradient;
use gdstar::scalar::{DoubleDouble, Scalar};

/// Two batches of two weights: squares 9 1 / 16 4, absolute values 3 1 / 4 2.
const BATCHES: [&[f64]; 2] = [&[3.0, -1.0], &[4.0, 2.0]];

/// 2^-53: added to 1 it is lost in `f64`, twice it is not.
const HALF_ULP: f64 = f64::EPSILON / 2.0;

pub fn check_eq1(s_abs: impl Fn(&[&[f64]]) -> f64) -> Result<(), String> {
    same_bits("3 + 1 + 4 + 2", s_abs(&BATCHES), 10.0)?;
    same_bits("section 3.1's example does not cancel", s_abs(&[&[0.5], &[-0.5]]), 1.0)?;
    same_bits("no batch", s_abs(&[]), 0.0)?;
    same_bits("rounded once", s_abs(&[&[1.0, HALF_ULP], &[-HALF_ULP]]), 1.0 + f64::EPSILON)
}

pub fn check_eq2(g: impl Fn(&[&[f64]]) -> Vec<f64>) -> Result<(), String> {
    same("two batches", g(&BATCHES), vec![25.0, 5.0])?;
    same("opposite gradients do not cancel", g(&[&[0.5], &[-0.5]]), vec![0.5])
}

/// Eq. 3 as read in open point 2: over all batches, not one.
pub fn check_eq3(s_sq: impl Fn(&[&[f64]]) -> f64) -> Result<(), String> {
    same_bits("9 + 1 + 16 + 4", s_sq(&BATCHES), 30.0)?;
    same_bits("opposite gradients do not cancel", s_sq(&[&[1.0], &[-1.0]]), 2.0)
}

/// The sum over weights alone.
pub fn check_sum_of_g(s_sq: impl Fn(&[f64]) -> f64) -> Result<(), String> {
    same_bits("25 + 5", s_sq(&[25.0, 5.0]), 30.0)?;
    same_bits("rounded once", s_sq(&[1.0, HALF_ULP, HALF_ULP]), 1.0 + f64::EPSILON)
}

pub fn check_eq4(s_f: impl Fn(f64) -> f64) -> Result<(), String> {
    same_bits("sqrt 25", s_f(25.0), 5.0)?;
    same_bits("sqrt 0", s_f(0.0), 0.0)?;
    same_bits("sqrt 2, correctly rounded", s_f(2.0), std::f64::consts::SQRT_2)
}

pub fn s_sq_from_batches(batches: &[&[f64]]) -> f64 {
    sum_of_squares(&accumulated_squares(batches).unwrap())
}

#[test]
fn eq1_is_the_double_sum_of_absolute_gradients() {
    check_eq1(sum_of_l1_norms).unwrap();
}

#[test]
fn eq1_does_not_depend_on_how_a_batch_arrives() {
    let (gradient, mut pieces) = ([0.1, -0.7, 1e9, 3e-9], L1NormSum::new());
    pieces.add(&gradient[..1]);
    pieces.add(&gradient[1..]);
    assert_eq!(pieces.value(), sum_of_l1_norms(&[&gradient]));
}

#[test]
fn eq2_accumulates_squares_per_weight() {
    check_eq2(|batches| accumulated_squares(batches).unwrap()).unwrap();
    for kernel in [Kernel::Literal, Kernel::Fast] {
        check_eq2(|batches| {
            let mut g = vec![0.0; batches[0].len()];
            batches.iter().for_each(|gradient| accumulate_squares(kernel, &mut g, gradient).unwrap());
            g
        })
        .unwrap();
    }
}

#[test]
fn eq3_sums_over_batches_too() {
    check_eq3(s_sq_from_batches).unwrap();
    check_eq3(sum_of_squared_norms).unwrap();
    check_sum_of_g(sum_of_squares).unwrap();
}

#[test]
fn eq4_is_the_square_root() {
    check_eq4(|s_sq| frobenius_norm(s_sq).unwrap()).unwrap();
    for wrong in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(frobenius_norm(wrong).is_err(), "sqrt of {wrong}");
    }
}

fn eq1_to_4_on_integers<S: Scalar>() {
    let batches = [cast::<S>(BATCHES[0]), cast::<S>(BATCHES[1])];
    let batches: Vec<&[S]> = batches.iter().map(Vec::as_slice).collect();
    let g = accumulated_squares(&batches).unwrap();
    assert_eq!(g, cast::<S>(&[25.0, 5.0]), "{}", S::NAME);
    assert_eq!(sum_of_l1_norms(&batches).to_f64(), 10.0, "{}", S::NAME);
    assert_eq!(sum_of_squares(&g).to_f64(), 30.0, "{}", S::NAME);
    assert_eq!(frobenius_norm(g[0]).unwrap().to_f64(), 5.0, "{}", S::NAME);
}

#[test]
fn eq1_to_4_give_the_same_integers_in_every_number_system() {
    eq1_to_4_on_integers::<f32>();
    eq1_to_4_on_integers::<f64>();
    eq1_to_4_on_integers::<DoubleDouble>();
}

#[test]
fn the_gradient_of_an_eliminated_weight_is_kept_under_dense_alone() {
    let mask = [true, false, true];
    for (treatment, expected) in [
        (MaskedGradient::Dense, [1.0, 2.0, 3.0]),
        (MaskedGradient::Zero, [1.0, 0.0, 3.0]),
        (MaskedGradient::Excluded, [1.0, 0.0, 3.0]),
    ] {
        let mut gradient = [1.0, 2.0, 3.0];
        mask_gradient(&mut gradient, &mask, treatment).unwrap();
        assert_eq!(gradient, expected, "{treatment}");
    }
}

#[test]
fn gradients_of_different_lengths_are_an_error() {
    assert!(accumulated_squares::<f64>(&[&[1.0], &[1.0, 2.0]]).is_err());
    assert!(accumulate_squares(Kernel::Literal, &mut [0.0], &[1.0, 2.0]).is_err());
    assert!(mask_gradient(&mut [0.0], &[true, true], MaskedGradient::Zero).is_err());
}
