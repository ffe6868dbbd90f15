//! The table, from records to text, and the folders it is read from.

use super::fixtures::{run, store};
use crate::cli::{assert_fails, gdstar, text};
use gdstar::paper::reading::{EpochOrigin, MaskedGradient};
use gdstar::report::{MeanAndDeviation, StoredRun, mean_and_deviation, run_table};
use gdstar::sparsify::Method::{Dense, Gdstar};
use gdstar::train::RunFolder;
use std::fs;
use std::io::Write;

/// Small integers, whose mean and deviation are exact: divided by n - 1, not by n.
#[test]
fn mean_and_sample_deviation_are_exact() {
    let exact = |mean, deviation| Some(MeanAndDeviation { mean, deviation });
    assert_eq!(mean_and_deviation(&[1.0, 3.0, 5.0]), exact(3.0, 2.0));
    // squares 9 + 1 + 1 + 1 + 4 + 9 + 9 + 1 + 1 = 36; 36 / 8 is no square, 36 / 9 would be
    assert_eq!(mean_and_deviation(&[2.0, 4.0, 4.0, 4.0, 7.0, 8.0, 8.0, 4.0, 4.0]), exact(5.0, f64::sqrt(4.5)), "n - 1");
    assert_eq!(mean_and_deviation(&[-7.0, -7.0]), exact(-7.0, 0.0));
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
| model    | data   | method |          seed | epochs | test accuracy (%) |  sparsity (%) | training (min) | other than the paper's               |
|----------|--------|--------|--------------:|-------:|------------------:|--------------:|---------------:|--------------------------------------|
| lenet300 | digits | dense  |             0 |      2 |             93.75 |          0.00 |           2.00 |                                      |
| lenet300 | digits | dense  |             1 |    0/2 |                 - |             - |              - |                                      |
| lenet300 | digits | gdstar |             1 |      2 |             25.00 |         37.50 |           2.00 |                                      |
| lenet300 | digits | gdstar |             2 |      2 |             50.00 |         62.50 |           2.00 |                                      |
| lenet300 | digits | gdstar |             2 |      2 |             50.00 |         62.50 |           2.00 |                                      |
| lenet300 | digits | gdstar |            10 |      2 |             75.00 |         87.50 |           2.00 |                                      |
| lenet300 | digits | gdstar |            11 |    1/2 |            100.00 |        100.00 |           1.00 |                                      |
| lenet300 | digits | gdstar | mean ± sd (3) |      2 |     50.00 ± 25.00 | 62.50 ± 25.00 |    2.00 ± 0.00 |                                      |
| lenet300 | digits | gdstar |             0 |      2 |             50.00 |         50.00 |           2.00 | lambda = 0.5, masked_gradient = zero |
";
    assert_eq!(run_table(&runs).unwrap(), expected);
}

/// Every kind of setting is a departure; what names the run is none.
#[test]
fn departures_name_every_setting_that_is_not_the_papers() {
    let mut other = run(Gdstar, 7, 2, 0.5, 0.5);
    other.config.data_dir = Some("elsewhere".into());
    assert_eq!(other.departures().unwrap(), [] as [&str; 0]);
    other.config.augment = false;
    other.config.structure = Some("2:4".parse().unwrap());
    other.config.hyper.eps = 0.0;
    other.config.optimizer.batch_size = 64;
    other.config.reading.epoch_origin = EpochOrigin::One;
    let found = other.departures().unwrap();
    for departure in ["augment = false", "structure = 2:4", "eps = 0.0", "batch_size = 64", "epoch_origin = 1"] {
        assert!(found.iter().any(|f| f == departure), "{departure} is not in {found:?}");
    }
    assert_eq!(found.len(), 5, "{found:?}");
}

/// A folder gives back what was stored, also while its last line is being written or before its first.
#[test]
fn a_run_is_read_as_far_as_its_lines_are_complete() {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("run");
    let stored = run(Gdstar, 3, 2, 0.5, 0.25);
    store(&stored, &path);
    assert_eq!(StoredRun::read(&path).unwrap(), stored);
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
    assert_eq!(text(&output.stdout), run_table(&[StoredRun::read(&path).unwrap()]).unwrap());
}
