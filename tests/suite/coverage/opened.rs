//! What a user names is opened by `gdstar::input`, which waits for no pipe, believes no size, and knows how large each kind of
//! file may be.

use super::tests::sources;
use std::collections::BTreeSet;

/// Files that open what they have written, what is being downloaded, or what the system says of the process; and `input`.
const OPEN_THEIR_OWN: [&str; 13] = [
    "data/fetch/integrity.rs",
    "data/fetch/partial.rs",
    "data/fetch/unpack.rs",
    "experiment/store.rs",
    "export/files.rs",
    "input.rs",
    "output.rs",
    "output/temporary.rs",
    "report/tensorboard.rs",
    "tensor_file/stream/part.rs",
    "train/folder/lock.rs",
    "train/observer/metrics.rs",
    "train/peak.rs",
];

/// Whether a file is opened here by other means: `TensorFile::open` and its like are names of their own.
fn opens(text: &str) -> bool {
    let calls = ["File::open(", "fs::read(", "fs::read_to_string(", "OpenOptions::new()"];
    let is_part_of_a_name = |c: char| c.is_alphanumeric() || c == '_';
    calls.iter().any(|call| text.match_indices(*call).any(|(at, _)| !text[..at].ends_with(is_part_of_a_name)))
}

#[test]
fn files_that_are_read_are_opened_by_input() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let found: BTreeSet<String> = sources("src")
        .into_iter()
        .filter(|(_, text)| opens(text))
        .map(|(path, _)| path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/"))
        .collect();
    assert_eq!(found, OPEN_THEIR_OWN.map(str::to_string).into());
}
