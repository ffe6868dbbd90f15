//! The table, from records to text, and the folders it is read from.

use super::fixtures::{run, store};
use crate::cli::{assert_fails, gdstar, text};
use gdstar::experiment::statistics::{MeanAndDeviation, mean_and_deviation};
use gdstar::method::Method::{Dense, Gdstar};
use gdstar::paper::reading::{EpochOrigin, MaskedGradient};
use gdstar::report::RunTable;
use gdstar::train::{RunFolder, StoredRun};
use std::fs;
use std::io::Write;

fn markdown(runs: &[StoredRun]) -> String {
    RunTable::new(runs).unwrap().markdown(None)
}

/// Small integers, whose mean and deviation are exact: divided by n - 1, not by n.
#[test]
fn mean_and_sample_deviation_are_exact() {
    let exact = |count, mean, deviation| Some(MeanAndDeviation { count, mean, deviation });
    assert_eq!(mean_and_deviation(&[1.0, 3.0, 5.0]), exact(3, 3.0, 2.0));
    // squares 9 + 1 + 1 + 1 + 4 + 9 + 9 + 1 + 1 = 36; 36 / 8 is no square, 36 / 9 would be
    assert_eq!(
        mean_and_deviation(&[2.0, 4.0, 4.0, 4.0, 7.0, 8.0, 8.0, 4.0, 4.0]),
        exact(9, 5.0, f64::sqrt(4.5)),
        "n - 1"
    );
    assert_eq!(mean_and_deviation(&[-7.0, -7.0]), exact(2, -7.0, 0.0));
    assert_eq!(mean_and_deviation(&[7.0]), None, "one value has no deviation");
    assert_eq!(mean_and_deviation(&[]), None);
}

/// Every column, the order of rows, means over finished seeds only, a repeated seed counted once, departures as
/// experiments of their own, a run under way and one before its first epoch.
#[test]
fn the_tables_text_is_exact() {
    let mut zero = run(Gdstar, 0, 2, 0.5, 0.5);
    zero.config.reading.masked_gradient = MaskedGradient::Zero;
    zero.config.hyper.lambda = 0.5;
    let runs = [
        zero,
        run(Gdstar, 10, 2, 0.75, 0.875),
        run(Gdstar, 2, 2, 0.5, 0.625),
        run(Gdstar, 1, 2, 0.25, 0.375),
        run(Gdstar, 2, 2, 0.5, 0.625),
        run(Gdstar, 11, 1, 1.0, 1.0),
        run(Dense, 1, 0, 0.0, 0.0),
        run(Dense, 0, 2, 0.9375, 0.0),
    ];
    let expected = "\
lenet300 on digits, 2 epochs

| run           | method | epochs | seed |  accuracy (%) |  sparsity (%) | training (min) | other than the paper's               |
|---------------|--------|-------:|-----:|--------------:|--------------:|---------------:|--------------------------------------|
| dense-0       | dense  |      2 |    0 |         93.75 |          0.00 |           2.00 |                                      |
| dense-1       | dense  |    0/2 |    1 |             - |             - |              - |                                      |
| gdstar-1      | gdstar |      2 |    1 |         25.00 |         37.50 |           2.00 |                                      |
| gdstar-2      | gdstar |      2 |    2 |         50.00 |         62.50 |           2.00 |                                      |
| gdstar-2      | gdstar |      2 |    2 |         50.00 |         62.50 |           2.00 |                                      |
| gdstar-10     | gdstar |      2 |   10 |         75.00 |         87.50 |           2.00 |                                      |
| gdstar-11     | gdstar |    1/2 |   11 |        100.00 |        100.00 |           1.00 |                                      |
| mean ± sd (3) | gdstar |      2 |      | 50.00 ± 25.00 | 62.50 ± 25.00 |    2.00 ± 0.00 |                                      |
| 95 % of mean  | gdstar |      2 |      |  0.00..100.00 |  0.40..100.00 |                |                                      |
| gdstar-0      | gdstar |      2 |    0 |         50.00 |         50.00 |           2.00 | lambda = 0.5, masked_gradient = zero |
";
    assert_eq!(markdown(&runs), expected);
}

