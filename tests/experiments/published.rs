//! Promises of `docs/reproduced`, the runs behind `docs/results.md`: they are as they ended, and the page has what they come to.

use super::common::{printed, word};
use gdstar::experiment::reproduce::{Target, find};
use gdstar::experiment::{Finished, Job, Scale, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reproduced")
}

/// What is collected there: targets, and the scale up to which.
fn collected(store: &Store) -> Vec<(&'static Target, Scale)> {
    store.asked().unwrap().into_iter().map(|note| (find(&note.target).unwrap(), note.scale)).collect()
}

/// Every folder is a run of a target that is collected, its results have the checksum and its settings the hash that it ended
/// with, and nothing names a place of the machine where it was made.
#[test]
fn published_runs_are_whole() {
    let store = Store::at(&folder()).unwrap();
    let jobs = collected(&store).into_iter().flat_map(|(target, scale)| (target.jobs)(&scale).unwrap());
    let jobs: BTreeMap<String, Job> = jobs.map(|job| (job.hash().unwrap(), job)).collect();
    let mut runs = 0;
    for entry in folder().join("runs").read_dir().unwrap() {
        let path = entry.unwrap().path();
        let hash = path.file_name().unwrap().to_string_lossy().into_owned();
        let job = jobs.get(&hash).unwrap_or_else(|| panic!("{hash} is of no target that is collected"));
        let records = Finished::of(&store).records(job).unwrap().unwrap_or_else(|| panic!("{hash} is not finished"));
        assert_eq!(records.len(), job.config().hyper.epochs, "{hash}");
        let names: BTreeSet<String> =
            path.read_dir().unwrap().map(|file| file.unwrap().file_name().to_string_lossy().into_owned()).collect();
        assert_eq!(names, ["config.toml", "finished.json", "metrics.jsonl"].map(String::from).into(), "{hash}");
        assert!(!fs::read_to_string(path.join("config.toml")).unwrap().contains("data_dir"), "{hash}");
        runs += 1;
    }
    assert!(runs > 0);
}

/// `docs/results.md` has what `gdstar reproduce` prints of them, of as many seeds as are complete; `GDSTAR_BLESS=1` writes it.
#[test]
fn results_are_those_of_the_published_runs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/results.md");
    let page = fs::read_to_string(&path).unwrap();
    let (begin, end) = ("<!-- begin reproduced -->\n", "<!-- end reproduced -->");
    let (before, rest) = page.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    // A copy: the command leaves its lock.
    let copy = tempfile::tempdir().unwrap();
    copy_folder(&folder(), copy.path());
    let mut told = String::new();
    let store = Store::at(copy.path()).unwrap();
    for (target, scale) in collected(&store) {
        let is_complete = |seeds: &u64| {
            let jobs = (target.jobs)(&Scale { seeds: *seeds, ..scale.clone() }).unwrap();
            jobs.iter().all(|job| store.is_finished(job).unwrap())
        };
        let seeds =
            (1..=scale.seeds).rev().find(is_complete).expect("a target with a seed that is complete").to_string();
        let options = ["--models", &scale.models.join(","), "--seeds", &seeds];
        let shown = ["gdstar", "reproduce", target.name];
        let command = [&shown[..], &options].concat().join(" ");
        let text = printed(&[&["reproduce", target.name, "--store", word(copy.path())][..], &options].concat());
        told += &format!(
            "```\n$ {command}\n{}\n```\n",
            text.split("\ngdstar report ").next().unwrap_or_default().trim_end()
        );
    }
    let written = format!("{before}{begin}{told}{end}{after}");
    if std::env::var_os("GDSTAR_BLESS").is_some() {
        fs::write(&path, &written).unwrap();
    }
    assert!(written == page, "docs/results.md has other results: GDSTAR_BLESS=1 writes them");
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in from.read_dir().unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&to).unwrap();
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), &to).unwrap();
        }
    }
}
