//! How the ops of a step hang together: a correct step passes, and each thing that may happen to it between two ops is
//! named, with the case and the rule, though every op is right on its own operands.

use super::step::{Written, step};
use gdstar::oracle::Verdict;
use gdstar::oracle::record::RecordReport;
use serde_json::{Value, json};

#[test]
fn a_correct_step_passes_and_every_tensor_is_traced() {
    let report = step().judged();
    assert_eq!((report.verdict, report.findings.first()), (Verdict::Pass, None), "{report}");
    assert!(report.inconclusive.is_empty() && report.not_judged.is_empty(), "{report}");
    // The gradients of h, of r and of the two parameters; that of y is all 1, which tells nothing.
    assert_eq!(report.wiring.operands, 22, "{report}");
    assert_eq!((report.wiring.saved, report.wiring.gradients), (1, 4), "{report}");
}

/// The first finding of a rule, which has to be there.
fn found<'a>(report: &'a RecordReport, rule: &str) -> (&'a str, &'a str) {
    assert_eq!(report.verdict, Verdict::Fail, "{rule}: {report}");
    let finding = report.findings.iter().find(|finding| finding.label == rule);
    let finding = finding.unwrap_or_else(|| panic!("no {rule}: {report}"));
    (&finding.case, finding.likely_cause.as_deref().unwrap_or_default())
}

fn tensor(name: &str) -> Value {
    json!({"tensor": name})
}

fn after(change: impl Fn(&mut Written)) -> RecordReport {
    let mut written = step();
    change(&mut written);
    written.judged()
}

/// What follows from another dh is made to follow, so that every op is right.
fn with_dh(written: &mut Written, dh: &str) {
    written.case("mm1.dw")["args"][1] = tensor(dh);
    let (x, d) = (written.tensors["x"].numbers(), written.tensors[dh].numbers());
    let entry = |i: usize, j: usize| (0..2).map(|n| x[n * 3 + i] * d[n * 3 + j]).sum::<f64>() as f32;
    let dw1: Vec<f32> = (0..9).map(|at| entry(at / 3, at % 3)).collect();
    written.tensors.insert("dw1".to_string(), gdstar::tensor_file::Tensor::from_slice(&[3, 3], &dw1));
}

#[test]
fn a_contribution_that_is_lost_is_named() {
    let report = after(|written| with_dh(written, "ds"));
    let (case, told) = found(&report, "wiring.gradient");
    assert_eq!(case, "mm1.dw");
    assert!(told.contains("`relu` is not in it"), "{told}");
    assert!(report.findings.iter().all(|finding| finding.label.starts_with("wiring")), "every op is right: {report}");
}

/// s = h + r + relu(r): the branch ends in a ReLU's result, and nobody differentiates it. A port that detaches it by
/// intention says so.
#[test]
fn a_branch_that_ends_in_a_relu_is_lost_unless_it_is_detached() {
    let with_branch = |detached: bool| {
        after(|written| {
            written.derive("negative", "h", |h| -h);
            written.derive("cut", "negative", |x| x.max(0.0));
            let sum: Vec<f32> = ["s", "cut"]
                .map(|name| written.tensors[name].numbers())
                .iter()
                .fold(vec![0.0; 6], |sum, x| sum.iter().zip(x).map(|(a, b)| a + *b as f32).collect());
            written.tensors.insert("all".to_string(), gdstar::tensor_file::Tensor::from_slice(&[2, 3], &sum));
            let call = |name: &str, op: &str, args: Value, result: &str| json!({"name": name, "op": op, "phase": "forward", "args": args, "results": [tensor(result)]});
            let mut branch = vec![
                call("turn", "aten.neg.default", json!([tensor("h")]), "negative"),
                call("cut", "aten.relu.default", json!([tensor("negative")]), "cut"),
            ];
            if detached {
                branch.push(call("stop", "aten.detach.default", json!([tensor("cut")]), "cut"));
            }
            branch.push(call("three", "aten.add.Tensor", json!([tensor("s"), tensor("cut")]), "all"));
            let cases = written.header["cases"].as_array_mut().unwrap();
            cases.splice(3..3, branch);
            for name in ["mm2", "mm2.st"] {
                written.case(name)["args"][0] = tensor("all");
            }
            let numbers = |name: &str| written.tensors[name].numbers();
            let (all, w2) = (numbers("all"), numbers("w2"));
            let y: Vec<f32> =
                (0..4).map(|at| (0..3).map(|k| all[at / 2 * 3 + k] * w2[k * 2 + at % 2]).sum::<f64>() as f32).collect();
            let st: Vec<f32> = (0..6).map(|at| all[at % 2 * 3 + at / 2] as f32).collect();
            let dw2: Vec<f32> = (0..6).map(|at| (all[at / 2] + all[3 + at / 2]) as f32).collect();
            let loss = [y.iter().sum::<f32>()];
            let made: [(&str, [usize; 2], &[f32]); 4] =
                [("y", [2, 2], &y), ("st", [3, 2], &st), ("dw2", [3, 2], &dw2), ("loss", [1, 1], &loss)];
            for (name, shape, numbers) in made {
                written.tensors.insert(name.to_string(), gdstar::tensor_file::Tensor::from_slice(&shape, numbers));
            }
        })
    };
    let report = with_branch(false);
    let (case, told) = found(&report, "wiring.gradient");
    assert_eq!(case, "mm1.dw");
    assert!(told.contains("is not in it"), "{told}");
    assert!(report.findings.iter().all(|finding| finding.label.starts_with("wiring")), "every op is right: {report}");
    let report = with_branch(true);
    assert_eq!(report.verdict, Verdict::Pass, "{report}");
}

