//! Ops: every file with an op is in [`OPS`], and every entry has its file, doctest, summary and golden file.

use gdstar::ops::OPS;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files of `src/ops` that hold an op, by name, with their text.
fn op_files() -> Vec<(String, String)> {
    let mut files = Vec::new();
    for file in std::fs::read_dir(repository().join("src/ops")).unwrap() {
        let path: PathBuf = file.unwrap().path();
        if path.is_dir() {
            continue; // parts of one file; an op is a file of its own
        }
        let text = std::fs::read_to_string(&path).unwrap();
        if ["\nimpl Op for ", "\nimpl Pointwise for "].iter().any(|line| text.contains(line)) {
            files.push((path.file_stem().unwrap().to_str().unwrap().to_string(), text));
        }
    }
    files
}

fn text_of(name: &str) -> String {
    let found = op_files().into_iter().find(|(file, _)| file == name);
    found.unwrap_or_else(|| panic!("src/ops/{name}.rs holds no op")).1
}

#[test]
fn every_op_file_is_in_ops_and_every_entry_has_its_file() {
    let files: BTreeSet<String> = op_files().into_iter().map(|(name, _)| name).collect();
    let listed: BTreeSet<String> = OPS.iter().map(|entry| entry.name.to_string()).collect();
    assert_eq!(files, listed);
    assert_eq!(listed.len(), OPS.len(), "a name is listed twice");
}

/// An op is listed in one line, under the name of its file, which is its own.
#[test]
fn every_op_is_listed_in_one_line() {
    let text = std::fs::read_to_string(repository().join("src/ops/mod.rs")).unwrap();
    let (_, registry) = text.split_once("\nregistry! {\n").unwrap();
    let lines = registry.lines().map_while(|line| line.trim().split_once("::"));
    let listed: Vec<&str> = lines.map(|(module, _)| module).collect();
    assert_eq!(listed, OPS.iter().map(|entry| entry.name).collect::<Vec<_>>());
    assert!(listed.is_sorted(), "{listed:?}");
    for name in listed {
        let elsewhere = [format!("mod {name};"), format!("use {name}::")];
        assert!(!elsewhere.iter().any(|line| text.contains(line)), "{name} is named outside of its line");
    }
}

#[test]
fn find_finds_every_entry_and_nothing_else() {
    for entry in OPS {
        assert_eq!(gdstar::ops::find(entry.name).map(|found| found.summary), Some(entry.summary));
    }
    assert!(gdstar::ops::find("no_such_op").is_none());
}

#[test]
fn every_op_has_a_summary_of_its_own() {
    let summaries: BTreeSet<&str> = OPS.iter().map(|entry| entry.summary).collect();
    assert_eq!(summaries.len(), OPS.len());
    for entry in OPS {
        assert!(entry.summary.contains('='), "{}: `{}` is no formula", entry.name, entry.summary);
        assert!(!entry.summary.contains('\n'), "{}: a summary is one line", entry.name);
    }
}

/// The file's documentation names the op, states the derivative, and holds an example that is run: forward and
/// backward.
#[test]
fn every_op_documents_its_derivative_and_has_a_doctest() {
    for entry in OPS {
        let text = text_of(entry.name);
        let docs: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).collect();
        let docs = docs.join("\n");
        assert!(
            docs.starts_with(&format!(" `{}`", entry.name)),
            "{}: the documentation opens with its name",
            entry.name
        );
        assert!(docs.contains("erivative"), "{}: no derivative is stated", entry.name);
        let examples: Vec<&str> = docs.split("```").collect();
        assert!(examples.len() == 3, "{}: one fenced example is expected", entry.name);
        assert!(
            !examples[1].starts_with(|fence: char| fence.is_alphabetic()),
            "{}: the example is not run",
            entry.name
        );
        for needed in ["evaluate(", "outputs", "gradients", "assert_eq!"] {
            assert!(examples[1].contains(needed), "{}: the example has no `{needed}`", entry.name);
        }
    }
}

#[test]
fn every_op_has_golden_values() {
    let missing: Vec<&str> = OPS
        .iter()
        .map(|entry| entry.name)
        .filter(|name| !repository().join(format!("golden/ops/{name}.safetensors")).is_file())
        .collect();
    assert!(missing.is_empty(), "no golden/ops/<name>.safetensors for {missing:?}");
}
