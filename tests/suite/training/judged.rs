//! The trainer is a port too: what it records passes the oracle's check, under every reading and at every level that a
//! trace has material for.

use super::{attempt, config, digits, readings};
use gdstar::method::options::Value as OptionValue;
use gdstar::method::{METHODS, Method, Options};
use gdstar::oracle::{CheckOptions, EQUATION_NAMES, Level, Report, Verdict, check};
use gdstar::paper::reading::{EpochOrigin, Reading, RewindUpdate};
use gdstar::tensor_file::{Tensor, TensorFile, write};
use gdstar::trace::{Trace, TracedMethod};
use gdstar::train::Config;
use safetensors::Dtype;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;

/// Trains and leaves `trace.safetensors` in the folder.
fn trace(folder: &Path, config: &Config) -> std::path::PathBuf {
    assert!(attempt(folder, config, &digits(), None).unwrap());
    folder.join("trace.safetensors")
}

fn short() -> Config {
    let mut config = config(Method::Gdstar, 3);
    config.hyper.chunks = 3;
    config
}

/// The promise of `--trace`: every equation of every reading is checked, and holds.
#[test]
fn every_reading_passes_the_check() {
    for (name, reading) in readings() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = short();
        config.reading = reading;
        let report = check(&trace(folder.path(), &config), &CheckOptions::default()).unwrap();
        assert_eq!(report.verdict, Verdict::Pass, "{name}: {:?}", report.findings.first());
        assert_eq!(report.checked, EQUATION_NAMES, "{name}");
        assert_eq!(report.ambiguous_by_equation.get("eq5"), None, "{name}");
        let checked = |level: &str| report.levels.iter().any(|l| l.name == level && l.checked);
        assert!(["method", "step", "epoch"].into_iter().all(checked), "{name}: {:?}", report.levels);
    }
}

/// What is traced has a name in the format, and what has one is traced.
#[test]
fn traced_methods_are_the_formats() {
    let traced: Vec<&str> = METHODS.iter().map(|m| m.entry()).filter(|m| m.is_traced).map(|m| m.name).collect();
    let named: Vec<&str> = TracedMethod::ALL.iter().map(|method| method.name()).collect();
    assert_eq!(traced.len(), named.len());
    assert!(named.iter().all(|name| traced.contains(name)), "{traced:?}");
}

/// Every traced method's own trace names it, has what its rules need, and passes by them with every equation checked; the
/// same numbers under another method's name do not.
#[test]
fn every_traced_method_passes_by_its_own_rules() {
    let default = Reading::default();
    for reading in [
        default,
        Reading { epoch_origin: EpochOrigin::One, ..default },
        Reading { rewind_update: RewindUpdate::AfterPruning, ..default },
    ] {
        for &method in METHODS.iter().filter(|method| method.entry().is_traced) {
            let folder = tempfile::tempdir().unwrap();
            let mut config = Config { method, reading, ..short() };
            // The draws of the seed: the rewind point moves in the second of four epochs, and not in the first.
            (config.seed, config.hyper.epochs) = (drawing_seed(reading.epoch_origin.first()), 4);
            if method == Method::FixedRewind {
                config.options = Options::of(method.entry());
                config.options.set("rewind_epoch", OptionValue::Count(reading.epoch_origin.first() + 1));
            }
            let path = trace(folder.path(), &config);
            let header = Trace::open(&path).unwrap().header;
            assert_eq!(header.method.name(), method.entry().name);
            let report = check(&path, &CheckOptions::default()).unwrap();
            assert_eq!(report.verdict, Verdict::Pass, "{method}: {:?}", report.findings.first());
            assert_eq!((report.checked, report.warnings.len()), (EQUATION_NAMES.to_vec(), 0), "{method}");
            // As random rewind's, without draws, any rewind point may be right.
            for other in [TracedMethod::Gdstar, TracedMethod::Reset] {
                if other == header.method {
                    continue;
                }
                let report = renamed(&path, other);
                let first = report.findings.first().map(|finding| finding.equation);
                assert_eq!((report.verdict, first), (Verdict::Fail, Some("alg4")), "{method} as {other}");
            }
        }
    }
}

/// A seed whose draws move random rewind's point in the second epoch and not in the first.
fn drawing_seed(first: usize) -> u64 {
    use gdstar::random::{Purpose, stream, unit};
    let moves = |seed: u64, k: usize| unit(&mut stream(seed, Purpose::RandomRewind, k)) < 0.1;
    (0..).find(|&seed| !moves(seed, first) && moves(seed, first + 1)).unwrap()
}

/// The trace under another method's name, checked.
fn renamed(original: &Path, method: TracedMethod) -> Report {
    let file = TensorFile::open(original).unwrap();
    let mut header: serde_json::Value = serde_json::from_str(file.metadata("gdstar").unwrap()).unwrap();
    header["method"] = serde_json::json!(method);
    let metadata = HashMap::from([("gdstar".to_string(), header.to_string())]);
    let path = original.with_file_name("renamed.safetensors");
    write(&path, metadata, &tensors(&file, |_| true)).unwrap();
    check(&path, &CheckOptions::default()).unwrap()
}

