//! What is told of a wrong result: the rule that a port has in the place of the right one, in traces that are right otherwise.

use super::tiny;
use super::written::Written;
use serde_json::json;

/// A label, a trace with results as another rule has them, and words by which that rule is told.
fn slips() -> Vec<(&'static str, Written, &'static str)> {
    let root = f64::sqrt;
    let cosine = |x: f64| 0.5 + 0.5 * libm::cos(x);
    let longer = tiny::layerdrop()
        .declared("hyper", "layers", json!(4))
        .declared("hyper", "prune_rate", json!(0.33))
        .real("step/0/draw", &[0.75, 0.25, 0.5, 0.75])
        .flags("step/0/active", &[1, 0, 0, 1]);
    let first = [root(2.0), root(5.0), root(10.0), root(17.0)];
    vec![
        // Half of the course is done.
        ("gmp.schedule", tiny::gmp().real("step/2/rate", &[0.75 - 0.75 * 0.875]), "1 - x^3"),
        ("gmp.schedule", tiny::gmp().real("step/2/rate", &[0.66]), "`rate` is rounded to whole percents"),
        ("rigl.schedule", tiny::rigl().real("step/2/fraction", &[root(0.5)]), "quarter wave"),
        ("rigl.schedule", tiny::rigl().real("step/2/fraction", &[cosine(0.5)]), "lacks pi"),
        (
            "rigl.schedule",
            tiny::rigl().real("step/2/fraction", &[cosine(0.25 * std::f64::consts::PI)]),
            "counts updates",
        ),
        ("rigl.init", tiny::rigl().flags("init_mask/fc", &[1; 4]), "every weight is active at the start"),
        ("procrustes.schedule", tiny::procrustes().real("step/0/rate", &[libm::exp(-0.5)]), "exp(-lambda e)"),
        (
            "dropback.step",
            tiny::dropback().real("step/0/between/fc", &[0.0, 0.0, 0.0, 3.5]),
            "`grad` is taken without its sign",
        ),
        ("topkast.step", tiny::topkast().changed("step/0/weights_after/fc", 3, -6.0), "has no sign"),
        ("topkast.step", tiny::topkast().changed("step/0/weights_after/fc", 2, 1.0), "divided by the sparsity"),
        (
            "grasp.score",
            tiny::grasp().changed("step/0/weights_before/fc", 1, -2.0),
            "`weights_before` is taken without",
        ),
        ("lth.score", tiny::lth().real("step/1/score/fc", &[-4.0; 4]), "increase in size"),
        ("lmc.score", tiny::lmc().real("step/5/score", &[1.0]), "median"),
        ("lmc.grid", tiny::lmc().real("step/5/alpha", &[0.0, 1.0 / 3.0, 2.0 / 3.0]), "left open"),
        ("layerdrop.kept_layers", longer.flags("kept_layers", &[1, 0, 1, 1]), "from the last layer down"),
        (
            "amc.score",
            tiny::amc()
                .real("step/0/importance/a", &first)
                .real("step/0/importance/b", &[1.0, 2.0, root(10.0), root(17.0)]),
            "2-norm",
        ),
    ]
}

#[test]
fn the_rule_in_the_place_of_the_right_one_is_told() {
    for (label, trace, words) in slips() {
        let report = trace.report();
        let finding = report.findings.iter().find(|finding| finding.equation == label);
        let told = finding.unwrap_or_else(|| panic!("{label} has no finding")).likely_cause.clone().unwrap_or_default();
        assert!(told.contains(words), "{label}: `{told}` says nothing of {words}");
    }
}

/// A factor whose source is in the header is told by it.
#[test]
fn a_factor_is_told_by_the_number_that_it_is() {
    let trace = tiny::snip();
    let kept = 0.5;
    let surviving = trace.tensors["step/0/weights_after/fc"].numbers().iter().map(|w| w / kept).collect::<Vec<_>>();
    let report = trace.real("step/0/weights_after/fc", &surviving).report();
    let told = report.findings[0].likely_cause.clone().unwrap_or_default();
    assert!(told.ends_with("1 / `sparsity`") || told.ends_with("1 / (1 - `sparsity`)"), "{told}");
}

/// What a step finds is what the step before left: that a result is its own successor explains nothing.
#[test]
fn a_result_does_not_explain_itself() {
    // Neither the smallest nor the first is kept: no known rule is.
    let trace = tiny::gmp().flags("step/2/mask/fc", &[0, 1, 0, 0]).flags("step/3/mask_before/fc", &[0, 1, 0, 0]);
    let findings = trace.report().findings;
    assert!(findings.iter().any(|finding| finding.equation == "gmp.mask"));
    for finding in findings {
        let told = finding.likely_cause.unwrap_or_default();
        assert!(!told.contains("that of the step after"), "{}: {told}", finding.equation);
    }
}
