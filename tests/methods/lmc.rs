//! Promises of `gdstar lmc`: the line between two networks and what is seen on it, by hand; Alg. 3 in a folder that is used again
//! and goes on where it was cut off.

use super::listed::gdstar;
use super::lottery::{is_passed, left_by, tensors};
use gdstar::data::{self, Dataset, Source, Split};
use gdstar::experiment::Bench;
use gdstar::experiment::lmc::{
    BatchNorm, CandidateRecord, Choice, Connectivity, Curve, End, Line, between, measure_statistics,
};
use gdstar::method::options::Value;
use gdstar::method::{Method, Options, lmc};
use gdstar::nn::{Mode, Parameter, Parameters, Role, models};
use gdstar::select::path::{BarrierOf, Interpolation};
use gdstar::tensor_file::TensorFile;
use gdstar::train::{Config, Session, Step, TEST_BATCH, evaluate};
use ndarray::arr1;
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;

fn options(points: usize) -> Options {
    let mut options = Options::of(&lmc::ENTRY);
    options.set("points", Value::Count(points));
    options
}

fn line(points: usize) -> Line {
    Line::of(&options(points)).unwrap()
}

/// `docs/methods/lmc.md` has the table.
#[test]
fn a_line_by_hand() {
    let network = |w: [f64; 2]| Parameters::new(vec![Parameter::new("w", Role::Weight, arr1(&w).into_dyn())]);
    let (one, two) = (network([1.0, -2.0]), network([3.0, 2.0]));
    let line = line(5);
    let expected = [[1.0, -2.0], [1.5, -1.0], [2.0, 0.0], [2.5, 1.0], [3.0, 2.0]];
    for (alpha, expected) in line.alphas().into_iter().zip(expected) {
        assert_eq!(line.interpolate(&one, &two, alpha), network(expected), "{alpha}");
        let mirrored = Line { interpolation: Interpolation::TwoToOne, ..line };
        assert_eq!(mirrored.interpolate(&two, &one, alpha), network(expected), "{alpha}, mirrored");
    }
    let curve = Curve {
        alpha: line.alphas(),
        loss: vec![0.25, 0.5, 1.0, 0.75, 0.5],
        error: vec![0.125, 0.125, 0.25, 0.1875, 0.125],
    };
    assert_eq!(curve.score(), 0.6);
    assert_eq!((line.barrier(&curve), line.is_stable(&curve)), (0.125, false));
    assert_eq!(Line { barrier_of: BarrierOf::Loss, ..line }.barrier(&curve), 0.625);
    assert!(
        Line { threshold: 0.126, ..line }.is_stable(&curve) && !Line { threshold: 0.125, ..line }.is_stable(&curve)
    );
}

/// The least score, the smallest candidate at a tie; stable from which on all are.
#[test]
fn the_candidates_by_hand() {
    let record = |(k, score, stable): (usize, f64, bool)| {
        let curve = Curve { alpha: Vec::new(), loss: Vec::new(), error: Vec::new() };
        CandidateRecord { k: Some(k), score, barrier_loss: 0.0, barrier_error: 0.0, stable, curve }
    };
    let of = |records: &[(usize, f64, bool)]| {
        let choice = Choice::of(&records.iter().copied().map(record).collect::<Vec<_>>()).unwrap();
        (choice.k_star, choice.k_stable)
    };
    assert_eq!(of(&[(0, 0.5, false), (12, 0.25, true), (24, 0.25, true)]), (12, Some(12)));
    assert_eq!(of(&[(0, 0.5, true), (12, 0.75, false), (24, 0.625, true)]), (0, Some(24)));
    assert_eq!(of(&[(0, f64::NAN, true), (12, 0.75, true), (24, 0.5, false)]), (24, None));
    assert!(Choice::of(&[]).is_none());
}

fn digits() -> Dataset {
    data::load(Source::Digits, None).unwrap()
}

