//! Every target exists, lists its runs, shows what is there of it, and runs scaled down.

use super::common::{printed, word};
use gdstar::data::Source;
use gdstar::experiment::exhibit::Exhibit;
use gdstar::experiment::reproduce::{TARGETS, find};
use gdstar::experiment::{CostModel, Finished, Job, Scale, Store, Work};
use gdstar::train::Config;
use std::collections::BTreeSet;

/// Little of everything.
fn small() -> Scale {
    Scale { seeds: 2, epochs: Some(2), ..Scale::default() }
}

/// Where times stand beside each other it is said under which conditions they can be compared; elsewhere it is not.
#[test]
fn times_are_not_compared_without_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path()).unwrap();
    let mut told = Vec::new();
    for target in TARGETS {
        let exhibit = target.show(&small(), &store).unwrap();
        let units = exhibit.tables.iter().flat_map(|table| &table.columns).filter_map(|column| column.unit.as_deref());
        let has_times = units.into_iter().any(|unit| ["ms", "s", "min"].contains(&unit));
        let notes = exhibit.notes.iter().filter(|note| note.contains("--threads")).count();
        assert_eq!(notes, usize::from(has_times), "{}", target.name);
        told.extend(has_times.then_some(target.name));
    }
    for target in ["table5", "table6", "fig7", "methods", "cost"] {
        assert!(told.contains(&target), "{target} compares times: {told:?}");
    }
}

#[test]
fn names_are_words_and_none_is_there_twice() {
    let names: BTreeSet<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names.len(), TARGETS.len());
    for target in TARGETS {
        assert!(
            target.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
            "{}",
            target.name
        );
        assert_eq!(find(target.name).unwrap().name, target.name);
    }
    assert!(find("table99").is_err());
}

/// Each run is there once, has a time and an amount of memory, and is no other target's under another name.
#[test]
fn every_target_lists_its_runs() {
    let mut model = CostModel::default();
    for target in TARGETS {
        let runs = target.runs(&small()).unwrap();
        // Kernels are launched where there is a GPU.
        assert!(!runs.is_empty() || target.name == "table8", "{}", target.name);
        let hashes: BTreeSet<String> = runs.iter().map(|job| job.hash().unwrap()).collect();
        assert_eq!(hashes.len(), runs.len(), "{}", target.name);
        for job in &runs {
            let estimate = model.estimate(job).unwrap();
            assert!(estimate.seconds > 0.0 && estimate.seconds.is_finite() && estimate.bytes > 0, "{}", job.name);
            assert_eq!(job.command().unwrap()[0], "gdstar");
        }
    }
}

/// What a target shows before anything is run: its form, the paper's numbers, and what is not as in the paper.
#[test]
fn every_target_shows_itself_before_anything_is_run() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path()).unwrap();
    for target in TARGETS {
        let exhibit = target.show(&small(), &store).unwrap();
        assert_eq!((exhibit.target.as_str(), exhibit.runs.len()), (target.name, 0));
        assert!(exhibit.question.ends_with('?'));
        // What is counted and not run has no length.
        let tells_epochs = exhibit.departures.iter().any(|told| told.contains("2 epochs"));
        assert_eq!(tells_epochs, target.name != "table8", "{}", target.name);
        assert!(!exhibit.tables.is_empty() || !exhibit.charts.is_empty(), "{}", target.name);
        for table in &exhibit.tables {
            assert!(table.rows.iter().all(|row| row.cells.len() == table.columns.len()), "{}", table.name);
        }
    }
    assert!(folder.path().read_dir().unwrap().next().is_none(), "looking leaves nothing");
}

/// Runs that a table has are read by the next, whatever it is called by.
#[test]
fn targets_share_runs() {
    let scale = Scale { models: vec!["lenet300".to_string()], ..small() };
    let of = |name: &str| -> BTreeSet<String> {
        find(name).unwrap().runs(&scale).unwrap().iter().map(|job| job.hash().unwrap()).collect()
    };
    // The dense ones.
    assert_eq!(of("table2").intersection(&of("table6")).count(), 2);
}

/// The command runs a target on the digits that are part of the program, and all its cells have values of all seeds.
#[test]
fn table_2_runs_scaled_down() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let words = ["reproduce", "table2", "--models", "lenet300", "--data", "digits", "--seeds", "2", "--epochs", "1"];
    printed(&[&words[..], &["--store", word(&store)]].concat());
    let scale = Scale {
        models: vec!["lenet300".to_string()],
        seeds: 2,
        epochs: Some(1),
        data: Some(Source::Digits),
        ..Scale::default()
    };
    let target = find("table2").unwrap();
    let store = Store::at(&store).unwrap();
    let asked = store.asked().unwrap();
    assert_eq!(
        asked.iter().map(|asked| (asked.target.as_str(), &asked.scale)).collect::<Vec<_>>(),
        [("table2", &scale)]
    );
    let exhibit: Exhibit = target.show(&scale, &store).unwrap();
    assert_eq!(exhibit.runs.len(), 12);
    let finished = Finished::of(&store);
    let dense = &target.runs(&scale).unwrap()[0];
    assert!(matches!(&dense.work, Work::Train(config) if config.seed == 0));
    assert_eq!(finished.records(dense).unwrap().unwrap().len(), 1);
    for told in ["1 epoch a run; the paper: 300.", "Trained and tested on digits; the paper: MNIST."] {
        assert!(exhibit.departures.iter().any(|departure| departure == told), "{told}");
    }
}

/// What an exhibit says of a run is the command that makes it, wherever it is typed.
#[test]
fn the_command_of_a_run_makes_that_run() {
    let folder = tempfile::tempdir().unwrap();
    let models = vec!["lenet300".to_string()];
    let (epochs, subset, data) = (Some(1), Some(128), Some(Source::Digits));
    let scale = Scale { models, seeds: 1, epochs, subset, data, ..Scale::default() };
    for job in find("table2").unwrap().runs(&scale).unwrap() {
        let hash = job.hash().unwrap();
        let out = folder.path().join(&hash);
        let command = job.command().unwrap();
        let words: Vec<&str> = command[1..].iter().map(String::as_str).collect();
        printed(&[&words[..], &["--every", "0", "--out", word(&out)]].concat());
        let made = Config::load(&out.join("config.toml")).unwrap();
        assert_eq!(Job::train(made).hash().unwrap(), hash, "{command:?}");
    }
}
