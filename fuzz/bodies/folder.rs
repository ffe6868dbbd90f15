//! Input that the library reads from files: a folder of each thread's own, in which they are written again for every input.

use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A file system in memory, where there is one: on a disk, writing a file anew takes longer than to read what it holds.
const MEMORY: &str = "/dev/shm";

thread_local! {
    static FOLDER: TempDir = folder();
}

/// A new folder.
pub fn folder() -> TempDir {
    let memory = Path::new(MEMORY);
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.or_else(|_| tempfile::tempdir()).expect("a temporary folder")
}

/// The path of a file of this content, until the thread's next file of this name.
pub fn file(name: &str, content: &[u8]) -> PathBuf {
    let path = FOLDER.with(|folder| folder.path().join(name));
    std::fs::write(&path, content).expect("a file in the temporary folder");
    path
}
