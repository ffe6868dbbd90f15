//! Schedules against values that are known in closed form: to 1 ulp in a replay.

use super::tiny;
use super::written::Written;
use gdstar::oracle::replay::replay;
use gdstar::tensor_file::TensorFile;
use serde_json::json;

/// What a replay writes for this number of a trace.
fn replayed(trace: &Written, name: &str) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("replayed.safetensors");
    replay(&trace.write(folder.path()), &out, &mut |_, _| {}).unwrap();
    TensorFile::open(&out).unwrap().read::<f64>(name, Some(&[1])).unwrap()[[0]]
}

fn near(got: f64, known: f64) {
    assert!((got - known).abs() <= known.abs() * f64::EPSILON, "{got:?}, not {known:?}");
}

/// s_f + (s_i - s_f) (1 - x)^3 at x = 1/2 of the course from c = 1 to 5.
#[test]
fn cubic() {
    for (s_i, s_f) in [(0.0, 0.75), (0.25, 0.875), (0.5, 0.5), (0.75, 0.0)] {
        let trace = tiny::gmp().declared("hyper", "initial_sparsity", json!(s_i)).declared(
            "hyper",
            "final_sparsity",
            json!(s_f),
        );
        near(replayed(&trace, "step/2/rate"), s_f + (s_i - s_f) / 8.0);
    }
}

/// alpha / 2 (1 + cos(pi c / T)) at c = 2: of T = 2, 3, 4, 6, 8, 12.
#[test]
fn cosine() {
    let root = f64::sqrt;
    let known = [(3, 0.25), (4, 0.5), (6, 0.75), (8, (2.0 + root(2.0)) / 4.0), (12, (2.0 + root(3.0)) / 4.0)];
    for (end, factor) in known {
        near(replayed(&tiny::rigl().declared("hyper", "update_end", json!(end)), "step/2/fraction"), factor);
    }
    let inclusive = tiny::rigl().declared("reading", "last_update", json!("inclusive"));
    assert_eq!(replayed(&inclusive.declared("hyper", "update_end", json!(2)), "step/2/fraction"), 0.0);
}

/// alpha (1 - c / T)^b at c / T = 1/2.
#[test]
fn power() {
    for (b, factor) in [(0.0, 1.0), (1.0, 0.5), (3.0, 0.125), (0.5, std::f64::consts::FRAC_1_SQRT_2), (-1.0, 2.0)] {
        let trace = tiny::rigl()
            .declared("reading", "drop_schedule", json!("power"))
            .declared("hyper", "alpha", json!(0.25))
            .declared("hyper", "drop_power", json!(b));
        near(replayed(&trace, "step/2/fraction"), 0.25 * factor);
    }
}

/// lambda^e.
#[test]
fn decay() {
    for lambda in [0.5, 0.25, 1.0] {
        let trace = tiny::procrustes().declared("hyper", "lambda", json!(lambda));
        assert_eq!(replayed(&trace, "step/0/rate"), lambda);
        assert_eq!(replayed(&trace.declared("reading", "clock", json!("index")), "step/0/rate"), 1.0);
    }
}
