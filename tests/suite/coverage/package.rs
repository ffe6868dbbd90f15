//! The package: what is in it is complete, and its licence is that of what it holds.

use crate::documents::{documents, root, targets};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The files that `cargo package` takes, by their path in the repository.
fn packaged() -> BTreeSet<PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    let output = cargo.args(["package", "--list", "--allow-dirty", "--offline"]).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(PathBuf::from).collect()
}

/// What is in the package and leads to a file leads to one that is in it too.
#[test]
fn links_lead_somewhere_in_the_package() {
    let (files, root) = (packaged(), root().canonicalize().unwrap());
    let is_there = |target: &Path| files.iter().any(|file| file.starts_with(target));
    for part in ["README.md", "LICENSE", "src/data/digits.LICENSE.md", "src/oracle/exact/dyadic.rs", "docs/porting.md"]
    {
        assert!(is_there(Path::new(part)), "{part} is not in the package");
    }
    for document in documents() {
        let document = document.canonicalize().unwrap();
        if !files.contains(document.strip_prefix(&root).unwrap()) {
            continue;
        }
        let text = std::fs::read_to_string(&document).unwrap();
        for target in targets(&text).iter().filter(|target| !target.contains("://") && !target.starts_with('#')) {
            let path = target.split('#').next().unwrap();
            let file = document.parent().unwrap().join(path).canonicalize().unwrap();
            assert!(is_there(file.strip_prefix(&root).unwrap()), "{}: {target}", document.display());
        }
    }
}

/// The program holds the digits: their licence is a part of the package's.
#[test]
fn the_licence_names_that_of_the_digits() {
    let manifest: toml::Table = toml::from_str(&std::fs::read_to_string(root().join("Cargo.toml")).unwrap()).unwrap();
    assert_eq!(manifest["package"]["license"].as_str(), Some("MIT AND CC-BY-4.0"));
}
