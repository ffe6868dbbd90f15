//! Input that the library reads from files: a folder of each thread's own, in which they are written again for every input.

use std::path::PathBuf;
use tempfile::TempDir;

thread_local! {
    static FOLDER: TempDir = tempfile::tempdir().expect("a temporary folder");
}

/// The path of a file of this content, until the thread's next file of this name.
pub fn file(name: &str, content: &[u8]) -> PathBuf {
    let path = FOLDER.with(|folder| folder.path().join(name));
    std::fs::write(&path, content).expect("a file in the temporary folder");
    path
}
