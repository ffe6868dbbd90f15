//! `gdstar export` and `gdstar evaluate`.

use super::{assert_fails, gdstar, small, text};
use gdstar::data::{self, Source};
use gdstar::tensor_file::{self, Tensor, TensorFile};
use gdstar::train::Metrics;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A run folder of four epochs.
fn run(folder: &Path) -> PathBuf {
    let out = folder.join("run");
    assert!(gdstar(&small(&["--out", out.to_str().unwrap(), "--every", "0"])).status.success());
    out
}

fn succeeds(arguments: &[&str]) -> String {
    let output = gdstar(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&succeeds(arguments)).unwrap()
}

/// The run's own last accuracy and sparsity, from the folder, its checkpoint, and the exported `state_dict` alone.
#[test]
fn evaluate_tells_what_the_run_measured() {
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path());
    let last = Metrics::read(&out.join("metrics.jsonl"), 4).unwrap().pop().unwrap();
    let (out, checkpoint) = (out.to_str().unwrap(), out.join("checkpoint.safetensors"));
    succeeds(&["export", out, "--format", "safetensors"]);
    let dense = format!("{out}/export-safetensors/dense.safetensors");
    let of_run = json(&["evaluate", out, "--json"]);
    let elsewhere = gdstar(&["evaluate", out, "--data-dir", "elsewhere"]);
    assert_eq!(text(&elsewhere.stderr), "gdstar: --data-dir: no effect, the digits are part of the program\n");
    assert_eq!(of_run, json(&["evaluate", checkpoint.to_str().unwrap(), "--json", "--threads", "1"]));
    let mut of_weights = json(&["evaluate", &dense, "--model", "lenet300", "--data", "digits", "--json"]);
    assert_eq!(of_run["accuracy"], last.test_accuracy);
    assert_eq!(of_run["total"]["sparsity"], last.sparsity);
    assert_eq!((&of_run["masks"], &of_weights["masks"]), (&Value::Bool(true), &Value::Bool(false)));
    of_weights["masks"] = Value::Bool(true);
    assert_eq!(of_run, of_weights, "no living weight is 0 in this run");
    let told = succeeds(&["evaluate", out]);
    let accuracy = format!("accuracy {:.2} %", 100.0 * last.test_accuracy);
    for part in ["lenet300 on digits, test part, 355 samples", &accuracy, "by its masks", "fc2.weight", "30,000"] {
        assert!(told.contains(part), "`{part}` is not in:\n{told}");
    }
    let told = succeeds(&["evaluate", &dense, "--model", "lenet300", "--data", "digits", "--split", "train"]);
    for part in ["train part, 1,442 samples", "no masks: weights that are 0 count as eliminated"] {
        assert!(told.contains(part), "`{part}` is not in:\n{told}");
    }
}

/// Accuracy by class and the predictions come to the accuracy in all, sample by sample in the data's order.
#[test]
fn predictions_come_to_the_accuracy() {
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path());
    let out = out.to_str().unwrap();
    let [csv, lines] = ["p.csv", "p.jsonl"].map(|name| folder.path().join(name).to_str().unwrap().to_string());
    let of_run = json(&["evaluate", out, "--json", "--predictions", &lines]);
    let told = succeeds(&["evaluate", out, "--predictions", &csv, "--batch-size", "7"]);
    let labels = data::load(Source::Digits, None).unwrap().test.labels;

    let lines: Vec<Value> =
        fs::read_to_string(lines).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let csv = fs::read_to_string(csv).unwrap();
    let mut rows = csv.lines();
    assert_eq!(rows.next(), Some("sample,label,predicted,label_name,predicted_name"));
    assert_eq!(lines.len(), labels.len());
    let mut correct = vec![0; 10];
    for (i, (line, row)) in lines.iter().zip(rows.by_ref()).enumerate() {
        let (label, predicted) = (line["label"].as_u64().unwrap(), line["predicted"].as_u64().unwrap());
        assert_eq!((line["sample"].as_u64(), label), (Some(i as u64), u64::from(labels[i])));
        assert_eq!(row, format!("{i},{label},{predicted},{label},{predicted}"));
        assert_eq!(
            (&line["label_name"], &line["predicted_name"]),
            (&json!(label.to_string()), &json!(predicted.to_string()))
        );
        correct[label as usize] += usize::from(label == predicted);
    }
    assert_eq!(rows.next(), None);
    assert_eq!(of_run["accuracy"], correct.iter().sum::<usize>() as f64 / labels.len() as f64);
    for (class, correct) in correct.into_iter().enumerate() {
        let samples = labels.iter().filter(|&&label| usize::from(label) == class).count();
        let accuracy = correct as f64 / samples as f64;
        let expected = json!({
            "class": class, "name": class.to_string(), "samples": samples, "correct": correct, "accuracy": accuracy,
        });
        assert_eq!(of_run["per_class"][class], expected);
        let line = told.lines().find(|line| line.starts_with(&format!("{class} "))).unwrap();
        let expected = format!("{class} {samples} {correct} {:.2} %", 100.0 * accuracy);
        assert_eq!(line.split_whitespace().collect::<Vec<_>>().join(" "), expected);
    }
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    for wrong in ["p.txt", "predictions", "csv"] {
        assert_fails(&["evaluate", out, "--predictions", wrong], 2, &["--predictions", "*.csv or *.jsonl"]);
    }
}

