//! The fit behind `docs/performance.md`'s cost model: the program of `benches/` itself has no tests.

#[path = "../../benches/measure/cost_model/least_squares.rs"]
mod least_squares;

use least_squares::fit_relative;

/// Rows that `coefficients` explain exactly.
fn rows<const T: usize>(inputs: &[[f64; T]], coefficients: [f64; T]) -> Vec<([f64; T], f64)> {
    inputs.iter().map(|x| (*x, x.iter().zip(coefficients).map(|(x, c)| x * c).sum())).collect()
}

/// Coefficients up to 4 out of a system of two or three well-conditioned columns: a hundred roundings, each magnified by
/// a condition number below 2^10.
const ROUNDING: f64 = 100.0 * 1024.0 * 4.0 * f64::EPSILON;

#[test]
fn exact_measurements_give_their_coefficients() {
    let inputs = [[1.0, 0.0, 2.0], [0.0, 3.0, 1.0], [2.0, 1.0, 0.0], [1.0, 1.0, 1.0], [4.0, 0.0, 1.0]];
    let expected = [3.0, 0.5, 2.0];
    let (found, error) = fit_relative(&rows(&inputs, expected)).unwrap();
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= ROUNDING, "{found} for {expected}");
    }
    assert!(error <= ROUNDING, "{error}");
}

/// Units may differ by many orders of magnitude, as operations and bytes do.
#[test]
fn units_do_not_matter() {
    let inputs = [[1e12, 3.0], [2e12, 1.0], [5e12, 7.0]];
    let (found, _) = fit_relative(&rows(&inputs, [2e-12, 1.0])).unwrap();
    assert!((found[0] * 1e12 - 2.0).abs() <= ROUNDING && (found[1] - 1.0).abs() <= ROUNDING, "{found:?}");
}

/// The plain optimum of these rows has a negative second coefficient; with it held at 0 the first is the least-squares
/// solution of 1 = c x/t alone: sum(x/t) / sum((x/t)^2) = 1.5 / 1.25.
#[test]
fn a_coefficient_that_would_be_negative_is_zero() {
    let (found, error) = fit_relative(&[([1.0, 0.0], 1.0), ([1.0, 1.0], 2.0), ([0.0, -1.0], 1.0)]).unwrap();
    assert!((found[0] - 1.2).abs() <= ROUNDING, "{found:?}");
    assert_eq!(found[1], 0.0);
    // (1.2 - 1)^2 + (0.6 - 1)^2 + (0 - 1)^2
    assert!((error - 1.2).abs() <= ROUNDING, "{error}");
}

/// Two equal columns leave the split between them open: one of them carries all, and neither is NaN.
#[test]
fn dependent_columns_are_not_divided_by() {
    let (found, error) = fit_relative(&[([1.0, 1.0], 2.0), ([2.0, 2.0], 4.0), ([3.0, 3.0], 6.0)]).unwrap();
    assert!((found[0] + found[1] - 2.0).abs() <= ROUNDING, "{found:?}");
    assert!(error <= ROUNDING, "{error}");
}

#[test]
fn fewer_rows_than_coefficients_determine_nothing() {
    assert!(fit_relative(&[([1.0, 2.0], 1.0)]).is_none());
}
