//! A test that passes has run: none is out of the runner's sight, and none steps aside by itself.

use std::path::{Path, PathBuf};

/// The Rust files under a folder of the repository.
pub fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let (mut folders, mut files) = (vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension() {
                _ if path.is_dir() => folders.push(path),
                Some(extension) if extension == "rs" => {
                    let text = std::fs::read_to_string(&path).unwrap();
                    files.push((path, text));
                }
                _ => (),
            }
        }
    }
    files
}

/// The library is not compiled a second time for tests of its own (`test = false` in Cargo.toml): they would never run.
#[test]
fn no_test_is_in_the_library() {
    for (path, text) in sources("src") {
        assert!(!text.contains("#[cfg(test)]") && !text.contains("#[test]"), "{}: belongs in tests/", path.display());
    }
}

/// What a test needs beyond the repository is a reason to be ignored, which the runner reports, not to pass.
#[test]
fn tests_that_cannot_run_are_reported() {
    let this = Path::new(file!()).file_name();
    for (path, text) in sources("tests").into_iter().filter(|(path, _)| path.file_name() != this) {
        let lines = || text.lines().map(str::trim_start);
        assert!(lines().all(|line| line != "#[ignore]"), "{}: ignored without a reason", path.display());
        assert!(!text.contains("\"skipped"), "{}: a test says that it was skipped, and passes", path.display());
    }
}
