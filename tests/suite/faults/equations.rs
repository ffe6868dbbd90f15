//! Single-line mistakes in the equations, handed to the checks that the equations themselves pass.

mod gradients;
mod thresholds;
mod updates;

/// The check passes the real implementation and fails every faulty one.
fn caught<F: ?Sized>(check: impl Fn(&F) -> Result<(), String>, real: &F, faults: &[(&str, &F)]) {
    check(real).unwrap_or_else(|failure| panic!("the check fails what it should pass: {failure}"));
    for (fault, faulty) in faults {
        assert!(check(faulty).is_err(), "not caught: {fault}");
    }
}