#[test]
fn a_contribution_that_is_there_twice_is_named() {
    let report = after(|written| {
        written.case("meet")["args"] = json!([tensor("dr"), tensor("dr")]);
        written.derive("dh", "dr", |x| 2.0 * x);
        with_dh(written, "dh");
    });
    let (case, told) = found(&report, "wiring.gradient");
    assert_eq!(case, "mm1.dw");
    assert!(told.contains("`relu` is in it twice"), "{told}");
}

#[test]
fn a_contribution_of_another_op_is_named() {
    let report = after(|written| {
        written.case("meet")["args"] = json!([tensor("ds"), tensor("h")]);
        let sum: Vec<f32> = written.tensors["ds"]
            .numbers()
            .iter()
            .zip(written.tensors["h"].numbers())
            .map(|(a, b)| (a + b) as f32)
            .collect();
        written.tensors.insert("dh".to_string(), gdstar::tensor_file::Tensor::from_slice(&[2, 3], &sum));
        with_dh(written, "dh");
    });
    let (case, told) = found(&report, "wiring.gradient");
    assert_eq!(case, "mm1.dw");
    assert!(told.contains("`results[0]` of case `mm1` is in it"), "{told}");
}

/// The gradient of ReLU is the same at a stale buffer of the same signs: only its origin tells.
#[test]
fn a_stale_buffer_is_named_by_what_belongs_there() {
    let report = after(|written| written.case("relu.bwd")["args"][1] = tensor("stale"));
    let (case, told) = found(&report, "wiring.saved");
    assert_eq!(case, "relu.bwd");
    assert!(told.contains("`results[0]` of the forward case `relu`, tensor `r`"), "{told}");
    assert!(report.findings.iter().all(|finding| finding.label.starts_with("wiring")), "{report}");
}

#[test]
fn operands_that_are_swapped_are_named() {
    let report = after(|written| {
        written.case("relu.bwd")["args"] = json!([tensor("r"), tensor("ds"), 0]);
        // What the op then gives.
        let (r, ds) = (written.tensors["r"].numbers(), written.tensors["ds"].numbers());
        let dr: Vec<f32> = r.iter().zip(&ds).map(|(r, d)| if *d > 0.0 { *r as f32 } else { 0.0 }).collect();
        written.tensors.insert("dr".to_string(), gdstar::tensor_file::Tensor::from_slice(&[2, 3], &dr));
        let dh: Vec<f32> = dr.iter().zip(&ds).map(|(a, b)| a + *b as f32).collect();
        written.tensors.insert("dh".to_string(), gdstar::tensor_file::Tensor::from_slice(&[2, 3], &dh));
        with_dh(written, "dh");
    });
    let (case, told) = found(&report, "wiring.saved");
    assert_eq!(case, "relu.bwd");
    assert!(told.contains("is `results[0]` of case `mm2.dx`, not"), "{told}");
}

