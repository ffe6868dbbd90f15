//! The oracle's list of claims, tied to the paper's list of equations.

use gdstar::oracle::golden::DERIVATIONS;
use gdstar::oracle::{EQUATION_NAMES, claimed};
use gdstar::paper::EQUATIONS;

/// `Eq. 3` as findings name it.
fn name(number: &str) -> String {
    number.to_lowercase().replace(". ", "")
}

/// Every equation that a trace can show is claimed, and nothing is claimed that the paper has not.
#[test]
fn every_equation_is_claimed() {
    let mut names = EQUATION_NAMES.to_vec();
    names.sort_unstable();
    assert_eq!(claimed(), names);
    let paper: Vec<String> = EQUATIONS.iter().map(|equation| name(equation.number)).collect();
    // Alg. 5 is Eq. 5 to 7 in a row, and what chunks save (Eq. 10, 11) is no quantity of a run.
    let elsewhere = ["alg5", "eq10", "eq11"];
    for equation in paper.iter().filter(|equation| !elsewhere.contains(&equation.as_str())) {
        assert!(names.contains(&equation.as_str()), "{equation} is not claimed");
    }
    // Training itself is the paper's Alg. 1, which is no equation of the method.
    for name in names.iter().filter(|name| **name != "alg1") {
        assert!(paper.iter().any(|equation| equation == name), "{name} is not the paper's");
    }
}

/// Every equation of the paper has its exact derivation, by which its golden file is made.
#[test]
fn every_equation_is_derived() {
    let mut derived: Vec<String> = DERIVATIONS.iter().map(|(equation, _)| equation.to_string()).collect();
    let mut paper: Vec<String> = EQUATIONS.iter().map(|equation| name(equation.number)).collect();
    derived.sort_unstable();
    paper.sort_unstable();
    assert_eq!(derived, paper);
}