/// Every kind of setting is a departure; what names the run is none.
#[test]
fn departures_name_every_setting_that_is_not_the_papers() {
    let mut other = run(Gdstar, 7, 2, 0.5, 0.5);
    other.config.data_dir = Some("elsewhere".into());
    assert_eq!(other.config.departures().unwrap(), []);
    other.config.augment = false;
    other.config.structure = Some("2:4".parse().unwrap());
    other.config.hyper.eps = 0.0;
    other.config.optimizer.batch_size = 64;
    other.config.optimizer.learning_rate = 0.1;
    other.config.reading.epoch_origin = EpochOrigin::One;
    let found = other.config.departures().unwrap();
    for departure in
        ["augment = false", "structure = 2:4", "eps = 0.0", "batch_size = 64", "lr = 0.1", "epoch_origin = 1"]
    {
        assert!(found.iter().any(|f| f.to_string() == departure), "{departure} is not in {found:?}");
    }
    assert_eq!(found.len(), 6, "{found:?}");
}

/// A folder gives back what was stored, also while its last line is being written or before its first.
#[test]
fn a_run_is_read_as_far_as_its_lines_are_complete() {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("run");
    let stored = run(Gdstar, 3, 2, 0.5, 0.25);
    store(&stored, &path);
    assert_eq!(StoredRun::read(&path).unwrap(), StoredRun { name: "run".to_string(), ..stored.clone() });
    let (folder, _) = RunFolder::open(&path).unwrap().unwrap();
    let whole = fs::read_to_string(folder.metrics()).unwrap();
    let first = whole.find('\n').unwrap() + 1;
    // Cut anywhere in the second line, also before its line feed alone, the first remains.
    for length in [first, first + 1, first + 40, whole.len() - 1] {
        fs::write(folder.metrics(), &whole[..length]).unwrap();
        assert_eq!(StoredRun::read(&path).unwrap().records, stored.records[..1], "{length} bytes");
    }
    fs::write(folder.metrics(), &whole[..first - 1]).unwrap();
    assert_eq!(StoredRun::read(&path).unwrap().records, []);
    fs::remove_file(folder.metrics()).unwrap();
    assert_eq!(StoredRun::read(&path).unwrap().records, []);
}

/// What is no run, or no run's file, is named in one line; exit 2.
#[test]
fn what_is_no_run_is_named() {
    let base = tempfile::tempdir().unwrap();
    let (path, empty) = (base.path().join("run"), base.path().join("empty"));
    let (there, gone) = (path.to_str().unwrap(), base.path().join("gone"));
    store(&run(Gdstar, 3, 2, 0.5, 0.25), &path);
    fs::create_dir(&empty).unwrap();
    let figure = base.path().join("figure.svg");
    for command in [&["table"][..], &["plot", "--out", figure.to_str().unwrap()]] {
        let with = |last: &'static str| [command, &[there, last]].concat();
        let missing = gone.to_str().unwrap();
        assert_fails(&[command, &[there, missing]].concat(), 2, &[missing, "config.toml", "no folder"]);
        let nothing = empty.to_str().unwrap();
        assert_fails(&[command, &[there, nothing]].concat(), 2, &[nothing, "config.toml", "a folder without one"]);
        assert_fails(&with("--frobnicate"), 2, &["--frobnicate"]);
        assert_fails(command, 2, &["RUN"]);
    }
    let metrics = path.join("metrics.jsonl");
    let whole = fs::read_to_string(&metrics).unwrap();
    let second = whole.lines().last().unwrap();
    for (bad, parts) in [("{}", ["line 3", "missing field"]), (second, ["line 3", "epoch 2"])] {
        let mut file = fs::OpenOptions::new().append(true).open(&metrics).unwrap();
        writeln!(file, "{bad}").unwrap();
        assert_fails(&["table", there], 2, &[&["metrics.jsonl"][..], &parts].concat());
        fs::write(&metrics, &whole).unwrap();
    }
    assert!(!figure.exists(), "nothing is drawn of runs that cannot be read");
    let output = gdstar(&["table", there]);
    assert!(output.status.success() && text(&output.stderr).is_empty());
    assert_eq!(text(&output.stdout), markdown(&[StoredRun::read(&path).unwrap()]));
}

