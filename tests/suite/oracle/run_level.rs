//! The run level: which reference runs may stand together, for which trace, and what they make of its end.

use super::checked::write;
use super::port::{Config as Port, Fault, Precision, header, run, serialize};
use super::variants::standard;
use gdstar::data::{Dataset, Source, load};
use gdstar::method::Method;
use gdstar::method::quantity::Number;
use gdstar::oracle::{CheckOptions, Ensemble, Equivalence, Report, RunStatistics, Verdict, check_trace, compare_runs};
use gdstar::trace::Trace;
use gdstar::train::{Checkpoint, Config, EpochRecord, Run};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

static GO_ON: AtomicBool = AtomicBool::new(false);

/// What the port of [`standard`] claims, as a run's configuration.
fn configuration(port: &Port) -> Config {
    let hyper = &port.hyper;
    let mut config = Config::new("lenet300", Source::Digits, Method::Gdstar);
    config.hyper.epochs = hyper.epochs;
    config.hyper.alpha_0 = hyper.alpha_0;
    config.hyper.alpha_end = hyper.alpha_end;
    config.hyper.lambda = hyper.lambda;
    config.hyper.eps = hyper.eps;
    config.hyper.chunks = hyper.chunks;
    config.optimizer.learning_rate = hyper.lr;
    config.optimizer.momentum = hyper.momentum;
    config.optimizer.weight_decay = hyper.weight_decay;
    config.optimizer.batch_size = hyper.batch_size;
    config
}

/// A run folder that ends with this accuracy and sparsity.
fn folder(at: &Path, name: &str, config: &Config, accuracy: f64, sparsity: f64) -> PathBuf {
    let path = at.join(name);
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("config.toml"), config.to_toml().unwrap()).unwrap();
    let record = |k: usize| EpochRecord {
        method: String::new(),
        epoch: k,
        loss: 0.1,
        test_accuracy: accuracy,
        sparsity,
        numbers: [("frobenius", Number::Real(1.0 + sparsity + accuracy)), ("k_star", Number::Count(3))]
            .into_iter()
            .collect(),
        learning_rate: 0.05,
        seconds: 1.0,
        effective_flops: None,
        bytes: None,
        layers: std::collections::BTreeMap::new(),
        measured: gdstar::method::Measured::default(),
    };
    let lines = (0..config.hyper.epochs).map(|k| serde_json::to_string(&record(k)).unwrap() + "\n");
    std::fs::write(path.join("metrics.jsonl"), lines.collect::<String>()).unwrap();
    path
}

/// Folders of these seeds, each with a change of the configuration and its sparsity.
fn folders(at: &Path, runs: &[(u64, f64)], change: impl Fn(usize, &mut Config)) -> Vec<PathBuf> {
    let own = |(i, &(seed, sparsity)): (usize, &(u64, f64))| {
        let mut config = configuration(&standard(81, Precision::F32));
        config.seed = seed;
        change(i, &mut config);
        folder(at, &format!("ref-{i}"), &config, 0.97 + 1e-4 * i as f64, sparsity)
    };
    runs.iter().enumerate().map(own).collect()
}

fn refused(runs: &[(u64, f64)], change: impl Fn(usize, &mut Config), words: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    let error = Ensemble::read(&folders(directory.path(), runs, change)).unwrap_err();
    let told = error.to_string();
    assert_eq!((error.exit_code(), told.lines().count()), (2, 1), "{told}");
    assert!(words.iter().all(|word| told.contains(word)), "{told} has not {words:?}");
}

/// A correct port's trace against an ensemble; its own runs end with `port`.
fn judged(reference: &[(u64, f64)], port: &[f64], change: impl Fn(&mut Config)) -> gdstar::Result<Report> {
    let directory = tempfile::tempdir().unwrap();
    let config = standard(81, Precision::F32);
    let path = directory.path().join("port.safetensors");
    write(&path, &header(&config), &serialize(&config, &run(&config, Fault::None)));
    let ensemble = Ensemble::read(&folders(directory.path(), reference, |_, config| change(config)))?;
    let end = |(i, &sparsity): (usize, &f64)| RunStatistics {
        accuracy: Some(0.9702),
        sparsity: Some(sparsity),
        k_star: Some(3.0),
        frobenius: Some(2.87 + i as f64 * 1e-3),
    };
    let runs = port.iter().enumerate().map(end).collect();
    check_trace(&Trace::open(&path)?, &CheckOptions { ensemble: Some(ensemble), runs, ..CheckOptions::default() })
}