/// A wrong rewind point of a method with rules of its own is a finding at what stands in Alg. 4's place.
#[test]
fn wrong_rewind_points_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let original = trace(folder.path(), &Config { method: Method::Reset, ..short() });
    let report = changed(&original, &CheckOptions::default(), |name, tensor| {
        if name == "epoch/2/k_star" {
            tensor.bytes[0] = 1;
        }
    });
    let first = &report.findings[0];
    assert_eq!((first.equation, first.tensor.as_str(), first.expected_high), ("alg4", "epoch/2/k_star", 0.0));
    let report = changed(&original, &CheckOptions::default(), |name, tensor| {
        if name == "epoch/1/rewind/fc2.weight" {
            scale(tensor, 2.0);
        }
    });
    let first = &report.findings[0];
    assert_eq!((first.equation, first.tensor.as_str()), ("alg4", "epoch/1/rewind/fc2.weight"));
}

/// The trace with every tensor passed through `change`, checked.
fn changed(original: &Path, options: &CheckOptions, change: impl Fn(&str, &mut Tensor)) -> Report {
    rewritten(original, options, |_| true, change)
}

/// The trace with those tensors that `keeps`, passed through `change`, checked.
fn rewritten(
    original: &Path,
    options: &CheckOptions,
    keeps: impl Fn(&str) -> bool,
    change: impl Fn(&str, &mut Tensor),
) -> Report {
    declaring(original, options, &json!({}), keeps, change)
}

/// The same with these keys in its header.
fn declaring(
    original: &Path,
    options: &CheckOptions,
    keys: &Value,
    keeps: impl Fn(&str) -> bool,
    change: impl Fn(&str, &mut Tensor),
) -> Report {
    let file = TensorFile::open(original).unwrap();
    let mut tensors = tensors(&file, keeps);
    tensors.iter_mut().for_each(|(name, tensor)| change(name, tensor));
    let path = original.with_file_name("changed.safetensors");
    let mut header: Value = serde_json::from_str(file.metadata("gdstar").unwrap()).unwrap();
    header.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    let metadata = HashMap::from([("gdstar".to_string(), header.to_string())]);
    write(&path, metadata, &tensors).unwrap();
    check(&path, options).unwrap()
}

/// A trace's tensors, those that `keeps`.
fn tensors(file: &TensorFile, keeps: impl Fn(&str) -> bool) -> Vec<(String, Tensor)> {
    file.names()
        .filter(|name| keeps(name))
        .map(|name| {
            let tensor = match file.describe(name).unwrap().0 {
                Dtype::F32 => Tensor::from_array(&file.read::<f32>(name, None).unwrap().view()),
                Dtype::F64 => Tensor::from_array(&file.read::<f64>(name, None).unwrap().view()),
                Dtype::I64 => Tensor::from_array(&file.read::<i64>(name, None).unwrap().view()),
                _ => Tensor::from_array(&file.read::<u8>(name, None).unwrap().view()),
            };
            (name.to_string(), tensor)
        })
        .collect()
}

fn scale(tensor: &mut Tensor, factor: f32) {
    for bytes in tensor.bytes.chunks_exact_mut(4) {
        let x = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        bytes.copy_from_slice(&(factor * x).to_le_bytes());
    }
}

/// The step level, in a check: one wrong loss, every loss wrong, a wrong gradient are findings at that tensor.
#[test]
fn wrong_losses_and_gradients_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let original = trace(folder.path(), &short());
    let first = |change: &dyn Fn(&str, &mut Tensor)| {
        let report = changed(&original, &CheckOptions::default(), change);
        assert_eq!(report.verdict, Verdict::Fail);
        (report.findings[0].equation, report.findings[0].tensor.clone(), report.findings[0].batch)
    };
    let one_loss = first(&|name, tensor| {
        if name == "epoch/1/batch/0/loss" {
            scale(tensor, 1.5)
        }
    });
    assert_eq!(one_loss, ("alg1", "epoch/1/batch/0/loss".to_string(), Some(0)));
    let summed = first(&|name, tensor| {
        if name.ends_with("/loss") {
            scale(tensor, 128.0)
        }
    });
    assert_eq!(summed, ("alg1", "epoch/0/batch/0/loss".to_string(), Some(0)));
    let gradient = first(&|name, tensor| {
        if name == "epoch/1/batch/0/grad/fc3.bias" {
            scale(tensor, 2.0)
        }
    });
    assert_eq!(gradient, ("alg1", "epoch/1/batch/0/grad/fc3.bias".to_string(), Some(0)));
}

