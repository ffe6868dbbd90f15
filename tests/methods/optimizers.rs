//! Nesterov's momentum, schedules that are no cosine, and smoothed labels: runs by them resume with the same bits, and their
//! traces declare them and pass.

use super::common::{config, digits, recorded};
use super::judged::traced;
use super::small::{resumes_with_the_same_bits, threads_change_nothing};
use gdstar::method::Method;
use gdstar::oracle::replay::replay;
use gdstar::oracle::{CheckOptions, Report, Verdict, check};
use gdstar::tensor_file::TensorFile;
use gdstar::train::{Config, TraceSteps};
use std::path::Path;

fn report(path: &Path) -> Report {
    check(path, &CheckOptions::default()).unwrap()
}

fn header(path: &Path) -> serde_json::Value {
    serde_json::from_str(TensorFile::open(path).unwrap().metadata("gdstar").unwrap()).unwrap()
}

fn with_nesterov(method: Method) -> Config {
    let mut config = config(method, 2);
    (config.optimizer.nesterov, config.optimizer.momentum) = (true, 0.9);
    config
}

/// All that a recipe can change of the optimizer and the loss, at once.
fn with_everything(method: Method) -> Config {
    let mut config = with_nesterov(method);
    config.hyper.epochs = 3;
    config.schedule = "linear up to 1ep".parse().unwrap();
    config.label_smoothing = 0.1;
    config
}

/// Steps of every method that takes SGD's are what they should be by the rule that is declared, and so are those that are
/// replayed from them.
#[test]
fn nesterovs_momentum_passes() {
    for method in recorded().filter(|method| !method.entry().tells_itself && !method.entry().acts_once()) {
        let folder = tempfile::tempdir().unwrap();
        let path = traced(folder.path(), &with_nesterov(method), "1,3".parse().unwrap());
        assert_eq!(header(&path)["nesterov"], true, "{method}");
        let passed = report(&path);
        assert_eq!(passed.verdict, Verdict::Pass, "{method}: {:?}", passed.findings.first());
        assert!(passed.checked.iter().any(|label| label.ends_with(".step")), "{method}");
        let out = folder.path().join("replayed.safetensors");
        replay(&path, &out, &mut |_, _| {}).unwrap();
        assert_eq!(report(&out).verdict, Verdict::Pass, "{method}: replayed");
    }
}

/// GDSTAR's trace by epochs declares rates, momentum and targets, so that Alg. 1 and the step level judge by them.
#[test]
fn traces_by_epochs_declare_what_the_steps_are() {
    for (schedule, told) in [
        ("constant", serde_json::json!("constant")),
        ("0.5 every 1ep", serde_json::json!([0.05, 0.025, 0.0125])),
        ("linear up to 1ep", serde_json::Value::Null),
    ] {
        let mut config = with_everything(Method::Gdstar);
        config.schedule = schedule.parse().unwrap();
        config.outputs.trace_gradients = true;
        let folder = tempfile::tempdir().unwrap();
        let path = traced(folder.path(), &config, TraceSteps::Updates);
        let header = header(&path);
        match schedule {
            "linear up to 1ep" => {
                assert_eq!(header["schedule"].as_array().unwrap().len(), 36);
                assert_eq!((&header["schedule"][0], &header["schedule"][12]), (&0.0.into(), &0.05.into()));
                assert_eq!(header["reading"]["learning_rate"], "per-step");
            }
            _ => assert_eq!(header["schedule"], told),
        }
        assert_eq!(header["label_smoothing"], 0.1);
        let report = report(&path);
        assert_eq!(report.verdict, Verdict::Pass, "{schedule}: {:?}", report.findings.first());
        assert!(report.checked.contains(&"alg1"), "{schedule}: {:?}", report.not_checked);
        let step = report.levels.iter().find(|level| level.name == "step").unwrap();
        assert!(step.checked, "{schedule}: {}", step.status);
    }
}

/// Stopped after every epoch, and at other numbers of threads: the same bits.
#[test]
fn such_runs_resume_with_the_same_bits() {
    for method in [Method::Gdstar, Method::Rigl, Method::Topkast, Method::Sdgp] {
        resumes_with_the_same_bits::<f32>(&with_everything(method), &digits());
    }
    threads_change_nothing::<f32>(&with_everything(Method::Rigl), &digits());
}

/// Values that mean nothing are refused by the option's name.
#[test]
fn settings_out_of_range_are_named() {
    let refused = |change: fn(&mut Config)| {
        let mut config = with_everything(Method::Rigl);
        change(&mut config);
        config.validate().unwrap_err().to_string()
    };
    assert!(refused(|config| config.optimizer.momentum = 0.0).contains("--nesterov"));
    for share in [1.5, -0.1, f64::NAN] {
        let mut config = with_everything(Method::Rigl);
        config.label_smoothing = share;
        assert!(config.validate().unwrap_err().to_string().contains("--label-smoothing"), "{share}");
    }
}
