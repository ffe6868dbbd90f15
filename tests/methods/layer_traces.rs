//! Runs of the methods that touch the network itself are held against the oracle: what they record of steps, layers and episodes
//! is what the format's rules say, under every reading, and a resumed run records the same.

use crate::small::{config, digits};
use gdstar::data::Dataset;
use gdstar::method::options::Value;
use gdstar::oracle::replay::replay;
use gdstar::oracle::{CheckOptions, Verdict, check};
use gdstar::scalar::Dtype;
use gdstar::tensor_file::TensorFile;
use gdstar::train::{Config, Outputs, Run, Session, TraceSize, TraceSteps};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::AtomicBool;

static NEVER: AtomicBool = AtomicBool::new(false);

fn name(name: &str) -> Value {
    Value::Name(name.to_string())
}

fn amc(options: &[(&str, Value)]) -> Config {
    let few = [
        ("episodes", Value::Count(5)),
        ("random_episodes", Value::Count(2)),
        ("hidden", Value::Count(4)),
        ("channel_round", Value::Count(4)),
    ];
    config("lenet300", "amc", 2, 16, &[&few, options].concat())
}

/// A run whose every event is recorded, and its trace.
fn traced(config: &Config, dataset: &Dataset, folder: &Path) -> TensorFile {
    let path = folder.join("trace.safetensors");
    let mut config = config.clone();
    config.outputs = Outputs { trace: Some(path.clone()), trace_steps: TraceSteps::All, ..Outputs::default() };
    Session::new(config).unwrap().train(dataset).unwrap();
    TensorFile::open(&path).unwrap()
}

/// The tensors of an event, without the names of layers and parameters.
fn tensors(file: &TensorFile, event: usize) -> Vec<String> {
    let prefix = format!("step/{event}/");
    let name = |name: &str| Some(name.strip_prefix(&prefix)?.split('/').next()?.to_string());
    let names: BTreeSet<String> = file.names().filter_map(name).collect();
    names.into_iter().collect()
}

#[test]
fn what_is_recorded_passes_under_every_reading() {
    let (dataset, few) = (digits(48, 4), digits(16, 4));
    let resnet = |method: &str, options: &[(&str, Value)]| config("resnet20", method, 1, 8, options);
    let sdgp = |options: &[(&str, Value)]| config("lenet300", "sdgp", 2, 16, options);
    let flags = Value::List([1, 0, 1, 0, 1, 0, 0, 1, 0].map(Value::Count).to_vec());
    let few_episodes = [
        ("episodes", Value::Count(2)),
        ("random_episodes", Value::Count(1)),
        ("hidden", Value::Count(4)),
        ("channel_round", Value::Count(4)),
    ];
    let runs = [
        (resnet("layerdrop", &[]), &few),
        (resnet("layerdrop", &[("p", Value::Real(0.5)), ("droppable", flags), ("prune_rate", Value::Real(0.4))]), &few),
        (resnet("layerdrop", &[("depth_origin", name("0")), ("prune_rate", Value::Real(0.5))]), &few),
        (resnet("sdgp", &[]), &few),
        (resnet("sdgp", &[("groups", name("memory")), ("rescale", name("maxnorm")), ("keep", Value::Count(1))]), &few),
        (sdgp(&[]), &dataset),
        (sdgp(&[("remainder", name("zero")), ("ties", name("higher-index"))]), &dataset),
        (sdgp(&[("remainder", name("dense")), ("pick", name("random")), ("rescale", name("maxnorm"))]), &dataset),
        (sdgp(&[("groups", name("memory")), ("group", Value::Count(16)), ("keep", Value::Count(3))]), &dataset),
        (amc(&[]), &dataset),
        (amc(&[("reward_rule", name("error-log-flops")), ("preserve", Value::Real(0.3))]), &dataset),
        (
            amc(&[("ties", name("higher-index")), ("lower", Value::Real(0.05)), ("channel_round", Value::Count(1))]),
            &dataset,
        ),
        (resnet("amc", &few_episodes), &few),
    ];
    for (mut config, dataset) in runs {
        for precision in [Dtype::F32, Dtype::F64] {
            config.precision = precision;
            let folder = tempfile::tempdir().unwrap();
            let file = traced(&config, dataset, folder.path());
            let report = check(file.path(), &CheckOptions::default()).unwrap();
            assert_eq!(report.verdict, Verdict::Pass, "{:?}: {report:?}", config.options);
        }
    }
}