/// Runs that differ in data or in anything that was swept are told apart, and never averaged: the data by the beginning
/// of its fingerprint where the name is the same, every setting by its key; what all share stands above.
#[test]
fn only_seeds_of_the_same_data_and_settings_are_one_experiment() {
    let on = |data: &str, seed| StoredRun { fingerprint: Some(data.repeat(64)), ..run(Gdstar, seed, 2, 0.5, 0.5) };
    let mut runs = vec![on("a", 0), on("b", 0), on("a", 1), on("b", 1)];
    runs.iter_mut().for_each(|run| run.config.hyper.chunks = 2);
    let table = markdown(&runs);
    assert!(table.starts_with("lenet300, gdstar, 2 epochs, chunks = 2\n\n"), "{table}");
    assert!(!table.contains("other than the paper's"), "{table}");
    let rows: Vec<Vec<&str>> = table.lines().skip(4).map(|row| row.split('|').map(str::trim).collect()).collect();
    let told: Vec<(&str, &str)> = rows.iter().map(|row| (row[1], row[2])).collect();
    let (a, b) = ("digits (aaaaaaaa)", "digits (bbbbbbbb)");
    let mean = "mean ± sd (2)";
    let expected = [("gdstar-0", a), ("gdstar-1", a), (mean, a), ("95 % of mean", a)];
    assert_eq!(told[..4], expected);
    assert_eq!(told[4..], expected.map(|(name, _)| (name, b)));
    // Another number of epochs and another setting, in the order of their size.
    for (i, chunks) in [10, 9].into_iter().enumerate() {
        runs[i] = on("a", 0);
        runs[i].config.hyper.chunks = chunks;
        runs[i + 2] = on("a", 0);
        runs[i + 2].config.hyper.epochs = 1 + i;
    }
    let table = markdown(&runs);
    assert!(table.starts_with("lenet300 on digits, gdstar, seed 0\n\n") && !table.contains("mean"), "{table}");
    let last: Vec<&str> =
        table.lines().skip(4).map(|row| row.trim_end_matches(['|', ' ']).rsplit("| ").next().unwrap()).collect();
    assert_eq!(last[2..], ["chunks = 9", "chunks = 10"], "{table}");
}

/// Seconds where minutes would be 0.00, and hours where it takes that long.
#[test]
fn times_are_told_in_a_unit_that_shows_them() {
    for (seconds, column, told) in
        [(0.5, "training (s)", "1.00"), (40.0, "training (min)", "1.33"), (5400.0, "training (h)", "3.00")]
    {
        let mut stored = run(Gdstar, 0, 2, 0.5, 0.5);
        stored.records.iter_mut().for_each(|record| record.seconds = seconds);
        let table = markdown(&[stored]);
        assert!(table.contains(column) && table.contains(told), "{table}");
    }
}

/// A terminal's table is no wider than the terminal: words are broken, numbers are not.
#[test]
fn a_terminals_table_fits() {
    let mut runs: Vec<StoredRun> = (0..4).map(|seed| run(Gdstar, seed, 2, 0.5, 0.5)).collect();
    runs[1].config.reading.masked_gradient = MaskedGradient::Zero;
    runs[1].config.hyper.lambda = 0.5;
    runs[1].config.optimizer.batch_size = 64;
    runs[2].config.method = Dense;
    runs[2].name = "a-name-that-says-more-of-the-run-than-a-table-has-room-for".to_string();
    let table = RunTable::new(&runs).unwrap();
    let fitted = table.markdown(Some(80));
    assert!(table.markdown(None).lines().any(|line| line.chars().count() > 160), "the whole would not fit");
    assert!(fitted.lines().all(|line| line.chars().count() <= 80), "{fitted}");
    let rows: Vec<&str> = fitted.lines().skip(2).filter(|line| line.starts_with('|')).collect();
    assert!(rows.iter().all(|row| row.chars().count() == rows[0].chars().count()), "{fitted}");
    let below = |name: &str| fitted.lines().skip_while(|line| !line.contains(name)).nth(1).unwrap();
    assert!(below("gdstar-1").contains("lambda = 0.5, batch_size = 64, masked_gradient = zero"), "{fitted}");
    assert!(fitted.contains("50.00 ± 0.00"), "{fitted}");
}