fn few() -> Dataset {
    let digits = digits();
    let (train, test) = (0..96, 0..40);
    Dataset {
        train: digits.train.select(&train.collect::<Vec<_>>()),
        test: digits.test.select(&test.collect::<Vec<_>>()),
        ..digits
    }
}

fn dense(model: &str) -> Config {
    let mut config = Config::new(model, Source::Digits, Method::Dense);
    config.hyper.epochs = 2;
    config
}

fn on_bench<T>(dataset: &Dataset, work: impl FnOnce(&Bench) -> T) -> T {
    let stop = AtomicBool::new(false);
    work(&Bench { dataset, stop: &stop, watch: &|_, _| Vec::new(), progress: &|_, _, _| () })
}

/// At its ends a line has the runs' own losses and accuracies, with running statistics and without.
#[test]
fn the_ends_are_the_runs() {
    for (model, dataset) in [("lenet300", digits()), ("resnet20", few())] {
        let folder = tempfile::tempdir().unwrap();
        let mut accuracies = Vec::new();
        for seed in [0, 1] {
            let config = Config { seed, ..dense(model) };
            let session = Session::new(config).unwrap().kept_in(&folder.path().join(seed.to_string())).unwrap();
            accuracies.push(session.train(&dataset).unwrap()[1].test_accuracy);
        }
        let ends = [0, 1].map(|seed| End::open(&folder.path().join(seed.to_string())).unwrap());
        let see = |batch_norm| {
            let config = dense(model);
            let how = (&options(3), batch_norm);
            on_bench(&dataset, |bench| between([&ends[0], &ends[1]], how, &config, bench, None)).unwrap()
        };
        let record = see(BatchNorm::Interpolate);
        assert_eq!(record.curve.alpha, [0.0, 0.5, 1.0]);
        for (i, end) in [(0, 0), (2, 1)] {
            let network = ends[end].file.network().unwrap();
            let parameters = ends[end].file.read::<f32>(network.clone()).unwrap().parameters;
            let own =
                evaluate(&network, dense(model).kernel, &parameters, (&dataset, Split::Test), TEST_BATCH).unwrap();
            assert_eq!(record.curve.loss[i], own.loss, "{model}");
            assert_eq!(record.curve.error[i], 1.0 - accuracies[end], "{model}");
        }
        assert_eq!(see(BatchNorm::Recompute) == record, model == "lenet300", "{model}: what is measured again differs");
    }
}

/// Of one batch the statistics measured again are the batch's own: what a training pass moves running ones towards.
#[test]
fn running_statistics_are_measured_again() {
    let dataset = few();
    let network = models::find("resnet20").unwrap().network(dataset.train.shape, 10).unwrap();
    let first = network.first_parameters_from::<f64>(3, Default::default());
    let mut config = dense("resnet20");
    let all = dataset.train.len();
    for batches in [1, 3] {
        config.optimizer.batch_size = all / batches;
        let mut measured = first.clone();
        measure_statistics(&network, &mut measured, (&config, &dataset)).unwrap();
        let mut expected: Vec<Vec<f64>> = first.iter().map(|p| vec![0.0; p.value.len()]).collect();
        for batch in 0..batches {
            let indices: Vec<usize> = (batch * all / batches..(batch + 1) * all / batches).collect();
            let (x, labels) = dataset.batch::<f64>(Split::Train, &indices, None);
            let step = Step::compute(&network, config.kernel, &first, x, labels, Mode::Training, None).unwrap();
            for ((own, before), moved) in expected.iter_mut().zip(first.iter()).zip(&step.buffers) {
                // moved = 0.9 before + 0.1 own
                let Some(moved) = moved else { continue };
                for ((own, before), moved) in own.iter_mut().zip(&before.value).zip(moved) {
                    *own += (moved - 0.9 * before) / 0.1 / batches as f64;
                }
            }
        }
        for (parameter, expected) in measured.iter().zip(&expected) {
            if parameter.role.is_trained() {
                assert_eq!(parameter, first.get(&parameter.name).unwrap(), "parameters stay");
                continue;
            }
            for (measured, expected) in parameter.value.iter().zip(expected) {
                // Four roundings of moved, of which 0.1 is left, and a sum of the batches.
                let bound = (40.0 + batches as f64) * f64::EPSILON * (1.0 + expected.abs());
                assert!((measured - expected).abs() <= bound, "{}: {measured}, {expected}", parameter.name);
            }
        }
        let again = measured.clone();
        measure_statistics(&network, &mut measured, (&config, &dataset)).unwrap();
        assert!(measured == again, "what they were before does not matter");
    }
}