#[test]
fn gradients_that_are_scaled_for_the_optimizer_are_told_with_the_factor() {
    let report = after(|written| {
        written.derive("handed", "dw1", |x| 0.25 * x);
        written.header["grads"]["w1"] = tensor("handed");
    });
    let (case, told) = found(&report, "wiring.optimizer");
    assert_eq!(case, "grads");
    assert!(told.contains("it is tensor `dw1` times 0.25"), "{told}");
}

#[test]
fn zeros_in_a_gradients_place_are_named() {
    let report = after(|written| {
        written.derive("nothing", "dw1", |_| 0.0);
        written.header["grads"]["w1"] = tensor("nothing");
    });
    let (_, told) = found(&report, "wiring.optimizer");
    assert!(told.contains("all 0") && told.contains("`dw1`"), "{told}");
}

/// The backward pass begins at the loss, and not at another number of the forward pass.
#[test]
fn another_loss_than_the_one_that_is_differentiated_is_named() {
    let begun = |loss: &str| {
        after(|written| {
            written.derive("larger", "loss", |x| 2.0 * x);
            written.derive("one", "loss", |_| 1.0);
            let cases = written.header["cases"].as_array_mut().unwrap();
            let first = cases.iter().position(|case| case["phase"] == "backward").unwrap();
            let call = |name: &str, op: &str, args: Value, result: &str| json!({"name": name, "op": op, "phase": "forward", "args": args, "results": [tensor(result)]});
            cases.insert(first, call("begin", "aten.ones_like.default", json!([tensor("loss")]), "one"));
            cases.insert(first, call("twice", "aten.mul.Scalar", json!([tensor("loss"), 2.0]), "larger"));
            written.header["loss"] = tensor(loss);
        })
    };
    assert!(begun("loss").findings.is_empty(), "{}", begun("loss"));
    let report = begun("larger");
    assert!(found(&report, "wiring.loss").1.contains("begins with"), "{report}");
}

/// Dropout's mask has the size of its operand and none of its numbers: it is no second use of it.
#[test]
fn a_tensor_that_is_made_like_another_is_no_use_of_it() {
    let report = after(|written| {
        written.derive("like", "h", |_| 0.5);
        written.derive("scaled", "h", |_| 1.0);
        let cases = written.header["cases"].as_array_mut().unwrap();
        let first = cases.iter().position(|case| case["phase"] == "backward").unwrap();
        let call = |name: &str, op: &str, args: Value, result: &str| json!({"name": name, "op": op, "phase": "forward", "args": args, "results": [tensor(result)]});
        cases.insert(first, call("twice", "aten.mul.Scalar", json!([tensor("like"), 2.0]), "scaled"));
        cases.insert(first, call("mask", "aten.empty_like.default", json!([tensor("h")]), "like"));
    });
    assert!(report.findings.is_empty(), "{report}");
}

#[test]
fn a_gradient_that_the_optimizer_is_not_handed_is_named() {
    let report = after(|written| written.header["grads"] = json!({"w2": tensor("dw2")}));
    let (_, told) = found(&report, "wiring.optimizer");
    assert!(told.contains("tensor `dw1`, that the optimizer is not handed"), "{told}");
}

/// The two parameters' gradients are exchanged: of one shape here, as gamma's and beta's are.
#[test]
fn another_parameters_gradient_is_named() {
    let report = after(|written| written.header["grads"]["w1"] = tensor("dw2"));
    let (_, told) = found(&report, "wiring.optimizer");
    assert!(told.contains("case `mm2.dw` is in it"), "{told}");
}

#[test]
fn an_operand_from_nowhere_is_named_with_what_it_is_like() {
    let report = after(|written| {
        written.derive("other", "w2t", |x| if x == 7.0 { 8.0 } else { x });
        let ds: Vec<f32> = (0..6)
            .map(|at| {
                let w = written.tensors["other"].numbers();
                (w[at % 3] + w[3 + at % 3]) as f32
            })
            .collect();
        written.tensors.insert("ds".to_string(), gdstar::tensor_file::Tensor::from_slice(&[2, 3], &ds));
        written.case("mm2.dx")["args"][1] = tensor("other");
    });
    let (case, told) = found(&report, "wiring.origin");
    assert_eq!(case, "mm2.dx");
    assert!(told.contains("comes from nowhere") && told.contains("`w2t` but for 1 of 6"), "{told}");
}

