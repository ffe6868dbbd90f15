//! What a header declares of the optimizer's steps: a correct port that declares them passes, and is judged by them or
//! left out by name.

use super::checked::{verdict, write};
use super::port::{Clip, Config, Fault, Optimizer, Precision, Rule, Schedule, header, run, serialize};
use super::variants::standard;
use gdstar::oracle::{CheckOptions, Report, Verdict, check};
use serde_json::json;

const DTYPES: [Precision; 2] = [Precision::F32, Precision::F64];

/// The simulated port with these steps, in sizes at which some batches are clipped and some are not.
fn port(seed: u64, dtype: Precision, optimizer: Optimizer) -> Config {
    let mut config = standard(seed, dtype);
    config.hyper.weight_decay = 0.01;
    Config { optimizer, ..config }
}

fn checked(config: &Config) -> Report {
    verdict(config, &run(config, Fault::None)).unwrap()
}

/// Every declaration alone.
fn declarations() -> Vec<Optimizer> {
    let plain = Optimizer::default();
    let (norm, value) = (Some(Clip::Norm(1.0)), Some(Clip::Value(0.0625)));
    vec![
        Optimizer { rule: Rule::Adam, ..plain },
        Optimizer { rule: Rule::AdamW, ..plain },
        Optimizer { clip: norm, ..plain },
        Optimizer { clip: value, ..plain },
        Optimizer { clip: norm, clips_first: true, ..plain },
        Optimizer { clip: value, clips_first: true, ..plain },
        Optimizer { schedule: Schedule::Constant, ..plain },
        Optimizer { schedule: Schedule::WarmUp { told: true }, ..plain },
        Optimizer { schedule: Schedule::WarmUp { told: false }, ..plain },
        Optimizer { nesterov: true, ..plain },
        Optimizer { decays_weights_only: true, ..plain },
    ]
}

/// The promise: PASS once it is declared, with Alg. 1 judged where the steps are told in full, and named among what was
/// not checked where they are not; undeclared, each of them fails.
#[test]
fn every_declaration_passes_and_is_needed() {
    for optimizer in declarations() {
        for dtype in DTYPES {
            for per_step in [false, true] {
                let mut config = port(21, dtype, optimizer);
                if per_step {
                    config.reading.set("learning_rate", "per-step");
                }
                let report = checked(&config);
                let who = format!("{optimizer:?}, {dtype:?}, per step: {per_step}");
                assert_eq!(report.verdict, Verdict::Pass, "{who}: {:?}", report.findings.first());
                let judged = report.checked.contains(&"alg1");
                assert_eq!(judged, optimizer.is_told(), "{who}: {:?}", report.not_checked);
                let named = report.not_checked.iter().any(|n| n.equation == "alg1" && n.reason.contains("declared"));
                assert_eq!(named, !judged, "{who}: {:?}", report.not_checked);
                let silent = Config { optimizer: Optimizer::default(), ..config.clone() };
                let undeclared = verdict(&silent, &run(&config, Fault::None)).unwrap();
                let is_seen = !optimizer.clips_first;
                assert_eq!(undeclared.verdict == Verdict::Fail, is_seen, "{who}: undeclared");
            }
        }
    }
}

/// A declaration is a promise like any other: a rate, a bound, a rule other than the declared one fails.
#[test]
fn what_is_declared_is_judged() {
    type Change = fn(&mut Config);
    let plain = Optimizer::default();
    let norm = Optimizer { clip: Some(Clip::Norm(1.0)), ..plain };
    let value = Optimizer { clip: Some(Clip::Value(0.0625)), ..plain };
    let told = Optimizer { schedule: Schedule::WarmUp { told: true }, ..plain };
    let nesterov = Optimizer { nesterov: true, ..plain };
    let faulty: [(Optimizer, Change); 8] = [
        (norm, |c| c.optimizer.clip = Some(Clip::Norm(0.999))),
        (norm, |c| c.optimizer.clip = None),
        (value, |c| c.optimizer.clip = Some(Clip::Value(0.0624))),
        (told, |c| c.hyper.lr *= 1.001),
        (nesterov, |c| c.optimizer.nesterov = false),
        (nesterov, |c| c.hyper.lr *= 1.001),
        (Optimizer { schedule: Schedule::Constant, ..plain }, |c| c.optimizer.schedule = Schedule::Cosine),
        (Optimizer { decays_weights_only: true, ..plain }, |c| c.optimizer.decays_weights_only = false),
    ];
    for (optimizer, change) in faulty {
        for dtype in DTYPES {
            let declared = port(22, dtype, optimizer);
            let mut actual = declared.clone();
            change(&mut actual);
            let report = verdict(&declared, &run(&actual, Fault::None)).unwrap();
            let first = report.findings.first().map(|finding| finding.equation);
            assert_eq!((report.verdict, first), (Verdict::Fail, Some("alg1")), "{optimizer:?}, {dtype:?}");
        }
    }
}