/// What a replay computes from what a run was given passes too, and nothing is left out for want of an operand.
#[test]
fn replays_pass() {
    let (dataset, few) = (digits(48, 4), digits(16, 4));
    let drawn = [("pick", name("random")), ("rescale", name("maxnorm"))];
    for (config, dataset) in [
        (config("resnet20", "layerdrop", 1, 8, &[("prune_rate", Value::Real(0.5))]), &few),
        (config("resnet20", "sdgp", 1, 16, &[]), &few),
        (config("lenet300", "sdgp", 1, 16, &drawn), &dataset),
        (amc(&[("reward_rule", name("error-log-flops"))]), &dataset),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = traced(&config, dataset, folder.path());
        let out = folder.path().join("replayed.safetensors");
        let written = replay(file.path(), &out, &mut |_, _| {}).unwrap();
        assert_eq!(written.notes, Vec::<String>::new(), "{}", config.method);
        let report = check(&out, &CheckOptions::default()).unwrap();
        assert_eq!(report.verdict, Verdict::Pass, "{}: {report:?}", config.method);
    }
}

/// The names that the format has for each method's events, no other, and no more bytes than were announced.
#[test]
fn an_event_has_what_the_format_names() {
    let (dataset, few) = (digits(48, 4), digits(16, 4));
    let pruned = [("prune_rate", Value::Real(0.5))];
    let of_layers = ["grad_input", "grad_output", "grad_weight", "input", "pruned", "weight"];
    let of_episodes = [
        "accuracy",
        "action",
        "channels",
        "flops",
        "importance",
        "keep",
        "ratio_allowed",
        "reward",
        "weights_after",
        "weights_before",
    ];
    for (config, dataset, events, expected) in [
        (config("resnet20", "layerdrop", 1, 8, &pruned), &few, 2, &["active", "draw"][..]),
        (config("lenet300", "sdgp", 1, 16, &[]), &dataset, 3, &of_layers[..]),
        (amc(&[]), &dataset, 5, &of_episodes[..]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = traced(&config, dataset, folder.path());
        for event in 0..events {
            assert_eq!(tensors(&file, event), expected, "{}", config.method);
        }
        assert!(tensors(&file, events).is_empty(), "{}", config.method);
        let others: Vec<&str> = file.names().filter(|name| !name.starts_with("step/")).collect();
        let is_pruned = config.method.entry().name == "layerdrop";
        assert_eq!(others, if is_pruned { vec!["kept_layers"] } else { Vec::new() });
        let mut all = config.clone();
        all.outputs.trace_steps = TraceSteps::All;
        let run = Run::new(&all, dataset, &NEVER).unwrap();
        let size = TraceSize::of(&run, &run.start::<f32>().unwrap()).unwrap();
        let bytes = std::fs::metadata(file.path()).unwrap().len();
        assert!(bytes <= size.tensors + size.header, "{}: {bytes} of {size:?}", config.method);
    }
}

/// Of the episodes those are updates that are the best so far; of SDGP's steps an epoch's first.
#[test]
fn updates_are_told_apart() {
    let dataset = digits(48, 4);
    let updates = |mut config: Config| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace.safetensors");
        config.outputs.trace = Some(path.clone());
        Session::new(config).unwrap().train(&dataset).unwrap();
        let file = TensorFile::open(&path).unwrap();
        let steps: Vec<usize> = (0..10).filter(|&t| !tensors(&file, t).is_empty()).collect();
        let rewards: Vec<f64> = steps
            .iter()
            .filter_map(|t| file.read_floats(&format!("step/{t}/reward"), None).ok())
            .map(|r| r[[0]])
            .collect();
        (steps, rewards)
    };
    assert_eq!(updates(config("lenet300", "sdgp", 2, 16, &[])).0, [0, 3]);
    let (episodes, rewards) = updates(amc(&[]));
    assert!(episodes[0] == 0 && rewards.is_sorted_by(|a, b| a < b) && episodes.len() <= 5, "{rewards:?}");
}