fn connectivity(candidates: &[usize]) -> Connectivity {
    Connectivity {
        candidates: candidates.iter().map(|&k| Value::Count(k)).collect(),
        children: 2,
        batch_norm: BatchNorm::Interpolate,
        masks: None,
        theta: true,
        options: options(3),
        run: dense("lenet300"),
    }
}

fn search(connectivity: &Connectivity, folder: &Path) -> (Vec<CandidateRecord>, Choice) {
    on_bench(&digits(), |bench| connectivity.train(folder, bench, &mut |_| Ok(()))).unwrap()
}

fn json(path: &Path) -> Json {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn alg_3_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (records, choice) = search(&connectivity(&[12, 0]), folder.path());
    assert_eq!(records.iter().map(|record| record.k).collect::<Vec<_>>(), [Some(0), Some(12)], "in order");
    assert_eq!(Choice::of(&records), Some(choice));
    let found = json(&at("lmc.json"));
    assert_eq!(found["k_star"], choice.k_star);
    assert_eq!(found["k_stable"], choice.k_stable.map_or(-1, |k| k as i64));
    let lines = std::fs::read_to_string(at("lmc.jsonl")).unwrap();
    let read: Vec<CandidateRecord> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, records);
    // Children have the parent's weights and momentum of step k, and orders of their own.
    let trace = TensorFile::open(&at("trace.safetensors")).unwrap();
    let header: Json = serde_json::from_str(trace.metadata("gdstar").unwrap()).unwrap();
    assert_eq!(
        (&header["method"], &header["params"], &header["hyper"]["points"]),
        (&"lmc".into(), &serde_json::json!([]), &3.into())
    );
    assert_eq!(trace.read_integers("k_star", None).unwrap()[[0]], choice.k_star as i64);
    for record in &records {
        let k = record.k.unwrap();
        let numbers =
            |name: &str| trace.read_floats(&format!("step/{k}/{name}"), None).unwrap().into_iter().collect::<Vec<_>>();
        assert_eq!(
            (numbers("alpha"), numbers("loss"), numbers("error")),
            (record.curve.alpha.clone(), record.curve.loss.clone(), record.curve.error.clone())
        );
        assert_eq!((numbers("score"), numbers("barrier")), (vec![record.score], vec![record.barrier_error]));
        let children = [1, 2].map(|i| tensors(&at(&format!("k_{k}_{i}/checkpoint.safetensors"))));
        assert_ne!(children[0]["fc1.weight"], children[1]["fc1.weight"], "the order of data differs");
        let theta = |name: &str| trace.raw(&format!("step/{k}/{name}/fc1.weight")).unwrap().to_vec();
        assert_eq!([theta("theta_1"), theta("theta_2")], children.map(|child| child["fc1.weight"].clone()));
        assert_eq!(numbers("theta/0/fc1.weight"), numbers("theta_1/fc1.weight"));
        assert_eq!(numbers("theta/2/fc1.weight"), numbers("theta_2/fc1.weight"));
        let (one, two) = (numbers("theta_1/fc1.weight"), numbers("theta_2/fc1.weight"));
        for ((middle, one), two) in numbers("theta/1/fc1.weight").iter().zip(one).zip(two) {
            assert_eq!(*middle as f32, 0.5 * one as f32 + 0.5 * two as f32);
        }
        let own = |i: usize| std::fs::read_to_string(at(&format!("k_{k}_{i}/metrics.jsonl"))).unwrap();
        let accuracy = |i: usize| {
            serde_json::from_str::<Json>(own(i).lines().last().unwrap()).unwrap()["test_accuracy"].as_f64().unwrap()
        };
        assert_eq!(
            [record.curve.error[0], record.curve.error[2]],
            [1, 2].map(|i| 1.0 - accuracy(i)),
            "ends are the runs'"
        );
    }
}

