//! What a network's inputs and labels mean goes where the network goes: checkpoint, export, evaluation.

use super::super::fixtures::message;
use super::{good, read, write_image};
use crate::cli::{assert_fails, gdstar, text};
use gdstar::data::{ENCODING_KEY, Encoding, Normalisation};
use gdstar::tensor_file::TensorFile;
use gdstar::train::SavedFile;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A run on [`good`], in `folder/run`.
fn trained(root: &Path, folder: &Path) -> PathBuf {
    let run = folder.join("run");
    let arguments = ["train", "--model", "lenet300", "--data", "image-folder", "--epochs", "1", "--every", "0"];
    let places = ["--data-dir", root.to_str().unwrap(), "--out", run.to_str().unwrap()];
    let output = gdstar(&[&arguments[..], &places].concat());
    assert!(output.status.success(), "{output:?}");
    run
}

fn evaluated(arguments: &[&str]) -> Value {
    let output = gdstar(&[&["evaluate", "--json"], arguments].concat());
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The same classes, other pixels: normalised by themselves they would be other inputs.
fn other_pixels() -> TempDir {
    let root = TempDir::new().unwrap();
    for name in ["train/cat/a.png", "train/dog/b.png", "test/cat/z.png", "test/dog/z.png"] {
        write_image(root.path(), name, [200, 90, name.len() as u8]);
    }
    root
}

#[test]
fn a_run_and_its_exports_hold_class_names_and_normalisation() {
    let (root, folder) = (good(), TempDir::new().unwrap());
    let run = trained(root.path(), folder.path());
    let data = read(root.path()).unwrap();
    let expected = data.encoding();
    assert_eq!(
        (&expected.classes[..], &expected.normalisation),
        (&["cat", "dog"].map(String::from)[..], &data.normalisation)
    );
    let saved = SavedFile::open(&run).unwrap();
    assert_eq!(saved.encoding.as_ref(), Some(&expected));
    for format in ["safetensors", "npz"] {
        let output = gdstar(&["export", run.to_str().unwrap(), "--format", format]);
        assert!(output.status.success(), "{output:?}");
        let json = fs::read_to_string(run.join(format!("export-{format}/encoding.json"))).unwrap();
        assert_eq!(serde_json::from_str::<Encoding>(&json).unwrap(), expected);
    }
    for stem in ["dense", "masks", "csr"] {
        let file = TensorFile::open(&run.join(format!("export-safetensors/{stem}.safetensors"))).unwrap();
        let told: Encoding = serde_json::from_str(file.metadata(ENCODING_KEY).unwrap()).unwrap();
        assert_eq!((told, file.metadata("format")), (expected.clone(), Some("pt")));
    }
}

/// Another folder's images are seen as the run's own were, by the checkpoint and by an export of it.
#[test]
fn another_folder_is_normalised_as_the_run_was() {
    let (root, other, folder) = (good(), other_pixels(), TempDir::new().unwrap());
    let run = trained(root.path(), folder.path());
    let normalisation = serde_json::to_value(&read(root.path()).unwrap().normalisation).unwrap();
    assert_ne!(normalisation, serde_json::to_value(&read(other.path()).unwrap().normalisation).unwrap());
    assert!(gdstar(&["export", run.to_str().unwrap(), "--format", "safetensors"]).status.success());
    let dense = run.join("export-safetensors/dense.safetensors");
    let there = ["--data-dir", other.path().to_str().unwrap()];
    let whole = ["--model", "lenet300", "--data", "image-folder"];
    let own = evaluated(&[run.to_str().unwrap()]);
    let found = evaluated(&[&[run.to_str().unwrap()], &there[..]].concat());
    let exported = evaluated(&[&[dense.to_str().unwrap()], &there[..], &whole].concat());
    for report in [&own, &found, &exported] {
        assert_eq!((&report["normalisation"], &report["classes"]), (&normalisation, &json!(["cat", "dog"])));
    }
    assert_eq!((&found["loss"], &found["accuracy"]), (&exported["loss"], &exported["accuracy"]));
    assert_ne!(found["loss"], own["loss"]);
}

/// A network's answer 1 means `dog`: a folder where it would mean something else is refused.
#[test]
fn other_classes_are_refused() {
    let (root, folder) = (good(), TempDir::new().unwrap());
    let run = trained(root.path(), folder.path());
    let run = run.to_str().unwrap();
    for part in ["train", "test"] {
        fs::rename(root.path().join(part).join("dog"), root.path().join(part).join("eel")).unwrap();
    }
    let expected = "class 1: expected `dog`, as the network was trained on, found `eel`";
    assert_fails(&["evaluate", run], 2, &[root.path().to_str().unwrap(), expected]);
    assert_fails(&["train", "--out", run, "--resume"], 2, &[expected]);
    for part in ["train", "test"] {
        fs::rename(root.path().join(part).join("eel"), root.path().join(part).join("dog")).unwrap();
        write_image(root.path(), &format!("{part}/fox/a.png"), [0; 3]);
    }
    let expected = "number of classes: expected 2, as the network was trained on, found 3";
    assert_fails(&["evaluate", run], 2, &[expected]);
}

/// The scale is the data set's, mean and deviation are the network's; a deviation to divide by is no 0.
#[test]
fn an_encoding_is_checked() {
    let data = read(good().path()).unwrap();
    let good = |mean: &[f64], std: &[f64]| Encoding {
        classes: vec!["cat".into(), "dog".into()],
        normalisation: Normalisation { scale: 16.0, mean: mean.to_vec(), std: std.to_vec() },
    };
    let path = Path::new("f");
    let seen = data.clone().encoded(&good(&[0.5; 3], &[0.25; 3]), path).unwrap();
    assert_eq!(seen.normalisation, Normalisation { scale: 255.0, mean: vec![0.5; 3], std: vec![0.25; 3] });
    let grey = data.encoded(&good(&[0.5], &[0.25]), path);
    assert_eq!(message(grey, "grey"), "f: channels: expected 1, as the network was trained on, found 3");
    let refused = |mean: &[f64], std: &[f64]| message(good(mean, std).check(path, "header", 2), "the encoding");
    let pair =
        "f: header, normalisation: expected a mean and a standard deviation for each of 2 channels, found 2 and 1";
    assert_eq!(refused(&[0.5; 2], &[0.25]), pair);
    for std in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let expected = "f: header, normalisation: expected a scale and standard deviations above 0, found";
        assert_eq!(refused(&[0.5; 2], &[0.25, std]), format!("{expected} {std}"));
    }
    assert!(refused(&[0.5, f64::NAN], &[0.25; 2]).contains("expected finite means"));
}

/// Checkpoints that do not say what their inputs mean are read as before, and that is said.
#[test]
fn a_checkpoint_without_an_encoding_is_evaluated_by_the_folder() {
    let (root, folder) = (good(), TempDir::new().unwrap());
    let weights = folder.path().join("w.safetensors");
    let path = weights.to_str().unwrap();
    assert!(
        gdstar(&["weights", "--model", "lenet300", "--input", "3,8,8", "--classes", "2", "--out", path])
            .status
            .success()
    );
    let whole = ["--model", "lenet300", "--data", "image-folder", "--data-dir", root.path().to_str().unwrap()];
    let output = gdstar(&[&["evaluate", path], &whole[..]].concat());
    assert!(text(&output.stdout).contains("normalised by this folder's training images"), "{output:?}");
}
