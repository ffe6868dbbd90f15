//! One wrong number a label, in traces that are right otherwise: it is found, first of all at its label.

use super::tiny;
use super::written::Written;
use gdstar::method::DECLARED;
use gdstar::oracle::{Report, Verdict};
use serde_json::json;
use std::collections::BTreeSet;

/// A label, and where a wrong number is put.
type Planted = (&'static str, &'static str, usize, f64);

fn planted() -> Vec<(Written, Vec<Planted>)> {
    vec![
        (
            tiny::dropback(),
            vec![
                ("carry", "momentum_before/fc", 0, 1.0),
                ("step", "between/fc", 1, 4.5),
                ("count", "keep", 0, 3.0),
                ("score", "score/fc", 2, 9.0),
                ("track", "mask/fc", 3, 1.0),
                ("reset", "weights_after/fc", 0, 0.0),
                ("momentum", "momentum/fc", 1, 0.0),
            ],
        ),
        (tiny::dropback_by_sums(), vec![("accumulate", "accumulated/fc", 0, 1.0)]),
        (
            tiny::procrustes(),
            vec![
                ("carry", "weights_before/fc", 0, 1.5),
                ("step", "between/fc", 1, 4.5),
                ("schedule", "rate", 0, 1.0),
                ("count", "keep", 0, 1.0),
                ("score", "score/fc", 2, 9.0),
                ("track", "mask/fc", 0, 1.0),
                ("reset", "weights_after/fc", 0, 1.0),
                ("momentum", "momentum/fc", 0, 0.0),
                ("accumulate", "accumulated/fc", 0, 1.0),
            ],
        ),
        (tiny::procrustes_by_dumique(), vec![("quantile", "quantile", 1, 0.75)]),
        (
            tiny::lth(),
            vec![
                ("count", "keep", 0, 1.0),
                ("score", "score/fc", 1, -2.0),
                ("mask", "mask/fc", 1, 1.0),
                ("rewind", "weights_after/fc", 0, 5.0),
                ("count", "keep", 0, 3.0),
                ("mask", "mask/fc", 2, 0.0),
                ("rewind", "weights_after/fc", 2, 3.0),
                ("momentum", "momentum/fc", 0, 0.5),
            ],
        ),
        (
            tiny::snip(),
            vec![
                ("count", "keep", 0, 1.0),
                ("score", "score/fc", 0, -4.0),
                ("mask", "mask/fc", 0, 0.0),
                ("weights", "weights_after/fc", 0, 4.0),
                ("count", "keep", 0, 3.0),
                ("score", "score/fc", 1, 1.0),
                ("mask", "mask/fc", 1, 1.0),
                ("weights", "weights_after/fc", 1, 2.0),
            ],
        ),
        (
            tiny::grasp(),
            vec![
                ("count", "keep", 0, 1.0),
                ("score", "score/fc", 0, 1.0),
                ("mask", "mask/fc", 2, 0.0),
                ("weights", "weights_after/fc", 3, 4.0),
                ("count", "keep", 0, 3.0),
                ("score", "score/fc", 1, -2.0),
                ("mask", "mask/fc", 1, 1.0),
                ("weights", "weights_after/fc", 1, 2.0),
            ],
        ),
        (
            tiny::gmp(),
            vec![
                ("when", "updated", 0, 0.0),
                ("step", "between/fc", 0, 0.5),
                ("schedule", "rate", 0, 0.375),
                ("count", "keep", 0, 2.0),
                ("score", "score/fc", 0, 0.5),
                ("mask", "mask/fc", 2, 1.0),
                ("weights", "weights_after/fc", 0, 1.0),
                ("momentum", "momentum/fc", 0, 2.0),
            ],
        ),
        (
            tiny::set(),
            vec![
                ("when", "updated", 0, 0.0),
                ("step", "between/fc", 0, 3.5),
                ("schedule", "fraction", 0, 0.25),
                ("count", "drop", 0, 2.0),
                ("score", "score/fc", 2, -1.0),
                ("drop", "kept/fc", 2, 1.0),
                ("grow", "mask/fc", 3, 0.0),
                ("weights", "weights_after/fc", 3, 0.1),
                ("momentum", "momentum/fc", 3, 1.0),
            ],
        ),
        (
            tiny::rigl(),
            vec![
                ("when", "updated", 0, 0.0),
                ("step", "between/fc", 0, 3.5),
                ("schedule", "fraction", 0, 1.0),
                ("count", "drop", 0, 2.0),
                ("score", "score/fc", 2, -1.0),
                ("drop", "kept/fc", 2, 1.0),
                ("grow", "mask/fc", 3, 0.0),
                ("weights", "weights_after/fc", 3, 0.1),
                ("momentum", "momentum/fc", 3, 1.0),
            ],
        ),
        (
            tiny::granet(),
            vec![
                ("when", "updated", 0, 0.0),
                ("step", "between/fc", 0, 3.5),
                ("schedule", "rate", 0, 0.625),
                ("prune", "pruned/fc", 2, 1.0),
                ("count", "drop", 0, 0.0),
                ("score", "score/fc", 0, -3.0),
                ("drop", "kept/fc", 0, 1.0),
                ("grow", "mask/fc", 1, 1.0),
                ("weights", "weights_after/fc", 3, 0.1),
                ("momentum", "momentum/fc", 3, 1.0),
            ],
        ),
        (
            tiny::acdc(),
            vec![
                ("when", "updated", 0, 0.0),
                ("count", "keep", 0, 1.0),
                ("score", "score/fc", 1, -2.0),
                ("mask", "mask/fc", 1, 1.0),
                ("weights", "between/fc", 0, 1.0),
                ("step", "weights_after/fc", 2, 2.0),
                ("step", "weights_after/fc", 0, -1.0),
                ("momentum", "momentum/fc", 2, 2.0),
                ("momentum", "momentum/fc", 0, 1.0),
            ],
        ),
        (
            tiny::topkast(),
            vec![
                ("carry", "momentum_before/fc", 2, 1.0),
                ("when", "updated", 0, 0.0),
                ("count", "keep_backward", 0, 1.0),
                ("forward", "mask/fc", 2, 1.0),
                ("forward", "mask/fc", 3, 0.0),
                ("backward", "backward/fc", 2, 0.0),
                ("backward", "backward/fc", 0, 1.0),
                ("step", "weights_after/fc", 0, 0.0),
                ("momentum", "momentum/fc", 0, 2.0),
            ],
        ),
        (
            tiny::lmc(),
            vec![
                ("grid", "alpha", 1, 0.25),
                ("interpolate", "theta/1/w", 0, 3.0),
                ("interpolate", "theta/0/w", 1, -2.0),
                ("score", "score", 0, 3.0),
                ("score", "score", 0, 6.0),
                ("barrier", "barrier", 0, 2.0),
            ],
        ),
        (
            tiny::sdgp(),
            vec![
                ("select", "pruned/dense", 1, -2.0),
                ("select", "pruned/dense", 3, 0.0),
                ("scale", "pruned/dense", 2, 6.0),
                ("scale", "pruned/dense", 3, -8.0),
                ("weight_gradient", "grad_weight/dense", 0, 0.0),
                ("weight_gradient", "grad_weight/dense", 7, -4.0),
                ("data_gradient", "grad_input/dense", 0, 0.0),
                ("data_gradient", "grad_input/dense", 1, 3.0),
            ],
        ),
        (
            tiny::layerdrop(),
            vec![("active", "active", 0, 0.0), ("active", "active", 1, 1.0), ("active", "active", 2, 1.0)],
        ),
        (
            tiny::amc(),
            vec![
                ("clip", "ratio_allowed", 1, 0.75),
                ("count", "keep", 1, 3.0),
                ("count", "keep", 1, 1.0),
                ("score", "importance/b", 0, 3.0),
                ("channels", "channels/b", 1, 1.0),
                ("weights", "weights_after/b", 0, 1.0),
                ("flops", "flops", 0, 16.0),
                ("reward", "reward", 0, 0.25),
            ],
        ),
    ]
}

