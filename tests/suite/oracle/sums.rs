//! The checker's own sums: what it computes in `f64` is enclosed too, however many batches there are.

use super::checked::write;
use gdstar::oracle::{CheckOptions, Report, Verdict, check};
use gdstar::scalar::{DoubleDouble, Scalar};
use gdstar::tensor_file::Tensor;
use serde_json::json;

const BATCHES: usize = 1001;

/// A port in f64 that sums without rounding, and rounds the result once: one weight, a gradient of 1 and then a
/// thousand so small that a sum in f64 loses every one of their squares.
fn judged(g: impl Fn(f64) -> f64) -> Report {
    let gradient = |i: usize| if i == 0 { 1.0 } else { libm::ldexp(0.9, -27) };
    let sum: DoubleDouble = (0..BATCHES).map(|i| DoubleDouble::from_product(gradient(i), gradient(i))).sum();
    assert!(sum.to_f64() > 1.0 + 300.0 * f64::EPSILON / 2.0);
    let header = json!({
        "format": "gdstar-trace/1", "producer": "exact sums", "dtype": "f64",
        "arithmetic": {"u_acc": 0},
        "hyper": {"epochs": 1, "alpha_0": 0.5, "alpha_K": 0.5, "lambda": 0.5, "eps": 0.0, "chunks": 1,
            "lr": 0.0, "momentum": 0.0, "weight_decay": 0.5, "batch_size": 1},
        "reading": {"gradient": "loss+decay"}, "params": ["w"],
    });
    let one = |name: String, x: f64| (name, Tensor::from_slice(&[1, 1], &[x]));
    let batches = (0..BATCHES).map(|i| one(format!("epoch/0/batch/{i}/grad/w"), gradient(i)));
    let mut tensors: Vec<(String, Tensor)> = batches.collect();
    tensors.push(one("init/w".to_string(), 0.0));
    tensors.push(one("epoch/0/weights_before/w".to_string(), 0.0));
    tensors.push(one("epoch/0/G/w".to_string(), g(sum.to_f64())));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("port.safetensors");
    write(&path, &header, &tensors);
    check(&path, &CheckOptions::default()).unwrap()
}

#[test]
fn an_exact_sum_over_many_batches_is_inside() {
    let report = judged(|g| g);
    assert_eq!((report.verdict, report.findings.first()), (Verdict::Pass, None));
    assert!(report.checked.contains(&"eq2"));
}

/// A thousand batches' roundings are 2^-43 of the sum, and no more is let through.
#[test]
fn what_is_off_by_more_than_the_roundings_is_found() {
    let report = judged(|g| g * (1.0 + libm::ldexp(1.0, -41)));
    assert_eq!((report.verdict, report.findings.first().map(|f| f.equation)), (Verdict::Fail, Some("eq2")));
}