/// What all numbers that are wrong have in common is told: a factor of gradients and of losses, weight decay in the gradients.
#[test]
fn what_wrong_losses_and_gradients_have_in_common_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = short();
    config.optimizer.weight_decay = 0.125;
    let original = trace(folder.path(), &config);
    let file = TensorFile::open(&original).unwrap();
    let cause = |change: &dyn Fn(&str, &mut Tensor)| {
        let report = changed(&original, &CheckOptions::default(), change);
        let of_batch = report.findings.iter().find(|finding| finding.batch == Some(0));
        of_batch.unwrap().likely_cause.clone().unwrap_or_default()
    };
    let twice = cause(&|name, tensor| {
        if name.contains("/grad/") {
            scale(tensor, 2.0)
        }
    });
    assert!(twice.starts_with("every one is 2 times what is expected (a loss scale"), "{twice}");
    let decayed = cause(&|name, tensor| {
        let Some(parameter) = name.strip_prefix("epoch/0/batch/0/grad/") else { return };
        let weights = file.read_floats(&format!("init/{parameter}"), None).unwrap();
        let added: Vec<f32> = tensor.numbers().iter().zip(weights).map(|(g, w)| *g as f32 + 0.125 * w as f32).collect();
        *tensor = Tensor::from_slice(&tensor.shape, &added);
    });
    assert!(decayed.starts_with("the recorded gradients have weight decay in them"), "{decayed}");
    let report = changed(&original, &CheckOptions::default(), |name, tensor| {
        if name.ends_with("/loss") {
            *tensor = Tensor::scalar(128.0 * tensor.numbers()[0]);
        } else if name.contains("/grad/") {
            scale(tensor, 128.0);
        }
    });
    assert_ne!(report.verdict, Verdict::Pass);
    assert!(step(&report).status.contains("every one is 128 times what is expected"), "{}", step(&report).status);
}

/// Gradients that are declared as clipped before they were recorded are not the loss's, and not held against it; the loss
/// still is.
#[test]
fn clipped_gradients_are_not_held_against_the_loss() {
    let folder = tempfile::tempdir().unwrap();
    let original = trace(folder.path(), &short());
    let found = |keys: Value, changed: &str| {
        let change = |name: &str, tensor: &mut Tensor| {
            if name == changed {
                scale(tensor, 0.5);
            }
        };
        let report = declaring(&original, &CheckOptions::default(), &keys, |_| true, change);
        assert!(step(&report).checked, "{}", step(&report).status);
        report.findings.iter().any(|finding| finding.tensor == changed)
    };
    let clipped = || json!({ "clip": "recorded" });
    let (gradient, loss) = ("epoch/1/batch/0/grad/fc3.bias", "epoch/1/batch/0/loss");
    assert!(found(json!({}), gradient) && !found(clipped(), gradient));
    assert!(found(json!({}), loss) && found(clipped(), loss));
}

/// Losses and gradients that the samples do not give come from another split of the same data, or are wrong: that is not
/// known, so it is no PASS unless less is asked for, and a FAIL if one insists.
#[test]
fn numbers_of_other_samples_are_inconclusive() {
    let folder = tempfile::tempdir().unwrap();
    let original = trace(folder.path(), &short());
    let reverse = |name: &str, tensor: &mut Tensor| {
        if name.ends_with("/indices") {
            for bytes in tensor.bytes.chunks_exact_mut(8) {
                let mut index = [0; 8];
                index.copy_from_slice(bytes);
                bytes.copy_from_slice(&(1441 - i64::from_le_bytes(index)).to_le_bytes());
            }
        }
    };
    let report = changed(&original, &CheckOptions::default(), reverse);
    assert_eq!((report.verdict, report.findings_total), (Verdict::Inconclusive, 0), "{:?}", report.findings.first());
    assert!(report.inconclusive.iter().any(|reason| reason.contains("level step")), "{:?}", report.inconclusive);
    assert!(!step(&report).checked && step(&report).status.contains("another split"), "{}", step(&report).status);
    let asking_less = CheckOptions { without_step: true, ..CheckOptions::default() };
    let report = changed(&original, &asking_less, reverse);
    assert_eq!(report.verdict, Verdict::Pass, "{:?}", report.findings.first());
    assert!(!step(&report).checked && step(&report).status.contains("--without-step"), "{}", step(&report).status);
    let insisting = CheckOptions { insist: true, ..CheckOptions::default() };
    assert_eq!(changed(&original, &insisting, reverse).verdict, Verdict::Fail);
}

/// What is said to be missing is missing.
#[test]
fn a_step_level_without_material_says_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let original = trace(folder.path(), &short());
    let without = |end: &'static str| {
        let report = rewritten(&original, &CheckOptions::default(), |name| !name.ends_with(end), |_, _| {});
        assert_eq!(report.verdict, Verdict::Pass, "{end}: {:?}", report.findings.first());
        step(&report).clone()
    };
    let level = without("/indices");
    assert!(
        !level.checked && level.status.contains("indices in 0 epochs, input and labels in 0, a loss in 3"),
        "{}",
        level.status
    );
    assert!(without("/loss").checked, "gradients alone are enough");
}

fn step(report: &Report) -> &Level {
    report.levels.iter().find(|level| level.name == "step").unwrap()
}