/// No weight decay anywhere, or in gradients that have it already, is one mistake; of some parameters it is a declaration that
/// is missing.
#[test]
fn missing_decay_is_told_of_all_parameters_or_of_some() {
    let cause = |change: fn(&mut Config)| {
        let declared = port(24, Precision::F64, Optimizer::default());
        let mut actual = declared.clone();
        change(&mut actual);
        let report = verdict(&declared, &run(&actual, Fault::None)).unwrap();
        report.findings.iter().find(|finding| finding.equation == "alg1").unwrap().likely_cause.clone().unwrap()
    };
    let of_none = cause(|config| config.hyper.weight_decay = 0.0);
    assert!(of_none.starts_with("no weight decay, or it is in the recorded gradients already"), "{of_none}");
    let of_weights = cause(|config| config.optimizer.decays_weights_only = true);
    assert!(
        of_weights.starts_with("no weight decay of `") && of_weights.contains("declare `no_decay`"),
        "{of_weights}"
    );
}

/// A list of learning rates that ends before the epochs do is named where the steps cannot be followed for it.
#[test]
fn a_list_of_rates_that_ends_too_early_is_named() {
    let config =
        port(23, Precision::F32, Optimizer { schedule: Schedule::WarmUp { told: true }, ..Optimizer::default() });
    let mut keys = header(&config);
    keys["schedule"].as_array_mut().unwrap().truncate(2);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("port.safetensors");
    write(&path, &keys, &serialize(&config, &run(&config, Fault::None)));
    let report = check(&path, &CheckOptions::default()).unwrap();
    let named =
        report.not_checked.iter().any(|left| left.equation == "alg1" && left.reason.contains("`schedule` is a list"));
    assert!(named, "{:?}", report.not_checked);
}

/// A real alias, recorded after the epoch's pruning as `docs/porting.md` records it: the report names the alias alone, at
/// the first divergence, and declaring it is all that a PASS takes.
#[test]
fn an_alias_recorded_after_pruning_is_named_and_passes_once_declared() {
    for dtype in DTYPES {
        for seed in 31..37 {
            let mut alias = standard(seed, dtype);
            alias.reading.set("rewind_copy", "alias");
            alias.recording.rewind_after_pruning = true;
            let trace = run(&alias, Fault::None);
            let report = verdict(&alias, &trace).unwrap();
            assert_eq!(report.verdict, Verdict::Pass, "{:?}", report.findings.first());
            let silent = standard(seed, dtype);
            let report = verdict(&silent, &trace).unwrap();
            let first = report.findings.first().expect("an alias that is not declared is found");
            assert_eq!((report.verdict, first.equation), (Verdict::Fail, "alg4"));
            let cause = first.likely_cause.clone().unwrap_or_default();
            assert!(
                cause.ends_with("this is the reading `rewind_copy` = `alias`: declare it, or change it"),
                "{cause}"
            );
            assert!(!cause.contains("; or ") && !cause.contains("masked"), "{cause}");
        }
    }
}

/// A mask that is applied at an epoch's end alone leaves no mark in what is recorded there; in the weights within an
/// epoch it does. A correct port may record them everywhere.
#[test]
fn a_mask_at_the_epochs_end_shows_within_the_epoch() {
    for dtype in DTYPES {
        let mut config = standard(41, dtype);
        let faulty = run(&config, Fault::MaskAtEpochEnd);
        assert_eq!(verdict(&config, &faulty).unwrap().verdict, Verdict::Pass, "not seen at the epochs' ends");
        config.recording.weights_within = true;
        let report = verdict(&config, &faulty).unwrap();
        let first = report.findings.first().expect("revived weights within an epoch");
        assert_eq!((report.verdict, first.equation), (Verdict::Fail, "alg6"));
        assert!(first.tensor.contains("/batch/") && first.batch.is_some(), "{}", first.tensor);
        let cause = first.likely_cause.as_deref().unwrap_or_default();
        assert!(cause.contains("at the epoch's end alone"), "{cause}");
        let correct = checked(&config);
        assert_eq!(correct.verdict, Verdict::Pass, "{:?}", correct.findings.first());
    }
}

