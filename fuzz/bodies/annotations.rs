//! Tiny ImageNet's annotations: an accepted file is exactly its lines.

use super::{PATH, assert_refusal};
use gdstar::data::image_folder::annotations::parse;
use std::collections::BTreeSet;
use std::path::Path;

/// Reads `data` as `val_annotations.txt`.
pub fn run(data: &[u8]) -> bool {
    let annotations = match parse(Path::new(PATH), data) {
        Ok(annotations) => annotations,
        Err(error) => {
            assert_refusal(&error);
            return false;
        }
    };
    let text = std::str::from_utf8(data).expect("accepted as UTF-8");
    let lines: Vec<&str> = text.strip_suffix('\n').unwrap_or(text).split('\n').collect();
    assert_eq!(annotations.len(), lines.len());
    for (i, (annotation, line)) in annotations.iter().zip(lines).enumerate() {
        assert_eq!(annotation.line, i + 1);
        assert!(!annotation.file.is_empty() && !annotation.class.is_empty());
        let rest = line.strip_prefix(&format!("{}\t{}\t", annotation.file, annotation.class));
        assert!(rest.is_some_and(|rest| rest.matches('\t').count() == 3), "{line:?}");
    }
    let files: BTreeSet<&str> = annotations.iter().map(|annotation| annotation.file).collect();
    assert_eq!(files.len(), annotations.len(), "a file is annotated twice");
    true
}
