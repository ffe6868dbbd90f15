//! The number systems keep what their documentation promises.
//!
//! Every check is a function of the implementation it checks, so that the planted faults beside it (deliberately wrong
//! variants) go through the very same check and must fail it.

mod bounded;
mod double_double;
mod dual;
mod error_free;
mod long_sum;
mod non_finite;

/// What a check found wrong, or nothing.
type Verdict = Result<(), String>;

/// The planted fault must be caught.
#[track_caller]
fn assert_caught(fault: &str, verdict: Verdict) {
    assert!(verdict.is_err(), "planted fault not caught: {fault}");
}

/// The implementation must pass.
#[track_caller]
fn assert_sound(verdict: Verdict) {
    if let Err(found) = verdict {
        panic!("{found}");
    }
}

/// `2^k` for any `k` from -1074 to 1023.
fn power_of_two(k: i32) -> f64 {
    if k >= -1022 { f64::from_bits(((1023 + k) as u64) << 52) } else { f64::from_bits(1 << (k + 1074)) }
}
