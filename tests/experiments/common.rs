//! What several subjects share.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// The command with these words.
pub fn gdstar(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gdstar")).args(words).output().unwrap()
}

/// The same, begun and not waited for.
pub fn begin(words: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gdstar"));
    command.args(words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// What it printed, of a command that did what it was asked.
pub fn printed(words: &[&str]) -> String {
    let output = gdstar(words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The line that it ended with, and its exit status.
pub fn refused(words: &[&str]) -> (String, i32) {
    let output = gdstar(words);
    let told = String::from_utf8(output.stderr).unwrap();
    let line = told.lines().last().unwrap_or_default().to_string();
    (line, output.status.code().unwrap())
}

/// A path as a word.
pub fn word(path: &Path) -> &str {
    path.to_str().unwrap()
}
