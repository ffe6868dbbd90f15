//! A trace that holds its batches itself: losses and gradients are recomputed without a data set that is known.

use gdstar::data::{self, Source, Split};
use gdstar::method::Method;
use gdstar::oracle::{CheckOptions, Reach, Report, Verdict, check};
use gdstar::tensor_file::{self, Tensor, TensorFile};
use gdstar::train::{Config, Outputs, Session};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Trains LeNet-300-100 on the digits for two epochs, and leaves a trace with gradients.
fn trained(folder: &Path) -> PathBuf {
    let path = folder.join("trace.safetensors");
    let mut config = Config::new("lenet300", Source::Digits, Method::Gdstar);
    (config.hyper.epochs, config.optimizer.batch_size) = (2, 360);
    config.outputs = Outputs { trace: Some(path.clone()), trace_gradients: true, ..config.outputs };
    let digits = data::load(Source::Digits, None).expect("the digits");
    Session::new(config).expect("a session").train(&digits).expect("trained");
    path
}

/// The trace as of a data set that nobody else has, with the first batch of each epoch in it; `change` comes last.
fn of_own_data(original: &Path, change: impl Fn(&str, &mut Tensor), keeps: impl Fn(&str) -> bool) -> PathBuf {
    let file = TensorFile::open(original).expect("the trace");
    let mut header: Value = serde_json::from_str(file.metadata("gdstar").expect("a header")).expect("JSON");
    header["dataset"] = json!("nobody else's");
    let mut tensors: Vec<(String, Tensor)> = file
        .names()
        .map(|name| {
            let (dtype, shape) = file.describe(name).expect("it is there");
            let bytes = file.raw(name).expect("bytes").into_owned();
            (name.to_string(), Tensor { dtype, shape: shape.to_vec(), bytes })
        })
        .collect();
    let digits = data::load(Source::Digits, None).expect("the digits");
    for k in 0..2 {
        let indices = file.read_integers(&format!("epoch/{k}/batch/0/indices"), None).expect("indices");
        let indices: Vec<usize> = indices.iter().map(|&i| usize::try_from(i).expect("a position")).collect();
        let (x, labels) = digits.batch::<f32>(Split::Train, &indices, None);
        let labels: Vec<i64> = labels.iter().map(|&label| label as i64).collect();
        tensors.push((format!("epoch/{k}/batch/0/input"), Tensor::from_array(&x.view())));
        tensors.push((format!("epoch/{k}/batch/0/labels"), Tensor::from_slice(&[labels.len()], &labels)));
    }
    tensors.retain(|(name, _)| keeps(name));
    tensors.iter_mut().for_each(|(name, tensor)| change(name, tensor));
    let path = original.with_file_name("own.safetensors");
    let metadata = HashMap::from([("gdstar".to_string(), header.to_string())]);
    tensor_file::write(&path, metadata, &tensors).expect("written");
    path
}

fn doubled(tensor: &mut Tensor) {
    let numbers: Vec<f32> = tensor.numbers().iter().map(|&x| 2.0 * x as f32).collect();
    *tensor = Tensor::from_slice(&tensor.shape, &numbers);
}

fn judged(path: &Path, options: &CheckOptions) -> Report {
    check(path, options).expect("judged")
}

fn step_level(report: &Report) -> (bool, &str) {
    let level = report.levels.iter().find(|level| level.name == "step").expect("a step level");
    (level.checked, &level.status)
}

#[test]
fn losses_and_gradients_are_judged_on_the_batch_that_the_trace_holds() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let original = trained(folder.path());
    let all = CheckOptions::default();
    let report = judged(&of_own_data(&original, |_, _| {}, |_| true), &all);
    assert_eq!((report.verdict, report.warnings.len()), (Verdict::Pass, 0), "{report}");
    assert!(step_level(&report).0 && step_level(&report).1.contains("2 batches"), "{report}");

    // Every loss and every gradient is wrong from the first batch on: with the samples at hand that is a mistake, and no
    // question of whose data they are.
    let wrong = of_own_data(
        &original,
        |name, tensor| {
            if name.ends_with("/loss") || name.contains("/grad/") {
                doubled(tensor);
            }
        },
        |_| true,
    );
    let report = judged(&wrong, &all);
    let first = report.findings.iter().find(|finding| finding.tensor == "epoch/0/batch/0/loss");
    assert!(report.verdict == Verdict::Fail && first.is_some(), "{report}");

    // Without the samples the gradients could not be recomputed: no PASS, unless less is asked for.
    let silent = of_own_data(&original, |_, _| {}, |name| !name.ends_with("/input"));
    let report = judged(&silent, &all);
    assert_eq!((report.verdict, report.findings_total), (Verdict::Inconclusive, 0), "{report}");
    assert!(report.inconclusive.iter().any(|reason| reason.contains("--level method")), "{report}");
    let less = CheckOptions { reach: Some(Reach::Method), ..CheckOptions::default() };
    assert_eq!(judged(&silent, &less).verdict, Verdict::Pass);
}

#[test]
fn a_label_that_is_no_class_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let original = trained(folder.path());
    let wrong = of_own_data(
        &original,
        |name, tensor| {
            if name.ends_with("/labels") {
                *tensor = Tensor::from_slice(&tensor.shape, &vec![10_i64; tensor.shape[0]]);
            }
        },
        |_| true,
    );
    let report = judged(&wrong, &CheckOptions::default());
    assert!(step_level(&report).1.contains("label 10 is none of 10 classes"), "{report}");
    assert_eq!(report.verdict, Verdict::Inconclusive);
}