/// A child with the parent's own order is the parent.
#[test]
fn children_differ_in_their_order_alone() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    search(&connectivity(&[17]), folder.path());
    let mut config = Config::load(&at("k_17_1/config.toml")).unwrap();
    assert_eq!(config.order_seed, Some(1));
    config.order_seed = Some(0);
    Session::new(config).unwrap().kept_in(&at("same")).unwrap().train(&digits()).unwrap();
    assert!(tensors(&at("same/checkpoint.safetensors")) == tensors(&at("parent/checkpoint.safetensors")));
    // What --order-seed of a plain run does, from the first step.
    search(&connectivity(&[0]), &at("first"));
    Session::new(Config { order_seed: Some(1), ..dense("lenet300") })
        .unwrap()
        .kept_in(&at("plain"))
        .unwrap()
        .train(&digits())
        .unwrap();
    assert!(tensors(&at("plain/checkpoint.safetensors")) == tensors(&at("first/k_0_1/checkpoint.safetensors")));
}

/// Further candidates, also of steps that the parent has passed, and another look use what is there.
#[test]
fn what_is_finished_is_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    search(&connectivity(&[0, 12, 5]), &at("whole"));
    search(&connectivity(&[12]), &at("grown"));
    let time = |file: &str| at(file).metadata().unwrap().modified().unwrap();
    let before = [time("grown/parent/checkpoint.safetensors"), time("grown/k_12_2/checkpoint.safetensors")];
    search(&connectivity(&[0, 12, 5]), &at("grown"));
    let after = [time("grown/parent/checkpoint.safetensors"), time("grown/k_12_2/checkpoint.safetensors")];
    assert_eq!(before, after, "nothing is trained again");
    let [mut whole, mut grown] = ["whole", "grown"].map(|name| left_by(&at(name)));
    for left in [&mut whole, &mut grown] {
        left.retain(|name, _| !name.ends_with(".toml") && !name.starts_with("at_"));
    }
    assert!(whole == grown);
    // Another way to look at the same runs.
    let finer = Connectivity { options: options(5), ..connectivity(&[12]) };
    assert_eq!(search(&finer, &at("grown")).0[0].curve.alpha.len(), 5);
    assert_eq!(std::fs::read_to_string(at("grown/lmc.jsonl")).unwrap().lines().count(), 1);
}

/// Of three children the curve is the mean of those of the three pairs.
#[test]
fn all_pairs_of_children_are_averaged() {
    let folder = tempfile::tempdir().unwrap();
    let three = Connectivity { children: 3, ..connectivity(&[5]) };
    let (records, _) = search(&three, folder.path());
    let end = |i: usize| End::open(&folder.path().join(format!("k_5_{i}"))).unwrap();
    let pair = |i, j| {
        let (one, two, config) = (end(i), end(j), dense("lenet300"));
        on_bench(&digits(), |bench| between([&one, &two], (&options(3), BatchNorm::Interpolate), &config, bench, None))
            .unwrap()
    };
    let pairs = [pair(1, 2), pair(1, 3), pair(2, 3)];
    for i in 0..3 {
        let mean = |of: fn(&Curve) -> &[f64]| pairs.iter().map(|pair| of(&pair.curve)[i]).sum::<f64>() / 3.0;
        assert_eq!((records[0].curve.loss[i], records[0].curve.error[i]), (mean(|c| &c.loss), mean(|c| &c.error)));
    }
    let trace = TensorFile::open(&folder.path().join("trace.safetensors")).unwrap();
    assert!(trace.names().all(|name| !name.contains("theta")), "one line alone lies between two networks");
}

