//! The crate's own runs before the oracle: what every method does in training is what its page in the oracle says, although
//! neither knows the other.

use super::common::{config, digits, name, recorded, with};
use gdstar::method::Method;
use gdstar::method::options::Value;
use gdstar::oracle::replay::replay;
use gdstar::oracle::{CheckOptions, Report, Verdict, check};
use gdstar::scalar::Dtype;
use gdstar::tensor_file::{Tensor, TensorFile, write};
use gdstar::train::{Config, Outputs, Session, TraceSteps};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Trains with a trace of these steps.
pub fn traced(folder: &Path, config: &Config, trace_steps: TraceSteps) -> PathBuf {
    let path = folder.join("trace.safetensors");
    let mut config = config.clone();
    config.outputs = Outputs { trace: Some(path.clone()), trace_steps, ..config.outputs };
    Session::new(config).unwrap().train(&digits()).unwrap();
    path
}

fn judged(config: &Config, steps: TraceSteps) -> Report {
    let folder = tempfile::tempdir().unwrap();
    check(&traced(folder.path(), config, steps), &CheckOptions::default()).unwrap()
}

fn assert_pass(report: &Report, what: &str) {
    assert_eq!(report.verdict, Verdict::Pass, "{what}: {:?} {:?}", report.findings.first(), report.inconclusive);
    assert!(report.warnings.is_empty(), "{what}: {:?}", report.warnings);
}

/// Every method whose steps are recorded, in both precisions: nothing is wrong, and nothing is left unchecked but what a
/// default has no tensor for.
#[test]
fn every_run_passes() {
    for method in recorded() {
        for precision in [Dtype::F32, Dtype::F64] {
            let report = judged(&Config { precision, ..config(method, 2) }, TraceSteps::All);
            assert_pass(&report, method.entry().name);
            let unchecked: Vec<&str> = report.unchecked().filter_map(|label| label.split('.').nth(1)).collect();
            let without = ["carry", "distribution", "quantile", "accumulate"];
            assert!(unchecked.iter().all(|label| without.contains(label)), "{method}: {unchecked:?}");
        }
    }
}

/// The readings that sources take otherwise pass when they are declared, each by itself.
#[test]
#[ignore = "trains some sixty runs: a minute and a half"]
fn every_reading_passes() {
    use gdstar::method::options::{Domain, Part};
    for method in recorded() {
        for option in method.entry().options.iter().filter(|option| option.part == Part::Reading) {
            let Domain::Choice(names) = option.domain else { continue };
            let default = config(method, 2).options.name(option.key).to_string();
            let others = names.iter().filter(|other| **other != default && **other != "any" && **other != "given");
            for other in others {
                let config = with(config(method, 2), &[(option.key, name(other))]);
                // Where every step is an update, some of them.
                let some = matches!(method, Method::DropBack | Method::Procrustes | Method::Topkast);
                let steps = if some { "0,1,2,9".parse().unwrap() } else { TraceSteps::Updates };
                let report = judged(&config, steps);
                assert_pass(&report, &format!("{method} --{} {other}", option.key));
            }
        }
    }
}

/// What a replay computes from a run's operands passes too.
#[test]
fn replays_pass() {
    for method in recorded() {
        let folder = tempfile::tempdir().unwrap();
        let path = traced(folder.path(), &config(method, 2), TraceSteps::Updates);
        let out = folder.path().join("replayed.safetensors");
        let written = replay(&path, &out, &mut |_, _| {}).unwrap();
        assert_eq!(written.notes, Vec::<String>::new(), "{method}");
        let report = check(&out, &CheckOptions::default()).unwrap();
        assert_pass(&report, method.entry().name);
    }
}

/// Fixed rewind is GDSTAR but for Alg. 4, which moves once: at an epoch's end, or after a step.
#[test]
fn fixed_rewind_moves_once() {
    let at = |options: &[(&str, Value)]| {
        let mut config = config(Method::FixedRewind, 4);
        config.outputs.trace_gradients = true;
        config.options = gdstar::method::Options::of(Method::FixedRewind.entry());
        with(config, options)
    };
    for options in
        [[("rewind_epoch", Value::Count(2))], [("rewind_step", Value::Count(24))], [("rewind_step", Value::Count(0))]]
    {
        let report = judged(&at(&options), TraceSteps::Updates);
        assert_pass(&report, &format!("{options:?}"));
        assert!(report.checked.contains(&"alg4"), "{options:?}");
    }
    // Within an epoch the weights themselves are not recorded; k* is judged, and what was captured lasts.
    let report = judged(&at(&[("rewind_step", Value::Count(17))]), TraceSteps::Updates);
    assert_pass(&report, "step 17");
    assert!(report.not_checked.iter().any(|left_out| left_out.equation == "alg4"), "{:?}", report.not_checked);
}

/// A fixed rewind point that moves otherwise is a finding of Alg. 4.
#[test]
fn fixed_rewind_that_moves_otherwise_fails() {
    let folder = tempfile::tempdir().unwrap();
    let path = traced(folder.path(), &config(Method::FixedRewind, 3), TraceSteps::Updates);
    let file = TensorFile::open(&path).unwrap();
    let header = file.metadata("gdstar").unwrap();
    for (epoch, told) in [(0_i64, "never captured"), (2, "one epoch off")] {
        let altered = header.replace("\"rewind_epoch\":1", &format!("\"rewind_epoch\":{epoch}"));
        assert_ne!(altered, header);
        let other = folder.path().join(format!("{epoch}.safetensors"));
        let tensors: Vec<(String, Tensor)> = file.names().map(|name| (name.to_string(), stored(&file, name))).collect();
        write(&other, HashMap::from([("gdstar".to_string(), altered)]), &tensors).unwrap();
        let report = check(&other, &CheckOptions::default()).unwrap();
        let first = &report.findings[0];
        assert_eq!((report.verdict, first.equation), (Verdict::Fail, "alg4"));
        assert!(first.likely_cause.as_deref().is_some_and(|cause| cause.contains(told)), "{:?}", first.likely_cause);
    }
}

/// A tensor as the file holds it.
fn stored(file: &TensorFile, name: &str) -> Tensor {
    use safetensors::Dtype as Stored;
    match file.describe(name).unwrap().0 {
        Stored::F32 => Tensor::from_array(&file.read::<f32>(name, None).unwrap().view()),
        Stored::F64 => Tensor::from_array(&file.read::<f64>(name, None).unwrap().view()),
        Stored::I64 => Tensor::from_array(&file.read::<i64>(name, None).unwrap().view()),
        _ => Tensor::from_array(&file.read::<u8>(name, None).unwrap().view()),
    }
}
