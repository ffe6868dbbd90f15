//! The run level: what is shown to be equivalent, what different, and what neither.

use gdstar::oracle::{Equivalence, RunStatistics, compare_runs};

fn runs(accuracies: &[f64]) -> Vec<RunStatistics> {
    accuracies.iter().map(|&a| RunStatistics { accuracy: Some(a), ..RunStatistics::default() }).collect()
}

fn outcome(port: &[f64], reference: &[f64]) -> Equivalence {
    compare_runs(&runs(port), &runs(reference)).unwrap()[0].outcome
}

/// With sd = 1 in the last digit, margin 3: equal means are equivalent, ten sds are a difference, one run two sds
/// off says nothing.
#[test]
fn equivalence_has_to_be_shown() {
    let reference = [0.980, 0.981, 0.982, 0.983, 0.981, 0.982];
    assert_eq!(outcome(&[0.981, 0.982, 0.9815], &reference), Equivalence::Equivalent);
    assert_eq!(outcome(&[0.9815], &reference), Equivalence::Equivalent);
    assert_eq!(outcome(&[0.984], &reference), Equivalence::Undecided);
    assert_eq!(outcome(&[0.960, 0.961, 0.960], &reference), Equivalence::Different);
    assert_eq!(outcome(&[0.995, 0.996, 0.995], &reference), Equivalence::Different);
}

/// An ensemble of two says nothing about its spread.
#[test]
fn a_small_ensemble_is_refused() {
    let error = compare_runs(&runs(&[0.98]), &runs(&[0.98, 0.98])).unwrap_err().to_string();
    assert!(error.contains("at least 3") && error.contains("found 2"), "{error}");
}
