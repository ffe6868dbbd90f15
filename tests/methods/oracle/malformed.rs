//! What is not a trace of its method is refused, by the key or the tensor that is wrong.

use super::tiny;
use super::written::Written;
use serde_json::json;

fn refused(trace: &Written, named: &[&str]) {
    let error = match trace.check() {
        Ok(report) => panic!("{named:?} is not refused: {:?}", report.verdict),
        Err(error) => error,
    };
    assert_eq!(error.exit_code(), 2);
    let told = error.to_string();
    assert!(named.iter().all(|name| told.contains(name)), "{named:?} is not in: {told}");
    assert!(!told.trim_end().contains('\n'), "more than a line: {told}");
}

#[test]
fn headers() {
    let cases = [
        (tiny::rigl().declared("reading", "quantile", json!("lower")), "reading: quantile"),
        (tiny::rigl().declared("reading", "ties", json!("random")), "reading: ties"),
        (tiny::set().declared("reading", "cut", json!("exact")), "reading: cut"),
        (tiny::dropback().declared("hyper", "tracked", json!(5)), "hyper: tracked"),
        (tiny::dropback().declared("hyper", "tracked", json!(-1)), "hyper: tracked"),
        (tiny::procrustes().declared("hyper", "lambda", json!(0.0)), "hyper: lambda"),
        (tiny::lth().declared("hyper", "fraction", json!(1.5)), "hyper: fraction"),
        (tiny::snip().declared("hyper", "sparsity", json!(null)), "hyper: sparsity"),
        (tiny::gmp().declared("hyper", "update_end", json!(null)), "hyper: update_end"),
        (tiny::gmp().declared("hyper", "update_end", json!(0)), "hyper: update_end"),
        (tiny::gmp().declared("hyper", "update_every", json!(0)), "hyper: update_every"),
        (tiny::set().declared("hyper", "update_every", json!(null)), "hyper: update_every"),
        (tiny::granet().declared("hyper", "total_steps", json!(null)), "hyper: total_steps"),
        (tiny::acdc().declared("hyper", "decompress_at", json!([0])), "hyper: compress_at"),
        (tiny::topkast().declared("hyper", "backward_sparsity", json!(0.875)), "hyper: backward_sparsity"),
        (tiny::topkast().declared("hyper", "forward_sparsity", json!(1.0)), "hyper: forward_sparsity"),
        (tiny::lmc().declared("hyper", "points", json!(1)), "hyper: points"),
        (tiny::sdgp().declared("hyper", "keep", json!(5)), "hyper: keep"),
        (tiny::layerdrop().declared("hyper", "droppable", json!([1, 1])), "hyper: droppable"),
        (tiny::layerdrop().declared("hyper", "layers", json!(0)), "hyper: layers"),
        (tiny::amc().declared("hyper", "flops", json!([8])), "hyper: flops"),
        (tiny::amc().declared("hyper", "channel_round", json!(0)), "hyper: channel_round"),
        // ERK of everything pruned has no solution.
        (
            tiny::rigl().declared("reading", "distribution", json!("erk")).declared("hyper", "sparsity", json!(1.0)),
            "sparsity",
        ),
        (tiny::rigl().declared("", "method", json!("chase")), "method"),
    ];
    for (trace, named) in &cases {
        refused(trace, &[named]);
    }
}

#[test]
fn tensors() {
    let cases = [
        (tiny::snip().declared("reading", "distribution", json!("given")), "sparsities"),
        (tiny::gmp().count("step/2/keep", &[1, 1]), "step/2/keep"),
        (tiny::gmp().real("step/2/keep", &[1.0]), "step/2/keep"),
        (tiny::gmp().real("step/2/mask/fc", &[0.0; 4]), "step/2/mask/fc"),
        (tiny::gmp().flags("step/2/mask/fc", &[0, 0, 0, 2]), "step/2/mask/fc"),
        (tiny::gmp().with("step/2/between/fc", &[4], &[0.0; 4]), "of `fc`"),
        (tiny::gmp().count("step/2/rate", &[1]), "step/2/rate"),
        (tiny::gmp().real("step/2/rate", &[0.5, 0.5]), "step/2/rate"),
        (tiny::lmc().real("step/5/loss", &[1.0, 4.0]), "step/5/loss"),
        (tiny::layerdrop().real("step/0/draw", &[0.5; 2]), "step/0/draw"),
        (tiny::amc().real("step/0/action", &[1.0]), "step/0/action"),
        (tiny::amc().real("step/0/importance/a", &[1.0]), "step/0/importance/a"),
        (tiny::sdgp().with("step/0/pruned/dense", &[4], &[0.0; 4]), "step/0/pruned/dense"),
        (tiny::sdgp().with("step/0/grad_weight/dense", &[2, 4], &[0.0; 8]), "step/0/grad_weight/dense"),
    ];
    for (trace, named) in &cases {
        refused(trace, &[named]);
    }
}