/// Of the whole trace.
fn planted_outside_of_steps() -> Vec<(Written, Planted)> {
    vec![
        (tiny::snip(), ("distribution", "sparsity", 0, 0.75)),
        (tiny::grasp(), ("distribution", "sparsity", 0, 0.75)),
        (tiny::set(), ("distribution", "sparsity", 0, 0.75)),
        (tiny::rigl(), ("distribution", "sparsity", 0, 0.75)),
        (tiny::granet(), ("distribution", "sparsity", 0, 0.75)),
        (tiny::set(), ("init", "init_mask/fc", 1, 1.0)),
        (tiny::rigl(), ("init", "init_mask/fc", 1, 1.0)),
        (tiny::granet(), ("init", "init_mask/fc", 1, 1.0)),
        (tiny::lmc(), ("argmin", "k_star", 0, 5.0)),
        (tiny::lmc(), ("stable", "k_stable", 0, 5.0)),
        (tiny::layerdrop(), ("kept_layers", "kept_layers", 0, 0.0)),
        (tiny::layerdrop(), ("kept_layers", "kept_layers", 1, 1.0)),
        (tiny::layerdrop(), ("kept_layers", "kept_layers", 2, 0.0)),
    ]
}

/// A trace that is right under another header than it has, and the label and the step at which that shows.
fn planted_in_the_header() -> Vec<(Written, &'static str, Option<usize>)> {
    vec![
        (tiny::layerdrop().declared("hyper", "p", json!(0.125)), "active", Some(0)),
        (tiny::layerdrop().declared("reading", "depth_origin", json!("0")), "kept_layers", None),
    ]
}