#[test]
fn a_constant_of_the_program_comes_from_the_program() {
    let report = after(|written| {
        written.derive("constant", "w1", |x| x / 3.0);
        let constant = tensor("constant");
        let case = json!({"name": "constant", "op": "aten.lift_fresh.default", "phase": "forward", "args": [constant],
            "results": [constant]});
        written.header["cases"].as_array_mut().unwrap().insert(0, case);
    });
    assert_eq!((report.verdict, report.findings.first()), (Verdict::Pass, None), "{report}");
}

/// A layer keeps its weight as [out, in] and multiplies with `w.t()`; of the gradient it needs the weight itself.
#[test]
fn a_derivative_may_take_the_weight_that_was_turned_forward() {
    let report = after(|written| {
        let dw = written.tensors["dw2"].numbers();
        let dwt: Vec<f32> = (0..6).map(|at| dw[at % 3 * 2 + at / 3] as f32).collect();
        written.tensors.insert("dw2t".to_string(), gdstar::tensor_file::Tensor::from_slice(&[2, 3], &dwt));
        written.header["params"]["w2"] = tensor("w2t");
        written.header["grads"]["w2"] = tensor("dw2t");
        written.case("mm2.dx")["args"][1] = tensor("w2t");
        let cases = written.header["cases"].as_array_mut().unwrap();
        cases.retain(|case| case["name"] != "mm2.wt");
        cases.insert(
            0,
            json!({"name": "turn", "op": "aten.t.default", "phase": "forward", "args": [tensor("w2t")],
                "results": [tensor("w2")]}),
        );
        cases.push(json!({"name": "turn.t", "op": "aten.t.default", "phase": "backward", "of": "turn",
                "args": [tensor("dw2")], "results": [tensor("dw2t")]}));
    });
    assert_eq!((report.verdict, report.findings.first()), (Verdict::Pass, None), "{report}");
}

#[test]
fn a_result_that_comes_later_is_no_origin() {
    let report = after(|written| {
        let cases = written.header["cases"].as_array_mut().expect("a list");
        cases.swap(0, 1);
    });
    let (case, told) = found(&report, "wiring.origin");
    assert_eq!(case, "relu");
    assert!(told.contains("case `mm1`, which comes later"), "{told}");
}

#[test]
fn a_derivative_that_is_said_to_be_of_another_op_is_named() {
    let report = after(|written| written.case("mm1.dw")["of"] = json!("mm2"));
    let (case, _) = found(&report, "wiring.gradient");
    assert_eq!(case, "mm1.dw");
}

#[test]
fn a_loss_that_no_op_gave_is_named() {
    let report = after(|written| {
        written.derive("averaged", "loss", |x| x / 2.0);
        written.header["loss"] = tensor("averaged");
    });
    assert_eq!(found(&report, "wiring.loss").0, "loss");
}

/// Backward cases without `of` cannot be told from each other: that is said, and no PASS.
#[test]
fn what_does_not_say_whose_derivative_it_is_is_no_pass() {
    let report = after(|written| _ = written.case("mm1.dw").as_object_mut().expect("a case").remove("of"));
    assert_eq!((report.verdict, report.findings_total), (Verdict::Inconclusive, 0), "{report}");
    assert!(report.inconclusive.iter().any(|reason| reason.contains("`mm1.dw`")), "{report}");
}

/// Calls on their own come from anywhere; their attributes are still their forward call's.
#[test]
fn a_derivative_at_other_attributes_is_named() {
    let mut written = step();
    let clamp = |of: Option<&str>, limits: [i64; 2]| {
        let (name, op, args) = match of {
            None => ("clamp", "aten.hardtanh.default", json!([tensor("h"), limits[0], limits[1]])),
            Some(_) => (
                "clamp.bwd",
                "aten.hardtanh_backward.default",
                json!([tensor("ds"), tensor("h"), limits[0], limits[1]]),
            ),
        };
        json!({"name": name, "op": op, "of": of, "args": args, "results": [null]})
    };
    written.header = json!({"format": "gdstar-ops/1", "cases": [clamp(None, [-6, 6]), clamp(Some("clamp"), [-6, 7])]});
    let report = written.judged();
    let (case, told) = found(&report, "wiring.saved");
    assert_eq!((case, told), ("clamp.bwd", "is 7, and 6 in the forward case `clamp`"));
}