const WORDS: [&str; 15] = [
    "lmc",
    "--candidates",
    "5,1ep",
    "--points",
    "3",
    "--model",
    "lenet300",
    "--data",
    "digits",
    "--epochs",
    "2",
    "--threads",
    "1",
    "--lr",
    "0.05",
];

fn command(words: &[&str], out: &Path) -> (Option<i32>, String, String) {
    let output = gdstar(&[words, &["--out", out.to_str().unwrap()]].concat());
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_killed_search_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (code, told, errors) = command(&WORDS, &at("whole"));
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{errors}");
    assert!(told.lines().all(|line| line.len() <= 80) && told.contains("k* ="), "{told}");
    is_passed(&at("whole/trace.safetensors"), &lmc::ENTRY);
    for seen in ["at_5.safetensors", "k_5_2/config.toml", "lmc.jsonl", "k_12_2/metrics.jsonl"] {
        let cut = at(&seen.replace('/', "-"));
        let mut killed = Command::new(env!("CARGO_BIN_EXE_gdstar"));
        let mut killed = killed.args(WORDS).arg("--out").arg(&cut).stdout(Stdio::null()).spawn().unwrap();
        while !cut.join(seen).exists() && killed.try_wait().unwrap().is_none() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        killed.kill().unwrap();
        killed.wait().unwrap();
        // The folder knows the rest.
        let (code, _, errors) = command(&["lmc"], &cut);
        assert_eq!(code, Some(0), "killed at {seen}: {errors}");
        assert!(left_by(&cut) == left_by(&at("whole")), "killed at {seen}");
    }
}

/// The children of tickets are sparse, and begin without momentum.
#[test]
fn children_of_a_lottery_s_masks() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| -> PathBuf { folder.path().join(name) };
    let train = ["--model", "lenet300", "--data", "digits", "--epochs", "2", "--threads", "1"];
    let lottery = [&["lottery", "--levels", "2", "--fraction", "0.5"][..], &train].concat();
    assert_eq!(command(&lottery, &at("tickets")).0, Some(0));
    for (masks, level) in [(at("tickets"), 2), (at("tickets/level_1"), 1)] {
        let out = at(&format!("sparse_{level}"));
        let words =
            [&["lmc", "--candidates", "5", "--points", "3", "--masks", masks.to_str().unwrap()][..], &train].concat();
        let (code, _, errors) = command(&words, &out);
        assert_eq!(code, Some(0), "{errors}");
        let mask = |path: PathBuf| tensors(&path)["mask/fc1.weight"].clone();
        assert_eq!(
            mask(out.join("k_5_1/checkpoint.safetensors")),
            mask(at(&format!("tickets/level_{level}/mask.safetensors")))
        );
        let (code, _, errors) = command(&["lmc", "--masks", at("tickets/level_0").to_str().unwrap()], &out);
        assert_eq!((code, errors.lines().count()), (Some(2), 1));
        assert!(errors.contains("--masks"), "{errors}");
    }
}

/// Two finished runs have a line between them, whatever they were trained by.
#[test]
fn sparse_runs_have_a_line_between_them() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    for seed in ["0", "1"] {
        let words = ["train", "--model", "lenet300", "--data", "digits", "--epochs", "1", "--seed", seed];
        assert!(gdstar(&[&words[..], &["--out", &at(seed)]].concat()).status.success());
    }
    let output = gdstar(&["lmc", &at("0"), &at("1"), "--points", "3"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8(output.stdout).unwrap().contains("connected"));
}