/// How many faults are planted in a method's traces.
pub fn faults(name: &str) -> usize {
    let in_steps: usize = planted().iter().filter(|(trace, _)| method(trace) == name).map(|(_, all)| all.len()).sum();
    let outside = planted_outside_of_steps().iter().filter(|(trace, _)| method(trace) == name).count();
    in_steps + outside + planted_in_the_header().iter().filter(|(trace, ..)| method(trace) == name).count()
}

fn method(trace: &Written) -> String {
    trace.header["method"].as_str().unwrap().to_string()
}

#[test]
fn what_is_right_passes() {
    for (method, trace) in tiny::all() {
        let report = trace.report();
        assert_eq!(report.verdict, Verdict::Pass, "{method}: {:?} {:?}", report.findings.first(), report.not_checked);
        assert_eq!(report.warnings, Vec::<String>::new(), "{method}");
    }
}

#[test]
fn what_is_wrong_is_found_first_at_its_label() {
    for (trace, all) in planted() {
        let t = step(&trace).unwrap();
        for (label, quantity, index, value) in all {
            let wrong = trace.clone().changed(&format!("step/{t}/{quantity}"), index, value);
            found_at(&wrong, label, &format!("step/{t}/{quantity}"), Some(t));
        }
    }
    for (trace, (label, tensor, index, value)) in planted_outside_of_steps() {
        found_at(&trace.changed(tensor, index, value), label, tensor, None);
    }
    for (wrong, label, step) in planted_in_the_header() {
        found_at(&wrong, label, "header", step);
    }
}

/// A number that is none, in an operand or a result, is found where it stands, and called what it is.
#[test]
fn what_is_not_finite_is_found_at_its_label() {
    for (trace, all) in planted() {
        let t = step(&trace).unwrap();
        // What SDGP keeps is what is not 0: NaN is kept where nothing should be.
        for (label, quantity, index, _) in all.into_iter().filter(|(_, quantity, ..)| !quantity.starts_with("pruned")) {
            let name = format!("step/{t}/{quantity}");
            if trace.tensors[&name].dtype != safetensors::Dtype::F64 {
                continue;
            }
            for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                let report = found_at(&trace.clone().changed(&name, index, value), label, &name, Some(t));
                let cause = report.findings[0].likely_cause.clone().unwrap_or_default();
                assert!(cause.contains("not finite"), "{name}: {cause}");
            }
        }
    }
}

