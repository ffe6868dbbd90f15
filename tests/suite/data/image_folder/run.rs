//! Runs on image folders, by the program.

use super::super::fixtures::write;
use super::{good, write_image};
use gdstar::data::Source;
use gdstar::method::Method;
use gdstar::train::Config;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

fn gdstar(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gdstar")).arg("train").args(arguments).output().unwrap()
}

/// The message of a run that has to fail with 2.
fn refused(arguments: &[&str]) -> String {
    let output = gdstar(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The size is part of the run: it is in its configuration, --resume reads it there, and another one is refused.
#[test]
fn a_run_keeps_its_image_size() {
    let (root, out) = (good(), TempDir::new().unwrap());
    let out = out.path().join("run");
    let run = ["--model", "lenet300", "--data", "image-folder", "--data-dir", text(root.path()), "--out", text(&out)];
    let finished = gdstar(&[&run[..], &["--image-size", "4", "--epochs", "2", "--seed", "1"]].concat());
    assert!(finished.status.success(), "{finished:?}");
    assert!(finished.stderr.is_empty(), "a bar is drawn on a terminal only: {finished:?}");
    let config = std::fs::read_to_string(out.join("config.toml")).unwrap();
    assert!(config.contains("data = \"image-folder\"") && config.contains("image_size = 4"), "{config}");
    let resume = ["--out", text(&out), "--resume"];
    assert!(gdstar(&resume).status.success());
    assert!(gdstar(&[&resume[..], &["--image-size", "4"]].concat()).status.success());
    assert!(refused(&[&resume[..], &["--image-size", "8"]].concat()).contains("--image-size 8 (was 4)"));
    let evaluated = Command::new(env!("CARGO_BIN_EXE_gdstar")).arg("evaluate").arg(&out).output().unwrap();
    assert!(evaluated.status.success(), "the run's own size: {evaluated:?}");

    // Other pixels are another data set.
    write_image(root.path(), "train/cat/b.png", [254, 0, 51]);
    assert!(refused(&resume).contains("checkpoint.safetensors"));
}

#[test]
fn an_image_size_is_refused_where_there_is_none() {
    let message = refused(&["--model", "lenet300", "--data", "digits", "--image-size", "8"]);
    assert!(message.starts_with("gdstar: --image-size: expected none with digits"), "{message}");
    let message = refused(&["--model", "lenet300", "--data", "image-folder", "--image-size", "8"]);
    assert_eq!(
        message,
        "gdstar: --data-dir: expected the folder with image-folder's files (train/CLASS/*.png and so on: docs/data.md), \
         found none\n"
    );
}

#[test]
fn a_bad_image_is_one_line_and_exit_code_2() {
    let root = good();
    write(root.path(), "train/dog/a.png", b"not an image");
    let message = refused(&["--model", "lenet300", "--data", "image-folder", "--data-dir", text(root.path())]);
    let path = root.path().join("train/dog/a.png");
    assert_eq!(
        message,
        format!("gdstar: {}: byte 0: expected a PNG, JPEG, BMP or PNM image, found `not an i`\n", path.display())
    );
}

#[test]
fn a_configuration_without_a_size_has_no_such_key() {
    let mut config = Config::new("lenet300", Source::ImageFolder, Method::Gdstar);
    assert!(!config.to_toml().unwrap().contains("image_size"));
    config.image_size = Some(64);
    let read = Config::parse(Path::new("config.toml"), &config.to_toml().unwrap()).unwrap();
    assert_eq!(read, config);
}

/// Whoever trains or evaluates is told that it is on `val`, where a `test` is there that has no labels.
#[test]
fn a_test_part_that_is_passed_over_is_told() {
    let (root, out) = (good(), TempDir::new().unwrap());
    std::fs::rename(root.path().join("test"), root.path().join("val")).unwrap();
    let out = out.path().join("run");
    let run = ["--model", "lenet300", "--data", "image-folder", "--data-dir", text(root.path()), "--out", text(&out)];
    let told = |output: Output| {
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(told(gdstar(&[&run[..], &["--epochs", "1"]].concat())), "", "there is no `test`");
    write_image(root.path(), "test/0.png", [9; 3]);
    let remark = format!("gdstar: {}/test: no folder of a class, so no labels: tested on val\n", root.path().display());
    let resumed = told(gdstar(&["--out", text(&out), "--resume"]));
    assert!(resumed.starts_with(&remark), "{resumed}");
    assert_eq!(told(Command::new(env!("CARGO_BIN_EXE_gdstar")).arg("evaluate").arg(&out).output().unwrap()), remark);
}