/// What is said of a port's accuracies beside those of the reference, a seed each.
fn outcome(port: &[f64], reference: &[f64]) -> Equivalence {
    let directory = tempfile::tempdir().unwrap();
    let config = standard(81, Precision::F32);
    let path = directory.path().join("port.safetensors");
    write(&path, &header(&config), &serialize(&config, &run(&config, Fault::None)));
    let own = |(seed, &accuracy): (u64, &f64)| {
        let config = Config { seed, ..configuration(&config) };
        folder(directory.path(), &format!("ref-{seed}"), &config, accuracy, 0.5 + 1e-3 * seed as f64)
    };
    let ensemble = Ensemble::read(&(0..).zip(reference).map(own).collect::<Vec<PathBuf>>()).unwrap();
    let end = |&accuracy: &f64| RunStatistics { accuracy: Some(accuracy), ..RunStatistics::default() };
    let port: Vec<RunStatistics> = port.iter().map(end).collect();
    let compared = compare_runs(&port, &ensemble, &Trace::open(&path).unwrap().header).unwrap();
    let [accuracy] = &compared[..] else { panic!("{compared:?}") };
    accuracy.outcome
}

/// Half a point of accuracy, with a standard deviation of a tenth of a point: equal means are equivalent, two points
/// are a difference, half a point says nothing.
#[test]
fn equivalence_has_to_be_shown() {
    let reference = [0.980, 0.981, 0.982, 0.983, 0.981, 0.982];
    assert_eq!(outcome(&[0.981, 0.982, 0.9815], &reference), Equivalence::Equivalent);
    assert_eq!(outcome(&[0.9815], &reference), Equivalence::Equivalent);
    assert_eq!(outcome(&[0.986], &reference), Equivalence::Undecided);
    assert_eq!(outcome(&[0.960, 0.961, 0.960], &reference), Equivalence::Different);
    assert_eq!(outcome(&[0.995, 0.996, 0.995], &reference), Equivalence::Different);
}

/// Runs that scatter over thirty points make nothing equivalent: not what lies among them, nor what lies outside.
#[test]
fn a_wide_ensemble_makes_nothing_equivalent() {
    for port in [&[0.63][..], &[0.32], &[0.42, 0.11, 0.43]] {
        assert_eq!(outcome(port, &[0.42, 0.11, 0.43]), Equivalence::Undecided, "{port:?}");
    }
}

const NARROW: &[(u64, f64)] = &[(0, 0.900), (1, 0.902), (2, 0.898), (3, 0.901)];

#[test]
fn runs_that_end_alike_pass_and_others_fail() {
    let same = judged(NARROW, &[0.900, 0.901, 0.899], |_| {}).unwrap();
    assert_eq!(same.verdict, Verdict::Pass, "{:?}", same.levels);
    let level = same.levels.iter().find(|level| level.name == "run").unwrap();
    assert!(level.checked && level.status.contains("chosen margin"), "{}", level.status);
    let off = judged(NARROW, &[0.800, 0.801, 0.799], |_| {}).unwrap();
    assert_eq!((off.verdict, off.findings_total), (Verdict::Fail, 0), "{:?}", off.levels);
}

/// The ends of six runs of fifty epochs on the digits: what scatters so makes nothing equivalent, and a check that was
/// asked for the level and got no answer is no PASS.
#[test]
fn a_scattered_ensemble_decides_nothing() {
    let scattered = [(0, 0.418), (0, 0.463), (1, 0.112), (1, 0.112), (2, 0.431), (2, 0.431)];
    for sparsity in [0.635, 0.328] {
        let report = judged(&scattered, &[sparsity], |_| {}).unwrap();
        assert_eq!(report.verdict, Verdict::Inconclusive, "{sparsity}: {:?}", report.levels);
        assert!(report.inconclusive.iter().any(|reason| reason.contains("sparsity")), "{:?}", report.inconclusive);
    }
}