/// W is what `prunable` has: what a port adds to it is a finding, what it leaves out without a word a warning.
#[test]
fn params_are_what_prunable_has() {
    let bias = |trace: Written| trace.real("step/0/weights_before/fc.bias", &[1.0, 2.0]);
    let added = bias(tiny::dropback()).declared("", "params", json!(["fc", "fc.bias"]));
    let report = added.report();
    let first = &report.findings[0];
    assert_eq!((report.verdict, first.equation, first.step), (Verdict::Fail, "dropback.carry", None));
    assert_eq!((&*first.tensor, first.got), ("params/fc.bias", 1.0));
    let cause = first.likely_cause.as_deref().unwrap();
    assert!(cause.contains("`prunable` = `weights+biases`"), "{cause}");
    let meant = added.declared("reading", "prunable", json!("weights+biases"));
    assert!(meant.report().findings.iter().all(|finding| !finding.tensor.starts_with("params/")));
    assert!(bias(tiny::dropback()).report().findings.is_empty());

    let forgotten = tiny::dropback().with("step/0/weights_before/last", &[2, 2], &[1.0; 4]);
    let report = forgotten.report();
    assert!(report.findings.is_empty(), "a layer may be kept dense");
    assert!(report.warnings.iter().any(|warning| warning.contains("`last`")), "{:?}", report.warnings);
    let meant = forgotten.declared("", "not_prunable", json!(["last"])).report();
    assert!(meant.findings.is_empty() && meant.warnings.is_empty(), "{:?}", meant.warnings);
}

/// The first step that a trace records.
fn step(trace: &Written) -> Option<usize> {
    trace.tensors.keys().find_map(|name| name.split('/').nth(1)?.parse().ok())
}

fn found_at(wrong: &Written, label: &str, tensor: &str, step: Option<usize>) -> Report {
    let report = wrong.report();
    assert_eq!(report.verdict, Verdict::Fail, "{} {label}", method(wrong));
    let first = &report.findings[0];
    assert_eq!((first.equation, first.step), (&*format!("{}.{label}", method(wrong)), step), "{tensor}: {first:?}");
    report
}

/// Every label that a method declares is one that its trace here is judged by, in the declared order, and has a wrong number
/// above.
#[test]
fn every_declared_label_is_judged() {
    let traces = tiny::all();
    let mut tried: BTreeSet<(String, &str)> = BTreeSet::new();
    for (trace, all) in planted() {
        tried.extend(all.iter().map(|(label, ..)| (method(&trace), *label)));
    }
    tried.extend(planted_outside_of_steps().iter().map(|(trace, (label, ..))| (method(trace), *label)));
    for entry in DECLARED.iter().filter(|entry| !entry.labels.is_empty()) {
        let own: Vec<&Written> =
            traces.iter().filter(|(name, _)| *name == entry.name).map(|(_, trace)| trace).collect();
        assert!(!own.is_empty(), "{}: no trace", entry.name);
        let reports: Vec<_> = own.iter().map(|trace| trace.report()).collect();
        let of_page = |full: &&'static str| full.split_once('.').unwrap().1;
        let is_own = |label: &&str| !["carry", "distribution", "init"].contains(label);
        let names: Vec<&str> = reports[0].names.iter().map(of_page).filter(is_own).collect();
        assert_eq!(names, entry.labels, "{}", entry.name);
        for label in entry.labels {
            let full = format!("{}.{label}", entry.name);
            assert!(reports.iter().any(|report| report.checked.contains(&&*full)), "{full} is not judged");
            assert!(tried.contains(&(entry.name.to_string(), label)), "{full}: nothing wrong is tried");
        }
    }
}
