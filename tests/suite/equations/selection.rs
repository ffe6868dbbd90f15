//! Eq. 5 and Alg. 5.

use crate::common::equations::same;
use gdstar::paper::reading::{Chunking, MaskedGradient, QuantileRule, Reading};
use gdstar::paper::selection::{Selection, below_threshold, select_weights};

/// What a check wants to see of a selection: chunk quantiles, tau, selected.
type Seen = (Vec<f64>, f64, Vec<bool>);

pub fn check_eq5(select: impl Fn(&[f64], f64) -> Vec<bool>) -> Result<(), String> {
    same("strictly below", select(&[0.0, 2.0, 3.0, 1.0], 2.0), vec![true, false, false, true])?;
    same("nothing is below a zero threshold", select(&[0.0, 0.0, 1.0], 0.0), vec![false; 3])
}

pub fn check_alg5(select: impl Fn(&[f64], &[bool], f64, usize, MaskedGradient) -> Seen) -> Result<(), String> {
    use MaskedGradient::{Dense, Excluded, Zero};
    let (g, alive) = ([0.0, 4.0, 2.0, 10.0, 6.0, 20.0], [true; 6]);
    let chosen = |indices: &[usize]| (0..6).map(|j| indices.contains(&j)).collect::<Vec<bool>>();
    for treatment in [Dense, Zero, Excluded] {
        let case = |chunks| format!("all alive, C = {chunks}, {treatment}");
        same(&case(1), select(&g, &alive, 0.5, 1, treatment), (vec![5.0], 5.0, chosen(&[0, 1, 2])))?;
        // C = 2: {0, 4, 2} and {10, 6, 20}
        same(&case(2), select(&g, &alive, 0.5, 2, treatment), (vec![2.0, 10.0], 6.0, chosen(&[0, 1, 2])))?;
    }
    let mask = [true, true, false, true, false, true];
    let cases = [
        // as if nothing were eliminated
        (Dense, 2, (vec![2.0, 10.0], 6.0, chosen(&[0, 1, 2]))),
        // {0, 4, 0} and {10, 0, 20}; eliminated weights are below tau
        (Zero, 2, (vec![0.0, 10.0], 5.0, chosen(&[0, 1, 2, 4]))),
        // what is left, {0, 4, 10, 20}, is cut into chunks afterwards: {0, 4} and {10, 20}
        (Excluded, 2, (vec![2.0, 15.0], 8.5, chosen(&[0, 1]))),
        // five chunks of four weights: one weight a chunk
        (Excluded, 5, (vec![0.0, 4.0, 10.0, 20.0], 8.5, chosen(&[0, 1]))),
    ];
    for (treatment, chunks, expected) in cases {
        let case = format!("two eliminated, C = {chunks}, {treatment}");
        same(&case, select(&g, &mask, 0.5, chunks, treatment), expected)?;
    }
    let nothing = (Vec::new(), 0.0, chosen(&[]));
    same("nothing left", select(&g, &[false; 6], 0.5, 2, Excluded), nothing)?;
    let mostly_zero = ([0.0, 0.0, 0.0, 0.0, 1.0, 2.0], (vec![0.0], 0.0, chosen(&[])));
    same("open point 5: tau = 0 selects nothing", select(&mostly_zero.0, &alive, 0.5, 1, Dense), mostly_zero.1)
}

pub fn seen(g: &[f64], mask: &[bool], alpha: f64, chunks: usize, masked_gradient: MaskedGradient) -> Seen {
    let reading = Reading { masked_gradient, ..Reading::default() };
    let Selection { chunk_quantiles, tau, selected } = select_weights(g, mask, alpha, chunks, &reading).unwrap();
    (chunk_quantiles, tau, selected)
}

#[test]
fn eq5_selects_what_is_strictly_below_tau() {
    check_eq5(below_threshold).unwrap();
}

#[test]
fn alg5_finds_quantiles_threshold_and_weights_under_each_treatment_of_the_eliminated() {
    check_alg5(seen).unwrap();
}

#[test]
fn alg5_reads_the_quantile_and_the_chunks_as_told() {
    let g = [0.0, 4.0, 2.0, 10.0, 6.0];
    let reading = Reading { quantile: QuantileRule::Higher, chunking: Chunking::Ceil, ..Reading::default() };
    let selection = select_weights(&g, &[true; 5], 0.5, 4, &reading).unwrap();
    assert_eq!((selection.chunk_quantiles, selection.tau), (vec![4.0, 10.0, 6.0], 20.0 / 3.0));
    assert_eq!(selection.selected, [true, true, true, false, true]);
}

#[test]
fn alg5_rejects_what_it_cannot_select_from() {
    let reading = Reading::default();
    assert!(select_weights(&[1.0], &[true, true], 0.5, 1, &reading).is_err());
    for chunks in [0, 3] {
        assert!(select_weights(&[1.0, 2.0], &[true; 2], 0.5, chunks, &reading).is_err(), "C = {chunks}");
    }
    for alpha in [-0.5, 1.5, f64::NAN] {
        assert!(select_weights(&[1.0], &[true], alpha, 1, &reading).is_err(), "alpha = {alpha}");
    }
    assert!(select_weights(&[f64::NAN], &[true], 0.5, 1, &reading).is_err());
}

#[test]
fn eq5_covers_many_weights_each_by_itself() {
    let g: Vec<f64> = (0..10_000).map(|j| (j % 7) as f64).collect(); // more than one unit of parallel work
    let expected: Vec<bool> = (0..10_000).map(|j| j % 7 < 3).collect();
    assert_eq!(below_threshold(&g, 3.0), expected);
}
