//! A trace and a record in one file: both are judged, and the gradients of the one are, bit for bit, those that the ops of
//! the other made.

use super::step::{Written, step};
use gdstar::oracle::{CheckOptions, Checked, Reach, Verdict, check_file};
use gdstar::tensor_file::Tensor;
use serde_json::json;

/// The step, and a trace of the epoch that it is the only batch of.
fn together() -> Written {
    let mut written = step();
    written.header["epoch"] = json!(0);
    written.header["index"] = json!(0);
    let trace = json!({
        "format": "gdstar-trace/1", "producer": "by hand", "dtype": "f32", "params": ["w1", "w2"],
        "hyper": {"epochs": 1, "alpha_0": 0.5, "alpha_K": 0.5, "lambda": 0.5, "eps": 1e-3, "chunks": 1},
    });
    written.metadata.insert("gdstar".to_string(), trace.to_string());
    for name in ["w1", "w2"] {
        let gradient = written.tensors[&format!("d{name}")].clone();
        let squares: Vec<f32> = gradient.numbers().iter().map(|g| (g * g) as f32).collect();
        written.tensors.insert(format!("epoch/0/G/{name}"), Tensor::from_slice(&gradient.shape, &squares));
        written.tensors.insert(format!("epoch/0/batch/0/grad/{name}"), gradient);
        let weights = written.tensors[name].clone();
        written.tensors.insert(format!("epoch/0/batch/0/weights/{name}"), weights);
    }
    written.tensors.insert("epoch/0/batch/0/input".to_string(), written.tensors["x"].clone());
    written
}

fn checked(written: &Written, reach: Option<Reach>) -> Checked {
    let options = CheckOptions { reach, ..CheckOptions::default() };
    check_file(written.file(), &options, &|_, _| {}).expect("judged")
}

#[test]
fn both_are_judged_and_agree() {
    let checked = checked(&together(), None);
    let (trace, record) = (checked.trace.as_ref().expect("a trace"), checked.record.as_ref().expect("a record"));
    assert_eq!(
        (checked.verdict(), record.verdict, trace.verdict),
        (Verdict::Pass, Verdict::Pass, Verdict::Pass),
        "{checked}"
    );
    assert!(trace.checked.contains(&"eq2") && trace.warnings.is_empty(), "{trace}");
    assert_eq!(record.tied_steps, 1);
    let step = trace.levels.iter().find(|level| level.name == "step").expect("a step level");
    assert!(step.checked && step.status.contains("op by op"), "{}", step.status);
    let json = checked.to_json();
    assert_eq!((&json["verdict"], &json["record"]["verdict"]), (&json!("PASS"), &json!("PASS")));
}

/// One bit of one gradient: the method's equations hold for what it used, and the ops made another.
#[test]
fn a_gradient_that_is_not_the_ops_is_named() {
    let mut written = together();
    let other = |x: f32| if x == 0.0 { x } else { f32::from_bits(x.to_bits() ^ 1) };
    written.derive("epoch/0/batch/0/grad/w1", "dw1", other);
    let checked = checked(&written, None);
    let record = checked.record.as_ref().expect("a record");
    let finding = record.findings.iter().find(|finding| finding.label == "wiring.trace").expect("named");
    assert_eq!((finding.tensor.as_str(), checked.verdict()), ("epoch/0/batch/0/grad/w1", Verdict::Fail), "{checked}");
    let numbers = finding.numbers.expect("the element that differs");
    assert!(numbers.got != numbers.expected_low && numbers.ulps <= 1.0, "{numbers:?}");
}

#[test]
fn less_can_be_asked_for() {
    let written = together();
    let ops = checked(&written, Some(Reach::Ops));
    assert!(ops.trace.is_none() && ops.record.is_some());
    let method = checked(&written, Some(Reach::Method));
    assert!(method.record.is_none());
    let level = method.trace.iter().flat_map(|trace| &trace.levels).find(|level| level.name == "step");
    assert!(level.is_some_and(|level| level.status.contains("--level method")), "{method}");
}

/// A file of op cases without results is `gdstar op`'s input: there is nothing to judge, and that is no PASS.
#[test]
fn a_file_without_results_is_inconclusive() {
    let mut written = step();
    written.header = json!({"format": "gdstar-ops/1", "op": "relu", "cases": [
        {"name": "c", "inputs": ["x"], "outputs": ["y"], "tensors": {"in/x": {"tensor": "h"}}}]});
    let report = written.judged();
    assert_eq!(report.verdict, Verdict::Inconclusive, "{report}");
    assert!(report.inconclusive.iter().any(|reason| reason.contains("no case holds a result")), "{report}");
}

/// An op that is not known is named, and no PASS.
#[test]
fn an_unknown_op_is_named() {
    let mut written = step();
    written.case("relu")["op"] = json!("aten.rectify.default");
    let report = written.judged();
    assert_eq!(report.findings_total, 0, "{report}");
    assert!(report.verdict == Verdict::Inconclusive && report.to_string().contains("aten.rectify.default"), "{report}");
}
