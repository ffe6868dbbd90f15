//! What runs write of their steps: the tensors of the format under the names of the method's labels, each once.

use super::common::{GO_ON, config, digits, recorded};
use gdstar::method::Method;
use gdstar::tensor_file::TensorFile;
use gdstar::train::{Config, Outputs, Run, Session, TraceSize, TraceSteps};
use std::collections::BTreeSet;
use std::path::Path;

/// The trace of a run.
fn trace(folder: &Path, config: &Config) -> TensorFile {
    let path = folder.join("trace.safetensors");
    let mut config = config.clone();
    config.outputs = Outputs { trace: Some(path.clone()), ..config.outputs };
    Session::new(config).unwrap().train(&digits()).unwrap();
    TensorFile::open(&path).unwrap()
}

fn traced() -> impl Iterator<Item = Method> {
    recorded().filter(|method| !method.entry().tells_itself)
}

/// The steps that a trace has, and the tensors of one of them, without the parameters' names.
fn steps(file: &TensorFile) -> Vec<usize> {
    let step = |name: &str| name.strip_prefix("step/")?.split_once('/')?.0.parse().ok();
    let steps: BTreeSet<usize> = file.names().filter_map(step).collect();
    steps.into_iter().collect()
}

fn tensors(file: &TensorFile, step: usize) -> Vec<String> {
    let prefix = format!("step/{step}/");
    let name = |name: &str| Some(name.strip_prefix(&prefix)?.split('/').next()?.to_string());
    let names: BTreeSet<String> = file.names().filter_map(name).collect();
    names.into_iter().collect()
}

#[test]
fn a_step_has_its_operands_and_results() {
    let everywhere = [
        "between",
        "grad",
        "lr",
        "mask",
        "mask_before",
        "momentum",
        "momentum_before",
        "weights_after",
        "weights_before",
    ];
    for method in traced() {
        let folder = tempfile::tempdir().unwrap();
        let file = trace(folder.path(), &config(method, 2));
        let own: &[&str] = match method {
            Method::DropBack => &["keep", "score"],
            Method::Procrustes => &["accumulated", "accumulated_before", "keep", "rate", "score"],
            Method::Gmp => &["keep", "rate", "score", "updated"],
            Method::Set => &["draw", "drop", "fraction", "kept", "score", "updated"],
            Method::Rigl => &["drop", "fraction", "kept", "score", "updated"],
            Method::Granet => &["drop", "fraction", "keep", "kept", "pruned", "rate", "score", "updated"],
            Method::Acdc => &["keep", "score", "updated"],
            Method::Topkast => &["backward", "keep", "keep_backward", "updated"],
            Method::Snip => &["grad", "keep", "mask", "score", "weights_after", "weights_before"],
            Method::Grasp => &["hessian_gradient", "keep", "mask", "score", "weights_after", "weights_before"],
            other => panic!("{other}"),
        };
        let mut expected: BTreeSet<&str> = own.iter().copied().collect();
        if !method.entry().acts_once() {
            expected.extend(everywhere);
        }
        if method == Method::Topkast {
            expected.remove("between");
        }
        let first = steps(&file)[0];
        assert_eq!(tensors(&file, first), expected.into_iter().collect::<Vec<_>>(), "{method}");
        let once = |name: &str| file.names().any(|known| known.starts_with(name));
        let starts_sparse = matches!(method, Method::Set | Method::Rigl | Method::Granet);
        assert!(
            once("init/") && once("init_draw/") == starts_sparse && once("init_mask/") == starts_sparse,
            "{method}"
        );
        assert_eq!(once("sparsity"), matches!(method, Method::Set | Method::Rigl | Method::Granet), "{method}");
    }
}

/// Updates, all, or those that are named.
#[test]
fn steps_are_those_that_are_asked_for() {
    let recorded = |steps_: TraceSteps| {
        let mut config = config(Method::Gmp, 2);
        config.outputs.trace_steps = steps_;
        let folder = tempfile::tempdir().unwrap();
        steps(&trace(folder.path(), &config))
    };
    // Every fourth of 24 steps, up to three quarters of them.
    assert_eq!(recorded(TraceSteps::Updates), [3, 7, 11, 15]);
    assert_eq!(recorded(TraceSteps::All), (0..24).collect::<Vec<_>>());
    assert_eq!(recorded("2,3,20".parse().unwrap()), [2, 3, 20]);
    for text in ["", "some", "1,,2", "-1"] {
        let error = text.parse::<TraceSteps>().unwrap_err().to_string();
        assert!(error.contains("--trace-steps"), "{error}");
    }
}

