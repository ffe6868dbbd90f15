//! The documents' links lead somewhere: from the files themselves, and from the pages that rustdoc makes of chapters.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every document: those at the root, all in `docs/`, the page's, and those of the fuzzer and of the golden files.
pub fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["", "docs", "docs/equations", "docs/methods", "docs/walkthrough", "fuzz", "golden/make"] {
        let files = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        found.extend(files.filter(|file| file.extension().is_some_and(|extension| extension == "md")));
    }
    found
}

/// The lines outside code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    })
}

/// Where the links of a document lead: inline ones, and the definitions of named ones.
pub fn targets(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in prose(text) {
        found.extend(line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target.into()));
        found.extend(definition(line).map(|(_, target)| target.into()));
    }
    found
}

/// `[name]: target`.
fn definition(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix('[')?.split_once("]: ").filter(|(name, _)| !name.contains(']'))
}

/// The anchors of a document's headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| -> String {
        let kept = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

/// A file, a folder or a heading is there for every link that leaves no repository.
#[test]
fn every_link_leads_somewhere() {
    let mut checked = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for target in targets(&text).iter().filter(|target| !target.contains("://")) {
            let (path, anchor) = target.split_once('#').map_or((target.as_str(), None), |(path, a)| (path, Some(a)));
            let file = if path.is_empty() { document.clone() } else { document.parent().unwrap().join(path) };
            assert!(file.exists(), "{}: {target}", document.display());
            if let Some(anchor) = anchor {
                let there = anchors(&fs::read_to_string(&file).unwrap());
                assert!(there.contains(anchor), "{}: {target} is none of {there:?}", document.display());
            }
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked} links");
}

/// Every link of a chapter by its name has a definition in the chapter, for who reads the file, and one for the page that
/// rustdoc makes of it (which warns of those that lead nowhere); an inline one would lead nowhere there.
#[test]
fn chapters_name_their_links() {
    let pages = fs::read_to_string(root().join("src/paper/chapters/links.md")).unwrap();
    let pages: BTreeSet<&str> = pages.lines().filter_map(definition).map(|(name, _)| name).collect();
    let is_chapter = |file: &Path| file.parent().unwrap().ends_with("equations") || file.ends_with("open-points.md");
    let chapters: Vec<PathBuf> = documents().into_iter().filter(|file| is_chapter(file)).collect();
    assert_eq!(chapters.len(), 15);
    for chapter in chapters {
        let text = fs::read_to_string(&chapter).unwrap();
        let own: BTreeSet<&str> = prose(&text).filter_map(definition).map(|(name, _)| name).collect();
        for name in &own {
            assert!(pages.contains(name), "{}: [{name}]", chapter.display());
        }
        let inline =
            |line: &&str| line.split("](").skip(1).any(|rest| !rest.starts_with('#') && !rest.starts_with("http"));
        assert_eq!(prose(&text).find(inline), None, "{}", chapter.display());
        for line in prose(&text) {
            for used in line.split("][").skip(1).filter_map(|rest| rest.split_once(']')).map(|(name, _)| name) {
                assert!(own.contains(used), "{}: [{used}] has no definition", chapter.display());
            }
        }
    }
}
