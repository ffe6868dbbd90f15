//! `gdstar report` of a store: what is asked for is remembered, and whatever is wrong is said in a line before anything is
//! written.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

fn gdstar(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gdstar")).current_dir(folder).args(words).output().unwrap()
}

/// What it says of bad input, in its one line.
#[track_caller]
fn refused(folder: &Path, words: &[&str]) -> String {
    let output = gdstar(folder, words);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    told
}

#[track_caller]
fn done(folder: &Path, words: &[&str]) -> String {
    let output = gdstar(folder, words);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

const SMALL: [&str; 8] = ["--models", "lenet300", "--data", "digits", "--epochs", "1", "--seeds", "1"];

fn reproduce(folder: &Path) -> String {
    done(folder, &[&["reproduce", "table2"], &SMALL[..]].concat())
}

#[test]
fn bad_input_is_one_line_and_writes_nothing() {
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    let told = refused(at, &["report", "--out", "report.html"]);
    assert!(told.contains("reproduced") && told.contains("gdstar reproduce TARGET"), "{told}");
    let told = refused(at, &["report", "table99", "--out", "report.html"]);
    assert!(told.contains("table99") && told.contains("table2"), "{told}");
    fs::create_dir(at.join("page.html")).unwrap();
    let told = refused(at, &["report", "--out", "page.html"]);
    assert!(told.contains("page.html"), "{told}");
    let told = refused(at, &["report", "--out", "page.pdf"]);
    assert!(told.contains(".html") && told.contains("page.pdf"), "{told}");
    fs::create_dir(at.join("reproduced")).unwrap();
    fs::write(at.join("reproduced/store.toml"), "version = 99\n").unwrap();
    let told = refused(at, &["report", "--out", "report.html"]);
    assert!(told.contains("version") && told.contains("99"), "{told}");
    fs::write(at.join("reproduced/store.toml"), "version = 2\n").unwrap();
    let told = refused(at, &["report", "--out", "report.html"]);
    assert!(told.contains("a finished run"), "{told}");
    assert!(!at.join("report.html").exists());
}

#[test]
fn a_store_shows_what_was_asked_of_it() {
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    let told = reproduce(at);
    for word in ["table2", "lenet300", "98.56", "One seed", "the paper: 300"] {
        assert!(told.contains(word), "{word} is not in\n{told}");
    }
    done(at, &["report", "--out", "report.html", "--files", "data"]);
    let page = fs::read_to_string(at.join("report.html")).unwrap();
    for word in ["lenet300", "paper 98.56", "1 epoch a run; the paper: 300.", "gdstar train --model lenet300"] {
        assert!(page.contains(word), "{word} is not on the page");
    }
    for hash in fs::read_dir(at.join("reproduced/runs")).unwrap() {
        let hash = hash.unwrap().file_name().into_string().unwrap();
        assert!(page.contains(&format!("id=\"run-{hash}\"")), "{hash} is not on the page");
    }
    assert!(fs::read_to_string(at.join("data/table2-table2.csv")).unwrap().contains("lenet300,dense,%,paper,,98.56,"));

    // Asked again it is the same part of the page; other epochs make another.
    reproduce(at);
    done(at, &["report", "table2", "--out", "again.html"]);
    assert_eq!(fs::read_to_string(at.join("again.html")).unwrap(), page, "the same store has the same page");
    let other = ["reproduce", "table2", "--models", "lenet300", "--data", "digits", "--epochs", "2", "--seeds", "1"];
    done(at, &other);
    done(at, &["report", "--out", "report.html"]);
    let page = fs::read_to_string(at.join("report.html")).unwrap();
    assert!(page.contains("id=\"table2\"") && page.contains("id=\"table2-2\"") && page.contains("--epochs 2"));

    // With a scale, that scale alone.
    let asked = [&["report", "--out", "report.html"], &SMALL[..]].concat();
    done(at, &asked);
    assert!(!fs::read_to_string(at.join("report.html")).unwrap().contains("id=\"table2-2\""));

    let remembered = fs::read_dir(at.join("reproduced/asked")).unwrap().next().unwrap().unwrap().path();
    fs::write(&remembered, "{}").unwrap();
    let told = refused(at, &["report", "--out", "report.html"]);
    assert!(told.contains(remembered.file_name().unwrap().to_str().unwrap()), "{told}");
}

/// AC/DC has no room for its phases in one epoch of so few steps.
#[test]
fn a_run_that_cannot_be_keeps_no_other_from_being_made() {
    let folder = TempDir::new().unwrap();
    let output = gdstar(folder.path(), &[&["reproduce", "methods"], &SMALL[..]].concat());
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("acdc") && told.contains("--compress-at"), "{told}");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("topkast"), "{printed}");
    let runs = fs::read_dir(folder.path().join("reproduced/runs")).unwrap().map(Result::unwrap);
    let (finished, other): (Vec<_>, Vec<_>) = runs.partition(|run| run.path().join("finished.json").exists());
    assert!(finished.len() >= 10 && other.len() <= 1, "{} finished, {} not", finished.len(), other.len());
}