/// For other programs: a record a run with what `metrics.jsonl` and the configuration say, nothing rounded; and as JSON
/// also what seeds come to.
#[test]
fn records_are_exact() {
    let mut runs = vec![run(Gdstar, 1, 2, 0.25, 0.375), run(Gdstar, 0, 2, 0.75, 0.625), run(Gdstar, 2, 0, 0.0, 0.0)];
    runs[0].fingerprint = Some("ab".to_string());
    runs[1].fingerprint = Some("ab".to_string());
    runs[2].name = "a, \"b\"".to_string();
    runs[2].config.hyper.lambda = 0.5;
    let table = RunTable::new(&runs).unwrap();
    let expected = "\
run,model,data,data_sha256,method,seed,epochs,epochs_done,test_accuracy,sparsity,seconds,lambda
gdstar-0,lenet300,digits,ab,gdstar,0,2,2,0.75,0.625,120.0,
gdstar-1,lenet300,digits,ab,gdstar,1,2,2,0.25,0.375,120.0,
\"a, \"\"b\"\"\",lenet300,digits,,gdstar,2,2,0,,,,0.5
";
    assert_eq!(table.csv().unwrap(), expected);
    let json = table.json();
    assert_eq!(json["runs"][0]["test_accuracy"], 0.75);
    assert_eq!(json["runs"][2]["departures"]["lambda"], "0.5");
    assert!(json["runs"][2]["test_accuracy"].is_null() && json["runs"][2]["data_sha256"].is_null());
    let over = &json["experiments"][0];
    assert_eq!(over["runs"], serde_json::json!(["gdstar-0", "gdstar-1"]));
    assert_eq!((over["n"].as_u64(), over["test_accuracy"]["mean"].as_f64()), (Some(2), Some(0.5)));
    assert!(json["experiments"][1]["seconds"].is_null(), "one run has no deviation");
}

/// A folder of runs stands for its runs, each by as much of its path as tells it from the others.
#[test]
fn a_folder_of_runs_is_its_runs() {
    let base = tempfile::tempdir().unwrap();
    for (place, seed) in [("first/b", 1), ("first/a", 0), ("second/a", 2)] {
        fs::create_dir_all(base.path().join(place).parent().unwrap()).unwrap();
        store(&run(Gdstar, seed, 2, 0.5, 0.25), &base.path().join(place));
    }
    fs::write(base.path().join("first/notes.txt"), "no run").unwrap();
    let names = |places: &[&str]| -> Vec<String> {
        let paths: Vec<_> = places.iter().map(|place| base.path().join(place)).collect();
        StoredRun::read_all(&paths).unwrap().into_iter().map(|run| run.name).collect()
    };
    assert_eq!(names(&["first"]), ["a", "b"]);
    assert_eq!(names(&["first", "second/a"]), ["first/a", "b", "second/a"]);
    assert_eq!(names(&["second/a", "second/a"]), ["a", "a"]);
    let output = gdstar(&["table", base.path().join("first").to_str().unwrap(), "--format", "json"]);
    let table: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(table["runs"].as_array().unwrap().len(), 2);
    let only_folders = base.path().to_str().unwrap();
    assert_fails(&["table", only_folders], 2, &[only_folders, "config.toml", "a folder without one"]);
}

/// The data set's fingerprint is the checkpoint's.
#[test]
fn the_fingerprint_is_read_from_the_checkpoint() {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("run");
    let trained = ["train", "--model", "lenet300", "--data", "digits", "--epochs", "1", "--every", "0", "--out"];
    assert!(gdstar(&[&trained[..], &[out.to_str().unwrap()]].concat()).status.success());
    let digits = gdstar::data::load(gdstar::data::Source::Digits, None).unwrap();
    assert_eq!(StoredRun::read(&out).unwrap().fingerprint, Some(digits.fingerprint()));
}