#[test]
fn bad_input_is_refused_in_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let refused = |words: &[&str], told: &[&str]| {
        let output = gdstar(words);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), output.stdout.len(), errors.lines().count()),
            (Some(2), 0, 1),
            "{words:?}: {errors}"
        );
        told.iter().for_each(|word| assert!(errors.contains(word), "{word}: {errors}"));
    };
    let train = ["--model", "lenet300", "--data", "digits", "--epochs", "1", "--threads", "1"];
    let out = at("new");
    let search = |more: &[&str], told: &[&str]| {
        refused(&[&["lmc", "--out", &out][..], &train, more].concat(), told);
        assert!(!Path::new(&out).exists(), "nothing is written");
    };
    search(&["--candidates", "0,12"], &["--candidates: expected below 12", "found 12"]);
    search(&["--candidates", "0,1ep"], &["--candidates"]);
    search(&["--candidates", "-1"], &["--candidates", "`-1`"]);
    search(&["--candidates", ""], &["--candidates"]);
    search(&[], &["--candidates"]);
    search(&["--candidates", "0", "--children", "1"], &["--children", "at least 2"]);
    search(&["--candidates", "0", "--points", "1"], &["--points", "at least 2"]);
    search(&["--candidates", "0", "--method", "gdstar"], &["--method", "dense"]);
    search(&["--candidates", "0", "--masks", &at("none")], &["none", "a lottery's folder"]);
    search(&["--candidates", "0", "--batch-norm", "odd"], &["--batch-norm", "recompute"]);
    refused(&["lmc", "--candidates", "0", "--model", "lenet300", "--data", "digits"], &["--out"]);
    // Runs.
    let train = |name: &str, model: &str, dataset: &Dataset| {
        let mut config = dense(model);
        config.hyper.epochs = 1;
        Session::new(config).unwrap().kept_in(Path::new(&at(name))).unwrap().train(dataset).unwrap();
    };
    train("one", "lenet300", &digits());
    train("other", "resnet20", &few());
    train("few", "lenet300", &few());
    refused(&["lmc", &at("one"), &at("few")], &["few", "data, digits"]);
    refused(&["lmc", &at("one"), &at("other")], &["other", "lenet300", "resnet20"]);
    refused(&["lmc", &at("one")], &["2 values"]);
    refused(&["lmc", &at("one"), &at("none")], &["none: cannot read"]);
    refused(&["lmc", &at("one"), &at("one"), "--lr", "0.1"], &["--lr", "0.05"]);
    refused(&["lmc", &at("one"), &at("one"), "--candidates", "0"], &["--candidates"]);
    refused(&["lmc", "--candidates", "0", "--out", &at("one")], &["one", "gdstar train"]);
    let config = Path::new(&at("one")).join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap().replace("epochs = 1", "epochs = 2");
    std::fs::write(&config, text).unwrap();
    refused(&["lmc", &at("one"), &at("one")], &["one", "1/2"]);
}

/// What is not finite on a line is null in its file, is read again as no number, and is never chosen before a number.
#[test]
fn losses_that_are_not_finite_are_read_again() {
    let record = |k: usize, loss: f64| CandidateRecord {
        k: Some(k),
        score: loss,
        barrier_loss: loss,
        barrier_error: 0.0,
        stable: false,
        curve: Curve { alpha: vec![0.0, 1.0], loss: vec![loss, 1.0], error: vec![0.5, 0.5] },
    };
    let records = [record(1, f64::INFINITY), record(2, f64::NAN), record(3, 2.0)];
    let text = serde_json::to_string(&records).unwrap();
    assert!(text.contains("null") && !text.contains("NaN"), "{text}");
    let again: Vec<CandidateRecord> = serde_json::from_str(&text).unwrap();
    assert!(again[0].score.is_nan() && again[1].curve.loss[0].is_nan() && again[2] == records[2]);
    for of in [&records[..], &again] {
        assert_eq!(Choice::of(of).unwrap().k_star, 3);
        assert_eq!(Choice::of(&of[..2]).unwrap().k_star, 1);
    }
}