/// Weights within an epoch are those of the optimizer's steps.
#[test]
fn weights_within_an_epoch_are_the_steps() {
    let mut declared = standard(42, Precision::F32);
    declared.recording.weights_within = true;
    declared.recording.omitted = vec!["weights_before"];
    let mut actual = declared.clone();
    actual.hyper.momentum = 0.8;
    let report = verdict(&declared, &run(&actual, Fault::None)).unwrap();
    let first = report.findings.first().expect("steps of another momentum");
    assert_eq!((first.equation, first.batch), ("alg1", Some(2)), "{first:?}");
    assert_eq!(checked(&declared).verdict, Verdict::Pass);
}

/// Open point 19: where it is declared, the recorded indices are held against it; where it is not, a drop is a warning.
#[test]
fn a_dropped_batch_is_named() {
    let mut config = standard(43, Precision::F32);
    let dropped = run(&config, Fault::LastBatchDropped);
    let report = verdict(&config, &dropped).unwrap();
    assert_eq!(report.verdict, Verdict::Pass);
    assert!(report.warnings.iter().any(|warning| warning.contains("`last_batch` = `drop`")), "{:?}", report.warnings);
    let kept = run(&config, Fault::None);
    for (choice, trace, wrong) in
        [("keep", &dropped, true), ("drop", &dropped, false), ("keep", &kept, false), ("drop", &kept, true)]
    {
        config.reading.set("last_batch", choice);
        let report = verdict(&config, trace).unwrap();
        assert_eq!(report.verdict == Verdict::Fail, wrong, "{choice}");
        assert!(report.warnings.is_empty(), "{:?}", report.warnings);
        let cause = report.findings.first().and_then(|finding| finding.likely_cause.clone()).unwrap_or_default();
        assert_eq!(cause.contains("this is the reading `last_batch` = "), wrong, "{choice}: {cause}");
    }
}

/// A key that is none of the format's choices is an error that names it, and what it may be.
#[test]
fn declarations_out_of_range_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("port.safetensors");
    let config = standard(44, Precision::F32);
    let tensors = serialize(&config, &run(&config, Fault::None));
    for (key, value, expected) in [
        ("optimizer", json!("adam"), "\"sgd\" or \"other\""),
        ("clip", json!("norm"), "\"recorded\""),
        ("clip", json!({"norm": 0}), "c > 0"),
        ("clip", json!({"norm": 1, "value": 1}), "c > 0"),
        ("schedule", json!([]), "at least one"),
        ("schedule", json!([0.1, -0.1]), "rates >= 0"),
        ("schedule", json!("linear"), "\"cosine\""),
        ("nesterov", json!("yes"), "true or false"),
        ("label_smoothing", json!(1.5), "a number in [0, 1]"),
        ("no_decay", json!("fc1.bias"), "a list of parameters' names"),
    ] {
        let mut declared = header(&config);
        declared[key] = value;
        write(&path, &declared, &tensors);
        let error = check(&path, &CheckOptions::default()).unwrap_err().to_string();
        assert!(error.contains(key) && error.contains(expected), "{error}");
    }
    let mut declared = header(&config);
    declared["no_decay"] = json!(["fc1.bias", "fc9.bias"]);
    write(&path, &declared, &tensors);
    let report = check(&path, &CheckOptions::default()).unwrap();
    assert!(report.warnings.iter().any(|warning| warning.contains("fc9.bias")), "{:?}", report.warnings);
}

/// A model that does not say what W is does not pass for one that does.
#[test]
fn a_model_that_is_not_built_in_or_has_other_parameters_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("port.safetensors");
    let config = standard(45, Precision::F32);
    let tensors = serialize(&config, &run(&config, Fault::None));
    for (model, said) in [("nothing", "none that is built in"), ("resnet18", "has no parameter")] {
        let mut declared = header(&config);
        declared["model"] = json!(model);
        write(&path, &declared, &tensors);
        let report = check(&path, &CheckOptions::default()).unwrap();
        assert!(report.warnings.iter().any(|w| w.contains(model) && w.contains(said)), "{:?}", report.warnings);
    }
}
