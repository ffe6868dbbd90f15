//! The documents' links lead somewhere, in the repository and in the package.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Documents of the repository, by their path in it.
fn documents() -> Vec<PathBuf> {
    fn of(folder: &Path, documents: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let name = folder.join(entry.unwrap().file_name());
            if root().join(&name).is_dir() {
                of(&name, documents);
            } else if name.extension().is_some_and(|extension| extension == "md") {
                documents.push(name);
            }
        }
    }
    let mut documents = vec![PathBuf::from("README.md"), PathBuf::from("CONTRIBUTING.md")];
    ["docs", "examples", "fuzz", "golden/make"].iter().for_each(|folder| of(Path::new(folder), &mut documents));
    documents
}

/// A link's path, seen from the root, and what stands behind `#`.
fn target(document: &Path, link: &str) -> (PathBuf, Option<String>) {
    let (path, place) = link.split_once('#').map_or((link, None), |(path, place)| (path, Some(place.to_string())));
    if path.is_empty() {
        return (document.to_path_buf(), place);
    }
    let mut target = PathBuf::new();
    for part in document.parent().unwrap().join(path).components() {
        match part {
            Component::ParentDir => assert!(target.pop(), "{}: {link} leads out of the repository", document.display()),
            part => target.push(part),
        }
    }
    (target, place)
}

/// The links of a document that lead to a file or to a place in one.
fn links(document: &Path) -> Vec<(PathBuf, Option<String>)> {
    let text = std::fs::read_to_string(root().join(document)).unwrap();
    let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
    links.filter(|link| !link.contains("://")).map(|link| target(document, link)).collect()
}

/// The places of a document that links can name: its headings as they are usually turned into anchors.
fn places(document: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join(document)).unwrap();
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let anchor = |heading: &str| -> String {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn links_lead_somewhere() {
    for document in documents() {
        for (target, place) in links(&document) {
            let from = document.display();
            assert!(root().join(&target).exists(), "{from}: there is no {}", target.display());
            if let Some(place) = place {
                assert!(places(&target).contains(&place), "{from}: {} has no #{place}", target.display());
            }
        }
    }
}

/// What is in the package and leads to a file leads to one that is in it too.
#[test]
fn links_lead_somewhere_in_the_package() {
    let mut cargo = Command::new(env!("CARGO"));
    let output = cargo.args(["package", "--list", "--allow-dirty", "--offline"]).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let files: BTreeSet<PathBuf> = String::from_utf8(output.stdout).unwrap().lines().map(PathBuf::from).collect();
    let is_there = |target: &Path| files.iter().any(|file| file.starts_with(target));
    for part in ["README.md", "LICENSE", "src/data/digits.LICENSE.md", "src/oracle/golden/dyadic.rs", "docs/porting.md"]
    {
        assert!(is_there(Path::new(part)), "{part} is not in the package");
    }
    for document in documents().into_iter().filter(|document| files.contains(document)) {
        for (target, _) in links(&document) {
            assert!(is_there(&target), "{}: {} is not in the package", document.display(), target.display());
        }
    }
}

/// The program holds the digits: their licence is a part of the package's.
#[test]
fn the_licence_names_that_of_the_digits() {
    let manifest: toml::Table = toml::from_str(&std::fs::read_to_string(root().join("Cargo.toml")).unwrap()).unwrap();
    assert_eq!(manifest["package"]["license"].as_str(), Some("MIT AND CC-BY-4.0"));
}