/// A prefix that a wrapper puts before every name is said, and changes nothing else.
#[test]
fn wrapped_weights_are_evaluated_like_others() {
    let folder = tempfile::tempdir().unwrap();
    let [plain, wrapped] = ["plain", "wrapped"].map(|name| folder.path().join(format!("{name}.safetensors")));
    let [plain, wrapped] = [&plain, &wrapped].map(|path| path.to_str().unwrap());
    succeeds(&["weights", "--model", "lenet300", "--input", "1,8,8", "--classes", "10", "--out", plain]);
    let file = TensorFile::open(plain.as_ref()).unwrap();
    let tensor = |name: &str| Tensor::from_array(&file.read::<f32>(name, None).unwrap().view());
    let tensors: Vec<_> = file.names().map(|name| (format!("module.{name}"), tensor(name))).collect();
    tensor_file::write(wrapped.as_ref(), HashMap::new(), &tensors).unwrap();
    let evaluate = |path| gdstar(&["evaluate", path, "--model", "lenet300", "--data", "digits", "--json"]);
    let [plain, told] = [plain, wrapped].map(evaluate);
    assert_eq!((text(&plain.stdout), text(&plain.stderr).as_str()), (text(&told.stdout), ""));
    let remark = format!("gdstar: {wrapped}: read without the prefix `module.` of its names\n");
    assert_eq!((text(&told.stderr), told.status.code()), (remark, Some(0)));
}

/// Each export is a folder of three files, whose sizes are told.
#[test]
fn export_tells_the_sizes() {
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path());
    for format in ["safetensors", "npz"] {
        let told = succeeds(&["export", out.to_str().unwrap(), "--format", format]);
        for stem in ["dense", "masks", "csr"] {
            let path = out.join(format!("export-{format}/{stem}.{format}"));
            let bytes = fs::metadata(&path).unwrap().len() as usize;
            let line = told.lines().find(|line| line.starts_with(&format!("{stem}.{format} "))).unwrap();
            assert!(line.contains(&gdstar::report::thousands(bytes)), "{line}");
        }
        for part in ["total", "gzip", "CSR is smaller than dense above 50.41 %"] {
            assert!(told.contains(part), "`{part}` is not in:\n{told}");
        }
    }
}

/// Wrong usage and unreadable files: one line, exit code 2, nothing written.
#[test]
fn what_cannot_be_exported_or_evaluated_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path());
    let checkpoint = out.join("checkpoint.safetensors");
    let (run, file) = (out.to_str().unwrap(), checkpoint.to_str().unwrap());
    let nowhere = folder.path().join("nowhere");
    let nowhere = nowhere.to_str().unwrap();
    assert_fails(&["export", run], 2, &["--format"]);
    assert_fails(&["export", run, "--format", "pickle"], 2, &["pickle", "safetensors", "npz", "onnx"]);
    assert_fails(&["export", nowhere, "--format", "npz"], 2, &[nowhere, "cannot read"]);
    assert_fails(&["evaluate", nowhere], 2, &[nowhere, "cannot read"]);
    let empty = folder.path().to_str().unwrap();
    assert_fails(&["export", empty, "--format", "npz"], 2, &[empty, "config.toml", "a folder without one"]);
    assert_fails(&["export", file, "--format", "npz", "--out", run], 2, &[run, "not there yet"]);
    assert_fails(&["evaluate", run, "--batch-size", "0"], 2, &["--batch-size", "at least 1"]);
    assert_fails(&["evaluate", run, "--model", "lenet9000"], 2, &["--model", "`lenet9000`"]);
    assert_fails(&["evaluate", run, "--data", "mnist"], 2, &["mnist"]);
    assert_fails(&["evaluate", run, "--split", "validation"], 2, &["validation", "train", "test"]);

    let bare = folder.path().join("bare.safetensors");
    let bare = bare.to_str().unwrap();
    tensor_file::write(bare.as_ref(), HashMap::new(), &renamed(&checkpoint)).unwrap();
    assert_fails(&["export", bare, "--format", "npz"], 2, &[bare, "gdstar-checkpoint", "a bare state_dict"]);
    assert_fails(&["evaluate", bare, "--data", "digits"], 2, &["--model"]);
    assert_fails(&["evaluate", bare, "--model", "lenet300"], 2, &["--data"]);
    let misnamed = "misnamed `classifier.weight` where `fc3.weight` was expected";
    let told = [bare, "tensors: expected the state_dict of lenet300, found missing `fc1.bias`; ", misnamed];
    assert_fails(&["evaluate", bare, "--model", "lenet300", "--data", "digits"], 2, &told);

    let whole = fs::read(&checkpoint).unwrap();
    for keep in [0, 7, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(&checkpoint, &whole[..keep]).unwrap();
        let told = ["checkpoint.safetensors", "a complete safetensors file", &format!("{keep} bytes")];
        assert_fails(&["evaluate", run], 2, &told);
        assert_fails(&["export", run, "--format", "npz"], 2, &told);
    }
    assert!(!out.join("export-npz").exists(), "nothing half-written");
}

/// The checkpoint's parameters without `fc1.bias`, and with another name for `fc3.weight`.
fn renamed(checkpoint: &Path) -> Vec<(String, Tensor)> {
    let file = TensorFile::open(checkpoint).unwrap();
    let names = file.names().filter(|name| !name.contains('/') && *name != "fc1.bias");
    let renamed = |name: &str| if name == "fc3.weight" { "classifier.weight" } else { name }.to_string();
    names.map(|name| (renamed(name), Tensor::from_array(&file.read::<f32>(name, None).unwrap().view()))).collect()
}