/// Two precisions of one seed are one observation; a run, a seed, or a copy given again is none.
#[test]
fn an_ensemble_has_three_seeds() {
    refused(&[(4, 0.9), (4, 0.9), (4, 0.9)], |_, _| {}, &["3 different seeds", "of 1 seeds"]);
    let precisions = |i: usize, config: &mut Config| {
        config.precision = if i.is_multiple_of(2) { gdstar::scalar::Dtype::F32 } else { gdstar::scalar::Dtype::F64 };
    };
    refused(&[(0, 0.9), (0, 0.91), (1, 0.92), (1, 0.93)], precisions, &["3 different seeds", "of 2 seeds"]);
    let directory = tempfile::tempdir().unwrap();
    let mut copies = folders(directory.path(), &[(0, 0.9)], |_, _| {});
    for seed in [1, 2] {
        let mut config = configuration(&standard(81, Precision::F32));
        config.seed = seed;
        copies.push(folder(directory.path(), &format!("copy-{seed}"), &config, 0.97, 0.9));
    }
    let told = Ensemble::read(&copies).unwrap_err().to_string();
    assert!(told.contains("copy-1") && told.contains("the same numbers as in"), "{told}");
}

#[test]
fn runs_of_something_else_are_no_ensemble() {
    refused(NARROW, |_, config| config.method = Method::Dense, &["ref-0", "method", "gdstar", "dense"]);
    refused(NARROW, |i, config| config.hyper.lambda = [0.75, 0.5][usize::from(i == 2)], &["ref-2", "lambda = 0.5"]);
    let other = |change: fn(&mut Config), words: &[&str]| {
        let told = judged(NARROW, &[0.9], change).unwrap_err().to_string();
        assert!(words.iter().all(|word| told.contains(word)), "{told} has not {words:?}");
    };
    other(|config| config.method = Method::Reset, &["--ensemble", "method = gdstar", "reset"]);
    other(|config| config.hyper.lambda = 0.5, &["--ensemble", "lambda = 0.75", "0.5"]);
    other(|config| config.optimizer.batch_size = 16, &["--ensemble", "batch_size = 8", "16"]);
    other(
        |config| config.reading.threshold = gdstar::paper::reading::Threshold::All,
        &["--ensemble", "reading", "threshold = all"],
    );
}

/// Runs of the same name's data are on other data where a pixel differs: their checkpoints tell.
#[test]
fn runs_on_other_data_are_no_ensemble() {
    let directory = tempfile::tempdir().unwrap();
    let runs = folders(directory.path(), NARROW, |_, _| {});
    let checkpoint = |run: &Path, dataset: &Dataset| {
        let config = Config::load(&run.join("config.toml")).unwrap();
        let run_of = Run::new(&config, dataset, &GO_ON).unwrap();
        let state = run_of.start::<f32>().unwrap();
        Checkpoint::write(&run.join("checkpoint.safetensors"), &run_of, &state, None).unwrap();
    };
    let digits = load(Source::Digits, None).unwrap();
    let mut other = digits.clone();
    other.test.pixels[0] ^= 1;
    checkpoint(&runs[1], &digits);
    checkpoint(&runs[2], &digits);
    assert!(Ensemble::read(&runs).is_ok());
    checkpoint(&runs[2], &other);
    let told = Ensemble::read(&runs).unwrap_err().to_string();
    assert!(["ref-2: checkpoint: data", "ref-1", "other data"].iter().all(|word| told.contains(word)), "{told}");
}

#[test]
fn unfinished_runs_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let runs = folders(directory.path(), NARROW, |_, _| {});
    let metrics = runs[1].join("metrics.jsonl");
    let text = std::fs::read_to_string(&metrics).unwrap();
    std::fs::write(&metrics, text.lines().take(3).map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    let told = Ensemble::read(&runs).unwrap_err().to_string();
    assert!(told.contains("ref-1") && told.contains("3/8"), "{told}");
}

/// The same trace or metrics file twice is one run.
#[test]
fn the_ports_runs_are_each_given_once() {
    let directory = tempfile::tempdir().unwrap();
    let runs = folders(directory.path(), NARROW, |_, _| {});
    assert_eq!(RunStatistics::read_all(&runs).unwrap().len(), 4);
    let told = RunStatistics::read_all(&[runs[0].clone(), runs[1].join("metrics.jsonl"), runs[0].clone()]).unwrap_err();
    assert!(told.to_string().contains("the same numbers as in"), "{told}");
}
