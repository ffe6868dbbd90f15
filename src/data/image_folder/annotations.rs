//! `val_annotations.txt` of Tiny ImageNet: which class each validation image has.
//!
//! A line per image, six columns separated by tabs: the file's name, the class (a WordNet id), and the four edges of
//! the object's box, which are not needed here and not looked at.

use crate::data::file;
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::path::Path;

const COLUMNS: usize = 6;

/// One line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Annotation<'a> {
    /// The line's number, from 1.
    pub line: usize,
    pub file: &'a str,
    pub class: &'a str,
}

/// The annotations in `content`, in its order. `path` is for messages only.
///
/// # Errors
/// [`Error::File`] with the line: one that is not UTF-8 or has another number of columns, no name or no class, or a
/// name that an earlier line has.
pub fn parse<'a>(path: &Path, content: &'a [u8]) -> Result<Vec<Annotation<'a>>> {
    let mut annotations = Vec::new();
    let mut line_of = HashMap::new();
    for numbered in file::lines(path, content) {
        let (line, text) = numbered?;
        let error = |expected: String, found: String| Error::file(path, format!("line {line}"), expected, found);
        let columns: Vec<&str> = text.split('\t').collect();
        let [file, class, _, _, _, _] = columns[..] else {
            return Err(error(format!("{COLUMNS} columns separated by tabs"), columns.len().to_string()));
        };
        if file.is_empty() || class.is_empty() {
            return Err(error("a file's name and a class".into(), format!("`{file}` and `{class}`")));
        }
        if let Some(earlier) = line_of.insert(file, line) {
            return Err(error(format!("one annotation of {file}"), format!("a second, after that in line {earlier}")));
        }
        annotations.push(Annotation { line, file, class });
    }
    Ok(annotations)
}
