//! A step of op cases, each forward and backward in one, as a port writes it that has never seen PyTorch's dispatcher.

use super::step::{Written, step};
use gdstar::oracle::Verdict;
use gdstar::oracle::record::RecordReport;
use serde_json::{Value, json};

/// The step of [`step`], of the crate's own ops; gradients meet in an aten call.
fn of_op_cases() -> Written {
    let mut written = step();
    let case = |name: &str, op: &str, inputs: [&str; 2], diff: &[&str], tensors: Value| {
        let tensors: Value = tensors
            .as_object()
            .expect("an object")
            .iter()
            .map(|(place, tensor)| (place.clone(), json!({"tensor": tensor})))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let inputs: Vec<&str> = inputs.into_iter().filter(|input| !input.is_empty()).collect();
        json!({"name": name, "op": op, "inputs": inputs, "outputs": ["y"], "upstream": ["y"], "diff": diff,
            "tensors": tensors})
    };
    let meet = written.case("meet").clone();
    written.header["cases"] = json!([
        case(
            "mm1",
            "matmul",
            ["a", "b"],
            &["b"],
            json!({"in/a": "x", "in/b": "w1", "out/y": "h", "dy/y": "dh", "grad/b": "dw1"})
        ),
        case("relu", "relu", ["x", ""], &["x"], json!({"in/x": "h", "out/y": "r", "dy/y": "ds", "grad/x": "dr"})),
        case(
            "branch",
            "add",
            ["a", "b"],
            &["a", "b"],
            json!({"in/a": "h", "in/b": "r", "out/y": "s", "dy/y": "ds", "grad/a": "ds", "grad/b": "ds"})
        ),
        case(
            "mm2",
            "matmul",
            ["a", "b"],
            &["a", "b"],
            json!({"in/a": "s", "in/b": "w2", "out/y": "y", "dy/y": "dy", "grad/a": "ds", "grad/b": "dw2"})
        ),
        meet,
    ]);
    written.header.as_object_mut().expect("an object").remove("loss");
    written
}

fn after(change: impl Fn(&mut Written)) -> RecordReport {
    let mut written = of_op_cases();
    change(&mut written);
    written.judged()
}

#[test]
fn a_correct_step_of_op_cases_passes() {
    let report = of_op_cases().judged();
    assert_eq!((report.verdict, report.findings.first()), (Verdict::Pass, None), "{report}");
    assert!(report.wiring.gradients >= 4, "{report}");
}

/// relu's own gradient is handed back where both branches meet.
#[test]
fn a_branch_that_is_lost_is_named() {
    let report = after(|written| {
        let dw1: Vec<f32> = {
            let (x, d) = (written.tensors["x"].numbers(), written.tensors["dr"].numbers());
            (0..9).map(|at| (0..2).map(|n| x[n * 3 + at / 3] * d[n * 3 + at % 3]).sum::<f64>() as f32).collect()
        };
        written.tensors.insert("dw1".to_string(), gdstar::tensor_file::Tensor::from_slice(&[3, 3], &dw1));
        written.case("mm1")["tensors"]["dy/y"] = json!({"tensor": "dr"});
    });
    let finding = report.findings.iter().find(|finding| finding.label == "wiring.gradient").expect("named");
    let told = finding.likely_cause.as_deref().unwrap_or_default();
    assert_eq!((finding.case.as_str(), finding.place.as_str()), ("mm1", "dy/y"), "{report}");
    assert!(told.contains("the contribution of case `branch` is not in it"), "{told}");
}

/// The output of one op is not the input of the next: a copy that was rounded, here.
#[test]
fn an_input_that_is_not_the_output_before_is_named() {
    let report = after(|written| {
        written.derive("other", "h", |x| x + 1.0);
        let relu: Vec<f32> = written.tensors["other"].numbers().iter().map(|&x| x.max(0.0) as f32).collect();
        written.tensors.insert("r".to_string(), gdstar::tensor_file::Tensor::from_slice(&[2, 3], &relu));
        written.case("relu")["tensors"]["in/x"] = json!({"tensor": "other"});
    });
    let finding = report.findings.iter().find(|finding| finding.label == "wiring.origin").expect("named");
    assert_eq!((finding.case.as_str(), finding.place.as_str()), ("relu", "in/x"), "{report}");
}
