//! Nesterov's momentum where it is declared, and where it is not.

use super::tiny;
use super::written::Written;
use gdstar::oracle::Verdict;
use serde_json::json;

/// GMP's step with momentum v = [4, 0, -2, 2] and g = 2: v' = [4, 2, 1, 3], w moves by v' / 2.
fn plain() -> Written {
    tiny::gmp()
        .real("step/2/momentum_before/fc", &[4.0, 0.0, -2.0, 2.0])
        .real("step/2/between/fc", &[-1.0, 1.0, 2.5, 2.5])
        .real("step/2/score/fc", &[1.0, 1.0, 2.5, 2.5])
        .flags("step/2/mask/fc", &[0, 0, 1, 0])
        .real("step/2/weights_after/fc", &[0.0, 0.0, 2.5, 0.0])
        .real("step/2/momentum/fc", &[0.0, 0.0, 1.0, 0.0])
}

/// The same with Nesterov's: w moves by (g + v' / 2) / 2.
fn nesterovs() -> Written {
    plain()
        .real("step/2/between/fc", &[-1.0, 0.5, 1.75, 2.25])
        .real("step/2/score/fc", &[1.0, 0.5, 1.75, 2.25])
        .flags("step/2/mask/fc", &[0, 0, 0, 1])
        .real("step/2/weights_after/fc", &[0.0, 0.0, 0.0, 2.25])
        .real("step/2/momentum/fc", &[0.0, 0.0, 0.0, 3.0])
}

/// Top-KAST's first step: of B = {2, 3}, g + r = 2 + 6 and 2 - 2, v' = 8 and 0, and w moves by (8 + 4) / 2 and 0.
fn drawn() -> Written {
    tiny::topkast().real("step/0/weights_after/fc", &[1.0, -2.0, -3.0, -4.0])
}

fn declaring(trace: Written, nesterov: bool) -> Written {
    trace.declared("", "nesterov", json!(nesterov))
}

#[test]
fn steps_are_judged_by_the_momentum_that_is_declared() {
    for (trace, nesterov) in [(plain(), false), (nesterovs(), true), (drawn(), true)] {
        let report = declaring(trace, nesterov).report();
        assert_eq!(report.verdict, Verdict::Pass, "{:?}", report.findings.first());
    }
    assert_eq!(plain().report().verdict, Verdict::Pass, "none declared");
}

#[test]
fn the_other_momentum_is_named() {
    for (trace, declared, label, cause) in [
        (plain(), true, "gmp.step", "the momentum is not Nesterov's"),
        (nesterovs(), false, "gmp.step", "the momentum is Nesterov's"),
        (drawn(), false, "topkast.step", "the momentum is Nesterov's"),
    ] {
        let report = declaring(trace, declared).report();
        let first = &report.findings[0];
        assert_eq!((report.verdict, first.equation), (Verdict::Fail, label));
        // Without momentum before, Nesterov's way is the classical one at a larger rate.
        assert!(first.likely_cause.as_deref().is_some_and(|told| told.contains(cause)), "{first:?}");
    }
}

/// Another learning rate is fitted along Nesterov's way.
#[test]
fn another_rate_is_found_along_the_way() {
    let report = declaring(nesterovs().real("step/2/lr", &[0.25]), true).report();
    let first = &report.findings[0];
    assert_eq!((report.verdict, first.equation), (Verdict::Fail, "gmp.step"));
    let cause = first.likely_cause.as_deref().unwrap_or_default();
    assert!(cause.contains("learning rate"), "{cause}");
}

/// A number that is off by more than the bound is found, one within it is not.
#[test]
fn the_bound_is_that_of_the_longer_way() {
    // 11 u (|w| + eta (1 + mu) (mu |v| + |g|)) of weight 1: w = 2, v = 0, g = 2.
    let bound = 11.0 * f64::EPSILON / 2.0 * (2.0 + 0.5 * 1.5 * 2.0);
    for (factor, verdict) in [(0.9, Verdict::Pass), (1.5, Verdict::Fail)] {
        let value = 0.5 + factor * bound;
        let trace = nesterovs().changed("step/2/between/fc", 1, value).changed("step/2/score/fc", 1, value);
        assert_eq!(declaring(trace, true).report().verdict, verdict, "{factor}");
    }
}
