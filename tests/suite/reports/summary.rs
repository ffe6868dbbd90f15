//! What is told of a run when it is done.

use super::fixtures::run;
use gdstar::method::Method;
use gdstar::method::quantity::Number;
use gdstar::report::{Summary, summary};
use gdstar::train::EpochRecord;

/// Records of one epoch after the other with these (k*, selected, tau, sparsity).
fn records(epochs: &[(usize, usize, f64, f64)]) -> Vec<EpochRecord> {
    let mut records = run(Method::Gdstar, 0, epochs.len(), 0.5, 0.5).records;
    for (record, &(k_star, selected, tau, sparsity)) in records.iter_mut().zip(epochs) {
        record.sparsity = sparsity;
        let numbers =
            [("k_star", Number::Count(k_star)), ("selected", Number::Count(selected)), ("tau", Number::Real(tau))];
        record.numbers = numbers.into_iter().collect();
    }
    records
}

/// The summary, its lines as if no terminal were narrow.
fn told(method: Method, epochs: &[(usize, usize, f64, f64)]) -> String {
    summary(&Summary::new(method, &records(epochs))).replace("\n  ", " ")
}

/// That tau is 0 is said where it is, and of G that there are.
#[test]
fn a_tau_of_0_is_told_where_it_is_one() {
    let cause = "more than alpha_k of the G are exactly 0, so tau = 0";
    let zero = told(Method::Gdstar, &[(0, 9, 0.5, 0.5), (0, 0, 0.0, 0.5), (0, 0, 0.0, 0.5)]);
    assert!(zero.contains("from epoch 1 on no weight was selected: ") && zero.contains(cause), "{zero}");
    let equal = told(Method::Gdstar, &[(0, 9, 0.5, 0.5), (0, 0, 0.25, 0.5), (0, 0, 0.0, 0.5)]);
    assert!(equal.ends_with("from epoch 1 on no weight was selected"), "{equal}");
    let nothing_left = told(Method::Gdstar, &[(0, 9, 0.5, 0.5), (0, 0, 0.0, 1.0)]);
    assert!(nothing_left.ends_with("from epoch 1 on no weight was selected"), "{nothing_left}");
    assert!(!told(Method::Gdstar, &[(0, 0, 0.0, 0.5), (0, 1, 0.5, 0.5)]).contains("no weight was selected"));
}

/// k* is 0 before the first epoch: GDSTAR's first norm is a minimum and moves it to the first epoch; reset never moves it.
#[test]
fn a_rewind_point_that_never_moved_is_not_told_to_have() {
    let held = [(0, 9, 0.5, 0.5); 3];
    assert!(!told(Method::Reset, &held).contains("k* moved"));
    assert!(told(Method::Gdstar, &held).contains("k* moved at epochs 0"));
    let random = told(Method::RandomRewind, &[(0, 9, 0.5, 0.5), (0, 9, 0.5, 0.5), (2, 9, 0.5, 0.5)]);
    assert!(random.contains("k* moved at epochs 2"), "{random}");
}
