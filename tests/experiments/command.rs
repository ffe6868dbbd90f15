//! The built command.

use std::process::{Command, Output};

/// Runs it with these words.
pub fn gdstar(words: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gdstar")).args(words.split_whitespace()).output().unwrap()
}

/// What it prints; it must succeed.
pub fn printed(words: &str) -> String {
    let output = gdstar(words);
    assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The one line in which it refuses, with exit code 2 and nothing printed; a folder `--out` is not made.
pub fn refused(words: &str) -> String {
    let folder = std::env::temp_dir().join(format!("gdstar-refused-{}", std::process::id()));
    let output = gdstar(&format!("{words} --out {}", folder.display()));
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{words}: {told}");
    assert!(output.stdout.is_empty() && told.trim_end().lines().count() == 1, "{words}: {told}");
    assert!(!folder.exists(), "{words}");
    told
}
