//! Writes the golden files of the method and of the exact lane, and their lines in the MANIFEST.

use super::inputs;
use crate::exact_goldens;
use crate::goldens::golden;
use gdstar::oracle::golden::{MANIFEST, method, sha256};
use gdstar::tensor_file;
use std::path::Path;

const SCRIPT: &str = "tests/suite/method_goldens/make.rs";
const COMMAND: &str = "cargo test --test suite method_goldens::make -- --ignored";

/// Not a check: makes the files that the checks read.
#[test]
#[ignore = "writes golden/method and golden/exact"]
fn make() {
    let folder = golden("method");
    std::fs::create_dir_all(&folder).unwrap();
    for (equation, cases) in inputs::all() {
        let (metadata, tensors) = method::tensors(equation, &cases).unwrap();
        tensor_file::write(&folder.join(format!("{equation}.safetensors")), metadata, &tensors).unwrap();
    }
    exact_goldens::make(&golden("exact"));
    list_in_manifest(&golden(""));
}

/// Replaces the MANIFEST's entries of the two folders, and keeps all others.
fn list_in_manifest(root: &Path) {
    let path = root.join(MANIFEST);
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, tables) = text.split_once("\n[[file]]\n").unwrap();
    let ours = |table: &&str| table.starts_with("path = \"method/") || table.starts_with("path = \"exact/");
    let mut tables: Vec<String> =
        tables.split("\n[[file]]\n").filter(|t| !ours(t)).map(|t| t.trim_end().to_string()).collect();
    for folder in ["method", "exact"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let file = entry.unwrap().path();
            let (name, hash) = (file.file_name().unwrap().to_str().unwrap().to_string(), sha256(&file).unwrap());
            tables.push(format!(
                "path = \"{folder}/{name}\"\nsha256 = \"{hash}\"\nscript = \"{SCRIPT}\"\ncommand = \"{COMMAND}\""
            ));
        }
    }
    tables.sort();
    std::fs::write(path, format!("{head}\n[[file]]\n{}\n", tables.join("\n\n[[file]]\n"))).unwrap();
}
