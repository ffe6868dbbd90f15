//! Standard output that nobody reads, or that is full: no panic, and no run that is lost.

use super::{SMALL, gdstar, small, text};
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The command's end with standard output into `out`.
fn into(out: Stdio, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gdstar"));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap()
}

/// A pipe whose reader has gone.
fn unread() -> Stdio {
    std::io::pipe().unwrap().1.into()
}

/// Every subcommand that prints, on a finished run.
fn printing(run: &Path) -> Vec<Vec<String>> {
    let run = run.to_str().unwrap();
    let export = format!("{run}-export");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/exact/default.safetensors");
    let commands: &[&[&str]] = &[
        &["--help"],
        &["--version"],
        &["train", "--help"],
        &["--epochs", "1"],
        &SMALL,
        &["completions", "bash"],
        &["models"],
        &["models", "inceptionv3"],
        &["data", "list"],
        &["table", run],
        &["evaluate", run],
        &["evaluate", run, "--json"],
        &["export", run, "--format", "npz", "--out", &export],
        &["check", "--exact", golden.to_str().unwrap()],
        &["check", "--exact", golden.to_str().unwrap(), "--json"],
    ];
    commands.iter().map(|command| command.iter().map(ToString::to_string).collect()).collect()
}

fn trained(folder: &Path) -> std::path::PathBuf {
    let run = folder.join("run");
    assert!(gdstar(&small(&["--out", run.to_str().unwrap(), "--every", "0"])).status.success());
    run
}

#[test]
fn a_reader_who_has_gone_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    for command in printing(&trained(folder.path())) {
        let arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        let output = into(unread(), &arguments);
        assert_eq!(text(&output.stderr), "", "{command:?}");
        assert_eq!(output.status.code(), Some(0), "{command:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_one_line_and_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    for command in printing(&trained(folder.path())) {
        let arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        let output = into(File::options().write(true).open("/dev/full").unwrap().into(), &arguments);
        let told = text(&output.stderr);
        assert!(told.starts_with("gdstar: standard output: cannot write: "), "{command:?}: {told}");
        assert_eq!((told.lines().count(), output.status.code()), (1, Some(1)), "{command:?}: {told}");
    }
}

/// A run with `--out` goes on to its end, whoever reads of it; one that leaves nothing but lines does not go on for nobody.
#[test]
fn a_run_outlives_its_reader_if_it_leaves_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    assert_eq!(into(unread(), &small(&["--out", kept.to_str().unwrap()])).status.code(), Some(0));
    assert_eq!(fs::read_to_string(kept.join("metrics.jsonl")).unwrap().lines().count(), 4);
    let mut endless = small(&[]);
    endless[6] = "100000000";
    assert_eq!(into(unread(), &endless).status.code(), Some(0));
}

/// A message that cannot be told is not worth a panic either.
#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_error_changes_no_exit_code() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gdstar"));
    let full = File::options().write(true).open("/dev/full").unwrap();
    let status = command.args(["models", "nothing"]).stdout(Stdio::null()).stderr(full).status().unwrap();
    assert_eq!(status.code(), Some(2));
}

/// A name that a file gives cannot steer the terminal: neither in a message nor in a report.
#[test]
fn a_usage_error_repeats_no_control_characters() {
    let output = gdstar(&["models", "\u{1b}[31mred", &"z".repeat(50_000)]);
    let told = text(&output.stderr);
    assert!(!told.contains('\u{1b}') && told.len() < 1000 && told.lines().count() == 1, "{told:?}");
}