/// A run's own trace passes by the rules of its method, every label checked, under the default readings and under others.
#[test]
fn every_methods_trace_passes_the_check() {
    use gdstar::oracle::{CheckOptions, Verdict, check};
    let others: &[(Method, &[(&str, &str)])] = &[
        (Method::DropBack, &[("score", "accumulated")]),
        (Method::Procrustes, &[("score", "distance"), ("clock", "index"), ("select", "dumique")]),
        (Method::Snip, &[("distribution", "erk"), ("initial_weights", "fresh")]),
        (Method::Gmp, &[("distribution", "global"), ("inactive_momentum", "dense"), ("clock", "index+1")]),
        (Method::Set, &[("drop_rule", "magnitude"), ("grown_weights", "draw"), ("inactive_momentum", "decay")]),
        (Method::Rigl, &[("update_order", "after-step"), ("cut", "from-next"), ("regrown", "as-grown")]),
        (Method::Granet, &[("gradual", "uniform"), ("grow_from", "inactive-before"), ("grown_momentum", "keep")]),
        (Method::Acdc, &[("distribution", "uniform"), ("decompress_momentum", "keep")]),
        (Method::Topkast, &[("distribution", "global"), ("penalty_rule", "l1")]),
    ];
    let defaults = traced().map(|method| (method, &[][..]));
    for (method, readings) in defaults.chain(others.iter().copied()) {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(method, 2);
        for (key, value) in readings {
            config.options.set(key, gdstar::method::options::Value::Name(value.to_string()));
        }
        let is_long = matches!(method, Method::DropBack | Method::Procrustes | Method::Topkast);
        config.outputs.trace_steps = if is_long { "0,1,2".parse().unwrap() } else { TraceSteps::All };
        let file = trace(folder.path(), &config);
        let report = check(file.path(), &CheckOptions::default()).unwrap();
        assert_eq!(report.verdict, Verdict::Pass, "{method} {readings:?}: {:?}", report.findings.first());
        for label in method.entry().labels {
            let is_checked = report.checked.iter().any(|name| name.to_string().ends_with(&format!(".{label}")));
            let is_elsewhere = ["quantile", "accumulate", "schedule"].contains(label);
            assert!(is_checked || is_elsewhere, "{method} {readings:?}: {label} is not checked");
        }
    }
}

/// Layers that are kept dense are in no budget and no mask, and the trace says so.
#[test]
fn dense_layers_are_not_in_w() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(Method::Rigl, 1);
    config.dense_layers = "first".parse().unwrap();
    let file = trace(folder.path(), &config);
    let header: serde_json::Value = serde_json::from_str(file.metadata("gdstar").unwrap()).unwrap();
    assert_eq!(header["params"], serde_json::json!(["fc2.weight", "fc3.weight"]));
    assert!(!file.names().any(|name| name.ends_with("mask/fc1.weight") || name == "init_draw/fc1.weight"));
    let report = gdstar::oracle::check(file.path(), &Default::default()).unwrap();
    assert_eq!(report.verdict, gdstar::oracle::Verdict::Pass, "{:?}", report.findings.first());
}

/// The header has every hyper-parameter and reading of the method, steps as numbers of this run.
#[test]
fn the_header_says_by_what_the_run_went() {
    use gdstar::method::options::{Domain, Part};
    for method in traced() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(method, 2);
        if method == Method::Rigl {
            config.options.set("update_every", gdstar::method::options::Value::Name("25%".to_string()));
        }
        let file = trace(folder.path(), &config);
        let header: serde_json::Value = serde_json::from_str(file.metadata("gdstar").unwrap()).unwrap();
        assert_eq!(header["method"], method.entry().name);
        assert_eq!(header["params"].as_array().unwrap().len(), 3, "{method}");
        for option in method.entry().options {
            let (part, other) = match option.part {
                Part::Hyper => ("hyper", "reading"),
                Part::Reading => ("reading", "hyper"),
                Part::Run => continue,
            };
            let value = &header[part][option.key];
            assert!(header[other].get(option.key).is_none());
            match option.domain {
                Domain::Choice(names) => {
                    assert!(names.iter().any(|name| value == name), "{method} {}: {value}", option.key)
                }
                Domain::Steps { .. } => assert!(value.is_null() || value.is_u64(), "{method} {}: {value}", option.key),
                _ => {}
            }
        }
        let hyper = &header["hyper"];
        match method {
            Method::Rigl => assert_eq!(
                (&hyper["update_every"], &hyper["update_start"], &hyper["update_end"]),
                (&6.into(), &6.into(), &18.into())
            ),
            Method::Granet => assert_eq!((&hyper["update_start"], &hyper["total_steps"]), (&0.into(), &24.into())),
            Method::Set => assert_eq!((&hyper["update_end"], &hyper["zeta"]), (&24.into(), &0.3.into())),
            Method::Acdc => assert_eq!(hyper["compress_at"], serde_json::json!([2, 4, 7, 9, 12, 14, 16, 20])),
            _ => {}
        }
    }
}

/// What is told of a trace's size is no less than it takes.
#[test]
fn the_size_is_told_beforehand() {
    for method in traced() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(method, 2);
        let dataset = digits();
        let run = Run::new(&config, &dataset, &GO_ON).unwrap();
        let size = TraceSize::of::<f32>(&run, &run.start().unwrap()).unwrap();
        trace(folder.path(), &config);
        let file = std::fs::read(folder.path().join("trace.safetensors")).unwrap();
        let header = u64::from_le_bytes(file[..8].try_into().unwrap());
        let tensors = file.len() as u64 - 8 - header;
        assert!(tensors <= size.tensors && size.tensors <= 2 * tensors, "{method}: {tensors} of {}", size.tensors);
        assert!(header <= size.header.next_multiple_of(8), "{method}: {header} of {}", size.header);
    }
}
