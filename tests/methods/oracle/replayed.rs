//! A replay of the operands alone gives every result, the numbers that were computed by hand, and passes its own check.

use super::tiny;
use super::written::Written;
use gdstar::oracle::replay::replay;
use gdstar::oracle::{CheckOptions, Verdict, check};
use gdstar::tensor_file::{Tensor, TensorFile};

const RESULTS: &[&str] = &[
    "updated",
    "between",
    "rate",
    "fraction",
    "keep",
    "keep_backward",
    "drop",
    "score",
    "quantile",
    "pruned",
    "kept",
    "mask",
    "backward",
    "weights_after",
    "momentum",
    "accumulated",
    "sparsity",
    "init_mask",
    "alpha",
    "theta",
    "barrier",
    "k_star",
    "k_stable",
    "grad_weight",
    "grad_input",
    "active",
    "kept_layers",
    "ratio_allowed",
    "importance",
    "channels",
    "flops",
    "reward",
];

fn is_result(name: &str) -> bool {
    let quantity = if name.starts_with("step/") { name.split('/').nth(2) } else { name.split('/').next() };
    quantity.is_some_and(|quantity| RESULTS.contains(&quantity))
}

/// The tensor of this dtype and shape.
fn numbers(file: &TensorFile, name: &str, like: &Tensor) -> Vec<f64> {
    let shape = Some(&like.shape[..]);
    match like.dtype {
        safetensors::Dtype::F64 => file.read::<f64>(name, shape).unwrap().into_iter().collect(),
        safetensors::Dtype::I64 => file.read_integers(name, shape).unwrap().into_iter().map(|x| x as f64).collect(),
        _ => file.read::<u8>(name, shape).unwrap().into_iter().map(f64::from).collect(),
    }
}

#[test]
fn operands_give_the_results() {
    for (method, trace) in tiny::all() {
        let mut operands = trace.clone();
        operands.tensors.retain(|name, _| !is_result(name));
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("replayed.safetensors");
        let written = replay(&operands.write(folder.path()), &out, &mut |_, _| {}).unwrap();
        assert_eq!(written.notes, Vec::<String>::new(), "{method}");
        let replayed = TensorFile::open(&out).unwrap();
        for (name, expected) in &trace.tensors {
            assert_eq!(numbers(&replayed, name, expected), expected.numbers(), "{method}: `{name}`");
        }
        let report = check(&out, &CheckOptions { exact: true, ..CheckOptions::default() }).unwrap();
        assert_eq!(report.verdict, Verdict::Pass, "{method}: {:?}", report.findings.first());
    }
}

/// What lies outside of the trace is named on the way.
#[test]
fn what_cannot_be_computed_is_named() {
    let trace: Written = tiny::grasp().without("step/0/hessian_gradient/fc");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("replayed.safetensors");
    let written = replay(&trace.write(folder.path()), &out, &mut |_, _| {}).unwrap();
    assert!(written.notes.iter().any(|note| note.contains("hessian_gradient/fc")), "{:?}", written.notes);
    let names: Vec<String> = TensorFile::open(&out).unwrap().names().map(str::to_string).collect();
    assert!(names.contains(&"step/0/keep".to_string()) && !names.contains(&"step/0/mask/fc".to_string()), "{names:?}");
}
