//! A trace of each method in numbers that are exact, every operand and result computed by hand after the specification's rules.

use super::written::Written;
use serde_json::json;

/// SGD with momentum 1/2 and a learning rate of 1/2.
fn sgd(mut hyper: serde_json::Value) -> serde_json::Value {
    hyper["lr"] = json!(0.5);
    hyper["momentum"] = json!(0.5);
    hyper
}

/// Step 0: v = g, w moves by [-1, 2, -3, -1/2].
fn tracked(method: &str, hyper: serde_json::Value, reading: serde_json::Value) -> Written {
    Written::of(method, &["fc"], sgd(hyper), reading)
        .real("init/fc", &[1.0, 2.0, 3.0, 4.0])
        .real("step/0/weights_before/fc", &[1.0, 2.0, 3.0, 4.0])
        .flags("step/0/mask_before/fc", &[1, 1, 1, 1])
        .real("step/0/momentum_before/fc", &[0.0; 4])
        .real("step/0/grad/fc", &[2.0, -4.0, 6.0, 1.0])
        .real("step/0/between/fc", &[0.0, 4.0, 0.0, 3.5])
        .count("step/0/keep", &[2])
        .real("step/0/score/fc", &[1.0, 2.0, 3.0, 0.5])
        .real("step/0/momentum/fc", &[2.0, -4.0, 6.0, 1.0])
}

pub fn dropback() -> Written {
    tracked("dropback", json!({"tracked": 2}), json!({}))
        .flags("step/0/mask/fc", &[0, 1, 1, 0])
        .real("step/0/weights_after/fc", &[1.0, 4.0, 0.0, 4.0])
}

/// By sums of gradients.
pub fn dropback_by_sums() -> Written {
    tracked("dropback", json!({"tracked": 2}), json!({"score": "accumulated"}))
        .flags("step/0/mask/fc", &[0, 1, 1, 0])
        .real("step/0/weights_after/fc", &[1.0, 4.0, 0.0, 4.0])
        .real("step/0/accumulated/fc", &[0.0, -2.0, 3.0, 0.0])
}

/// lambda^1 = 1/2.
pub fn procrustes() -> Written {
    tracked("procrustes", json!({"tracked": 2, "lambda": 0.5}), json!({}))
        .real("step/0/rate", &[0.5])
        .flags("step/0/mask/fc", &[0, 1, 1, 0])
        .real("step/0/weights_after/fc", &[0.5, 4.0, 0.0, 2.0])
        .real("step/0/accumulated/fc", &[0.0, -2.0, 3.0, 0.0])
}

/// q = 1/2, up 5/4, down 3/4, from the last to the first: 3/4, 9/16, 45/64, 225/256, 1125/1024.
pub fn procrustes_by_dumique() -> Written {
    let hyper = json!({"tracked": 2, "lambda": 0.5, "dumique_start": 0.75, "dumique_rate": 0.5});
    tracked("procrustes", hyper, json!({"select": "dumique"}))
        .real("step/0/rate", &[0.5])
        .real("step/0/quantile", &[0.75, 1125.0 / 1024.0])
        .flags("step/0/mask/fc", &[1, 1, 1, 0])
        .real("step/0/weights_after/fc", &[0.0, 4.0, 0.0, 2.0])
        .real("step/0/accumulated/fc", &[1.0, -2.0, 3.0, 0.0])
}

pub fn lth() -> Written {
    Written::of("lth", &["fc"], json!({"fraction": 0.5}), json!({}))
        .real("rewind/fc", &[5.0, 6.0, 7.0, 8.0])
        .real("step/1/weights_before/fc", &[1.0, -2.0, 3.0, -4.0])
        .flags("step/1/mask_before/fc", &[1; 4])
        .count("step/1/keep", &[2])
        .real("step/1/score/fc", &[1.0, 2.0, 3.0, 4.0])
        .flags("step/1/mask/fc", &[0, 0, 1, 1])
        .real("step/1/weights_after/fc", &[0.0, 0.0, 7.0, 8.0])
        .real("step/1/momentum/fc", &[0.0; 4])
}

pub fn snip() -> Written {
    Written::of("snip", &["fc"], json!({"sparsity": 0.5}), json!({"distribution": "uniform"}))
        .real("sparsity", &[0.5])
        .real("step/0/weights_before/fc", &[1.0, 2.0, 3.0, 4.0])
        .real("step/0/grad/fc", &[4.0, 1.0, 1.0, -2.0])
        .count("step/0/keep", &[2])
        .real("step/0/score/fc", &[4.0, 2.0, 3.0, 8.0])
        .flags("step/0/mask/fc", &[1, 0, 0, 1])
        .real("step/0/weights_after/fc", &[1.0, 0.0, 0.0, 4.0])
}

pub fn grasp() -> Written {
    Written::of("grasp", &["fc"], json!({"sparsity": 0.5}), json!({"distribution": "uniform"}))
        .real("sparsity", &[0.5])
        .real("step/0/weights_before/fc", &[1.0, 2.0, 3.0, 4.0])
        .real("step/0/hessian_gradient/fc", &[1.0, -1.0, 2.0, -2.0])
        .count("step/0/keep", &[2])
        .real("step/0/score/fc", &[-1.0, 2.0, -6.0, 8.0])
        .flags("step/0/mask/fc", &[1, 0, 1, 0])
        .real("step/0/weights_after/fc", &[1.0, 0.0, 3.0, 0.0])
}

/// c = 3, half of the course from 1 to 5: 3/4 - 3/32.
pub fn gmp() -> Written {
    let hyper = json!({"final_sparsity": 0.75, "update_start": 1, "update_every": 2, "update_end": 5});
    Written::of("gmp", &["fc"], sgd(hyper), json!({}))
        .real("step/2/weights_before/fc", &[1.0, 2.0, 3.0, 4.0])
        .flags("step/2/mask_before/fc", &[1; 4])
        .real("step/2/momentum_before/fc", &[0.0; 4])
        .real("step/2/grad/fc", &[2.0; 4])
        .flags("step/2/updated", &[1])
        .real("step/2/between/fc", &[0.0, 1.0, 2.0, 3.0])
        .real("step/2/rate", &[0.65625])
        .count("step/2/keep", &[1])
        .real("step/2/score/fc", &[0.0, 1.0, 2.0, 3.0])
        .flags("step/2/mask/fc", &[0, 0, 0, 1])
        .real("step/2/weights_after/fc", &[0.0, 0.0, 0.0, 3.0])
        .real("step/2/momentum/fc", &[0.0, 0.0, 0.0, 2.0])
}

/// Half of four weights active; at step 1 one of two is dropped, and one grown by the largest draw.
pub fn set() -> Written {
    let hyper = json!({"sparsity": 0.5, "zeta": 0.5, "update_every": 2, "update_end": 10});
    Written::of("set", &["fc"], sgd(hyper), json!({"distribution": "uniform", "drop_rule": "magnitude"}))
        .real("sparsity", &[0.5])
        .real("init_draw/fc", &[0.9, 0.1, 0.8, 0.2])
        .flags("init_mask/fc", &[1, 0, 1, 0])
        .real("step/1/weights_before/fc", &[4.0, 0.0, -2.0, 0.0])
        .flags("step/1/mask_before/fc", &[1, 0, 1, 0])
        .real("step/1/momentum_before/fc", &[0.0; 4])
        .real("step/1/grad/fc", &[2.0, 2.0, -2.0, 2.0])
        .real("step/1/draw/fc", &[0.1, 0.2, 0.3, 0.4])
        .flags("step/1/updated", &[1])
        .real("step/1/between/fc", &[3.0, 0.0, -1.0, 0.0])
        .real("step/1/fraction", &[0.5])
        .count("step/1/drop", &[1])
        .real("step/1/score/fc", &[3.0, 0.0, 1.0, 0.0])
        .flags("step/1/kept/fc", &[1, 0, 0, 0])
        .flags("step/1/mask/fc", &[1, 0, 0, 1])
        .real("step/1/weights_after/fc", &[3.0, 0.0, 0.0, 0.0])
        .real("step/1/momentum/fc", &[2.0, 0.0, 0.0, 0.0])
}

/// Half way down the cosine from 1; no SGD at an update; grown where the gradient is largest.
pub fn rigl() -> Written {
    let hyper = json!({"sparsity": 0.5, "alpha": 1.0, "update_every": 2, "update_end": 4});
    Written::of("rigl", &["fc"], sgd(hyper), json!({"distribution": "uniform"}))
        .real("sparsity", &[0.5])
        .real("init_draw/fc", &[0.9, 0.1, 0.8, 0.2])
        .flags("init_mask/fc", &[1, 0, 1, 0])
        .real("step/2/weights_before/fc", &[4.0, 0.0, -1.0, 0.0])
        .flags("step/2/mask_before/fc", &[1, 0, 1, 0])
        .real("step/2/momentum_before/fc", &[1.0, 0.0, 2.0, 0.0])
        .real("step/2/grad/fc", &[1.0, 2.0, 3.0, -4.0])
        .flags("step/2/updated", &[1])
        .real("step/2/between/fc", &[4.0, 0.0, -1.0, 0.0])
        .real("step/2/fraction", &[0.5])
        .count("step/2/drop", &[1])
        .real("step/2/score/fc", &[4.0, 0.0, 1.0, 0.0])
        .flags("step/2/kept/fc", &[1, 0, 0, 0])
        .flags("step/2/mask/fc", &[1, 0, 0, 1])
        .real("step/2/weights_after/fc", &[4.0, 0.0, 0.0, 0.0])
        .real("step/2/momentum/fc", &[1.0, 0.0, 0.0, 0.0])
}

/// Half of the course from 1/2 to 3/4: one weight stays; of it one is dropped, and one grown.
pub fn granet() -> Written {
    let hyper = json!({
        "initial_sparsity": 0.5, "final_sparsity": 0.75, "regrow": 1.0, "regrow_min": 0.0, "total_steps": 4,
        "update_every": 2, "update_end": 4,
    });
    Written::of("granet", &["fc"], sgd(hyper), json!({"distribution": "uniform"}))
        .real("sparsity", &[0.5])
        .real("init_draw/fc", &[0.9, 0.1, 0.8, 0.2])
        .flags("init_mask/fc", &[1, 0, 1, 0])
        .real("step/1/weights_before/fc", &[4.0, 0.0, -2.0, 0.0])
        .flags("step/1/mask_before/fc", &[1, 0, 1, 0])
        .real("step/1/momentum_before/fc", &[0.0; 4])
        .real("step/1/grad/fc", &[2.0, 3.0, -2.0, 5.0])
        .flags("step/1/updated", &[1])
        .real("step/1/between/fc", &[3.0, 0.0, -1.0, 0.0])
        .real("step/1/rate", &[0.71875])
        .count("step/1/keep", &[1])
        .flags("step/1/pruned/fc", &[1, 0, 0, 0])
        .real("step/1/fraction", &[0.5])
        .count("step/1/drop", &[1])
        .real("step/1/score/fc", &[3.0, 0.0, 1.0, 0.0])
        .flags("step/1/kept/fc", &[0; 4])
        .flags("step/1/mask/fc", &[0, 0, 0, 1])
        .real("step/1/weights_after/fc", &[0.0; 4])
        .real("step/1/momentum/fc", &[0.0; 4])
}

/// A compression, then SGD under its mask: v = 5/2.
pub fn acdc() -> Written {
    let hyper = json!({"sparsity": 0.5, "compress_at": [1], "decompress_at": [3]});
    Written::of("acdc", &["fc"], sgd(hyper), json!({}))
        .real("step/1/weights_before/fc", &[1.0, -2.0, 3.0, -4.0])
        .flags("step/1/mask_before/fc", &[1; 4])
        .real("step/1/momentum_before/fc", &[1.0; 4])
        .real("step/1/grad/fc", &[2.0; 4])
        .flags("step/1/updated", &[1])
        .count("step/1/keep", &[2])
        .real("step/1/score/fc", &[1.0, 2.0, 3.0, 4.0])
        .flags("step/1/mask/fc", &[0, 0, 1, 1])
        .real("step/1/between/fc", &[0.0, 0.0, 3.0, -4.0])
        .real("step/1/weights_after/fc", &[0.0, 0.0, 1.75, -5.25])
        .real("step/1/momentum/fc", &[0.0, 0.0, 2.5, 2.5])
}

/// The penalty is 1/2 w in A, and 1/2 w / (1/4) in B outside of A.
pub fn topkast() -> Written {
    let hyper = json!({"forward_sparsity": 0.75, "backward_sparsity": 0.5, "penalty": 0.5});
    Written::of("topkast", &["fc"], sgd(hyper), json!({}))
        .real("step/0/weights_before/fc", &[1.0, -2.0, 3.0, -4.0])
        .flags("step/0/mask_before/fc", &[1; 4])
        .real("step/0/momentum_before/fc", &[0.0; 4])
        .real("step/0/grad/fc", &[2.0; 4])
        .flags("step/0/updated", &[1])
        .count("step/0/keep", &[1])
        .count("step/0/keep_backward", &[2])
        .flags("step/0/mask/fc", &[0, 0, 0, 1])
        .flags("step/0/backward/fc", &[0, 0, 1, 1])
        .real("step/0/between/fc", &[1.0, -2.0, 3.0, -4.0])
        .real("step/0/weights_after/fc", &[1.0, -2.0, -1.0, -4.0])
        .real("step/0/momentum/fc", &[0.0, 0.0, 8.0, 0.0])
}

/// Two candidates: a mean of 2 and a barrier of 3, a mean of 1 and none.
pub fn lmc() -> Written {
    Written::of("lmc", &[], json!({"points": 3}), json!({}))
        .real("step/5/theta_1/w", &[0.0, 2.0])
        .real("step/5/theta_2/w", &[4.0, -2.0])
        .real("step/5/loss", &[1.0, 4.0, 1.0])
        .real("step/5/alpha", &[0.0, 0.5, 1.0])
        .real("step/5/theta/0/w", &[0.0, 2.0])
        .real("step/5/theta/1/w", &[2.0, 0.0])
        .real("step/5/theta/2/w", &[4.0, -2.0])
        .real("step/5/score", &[2.0])
        .real("step/5/barrier", &[3.0])
        .real("step/7/loss", &[1.0, 1.0, 1.0])
        .real("step/7/score", &[1.0])
        .real("step/7/barrier", &[0.0])
        .count("k_star", &[7])
        .count("k_stable", &[7])
}

/// One sample of four channels, two of which stay.
pub fn sdgp() -> Written {
    Written::of("sdgp", &[], json!({"keep": 2, "group": 4}), json!({}))
        .with("step/0/grad_output/dense", &[1, 4], &[1.0, -2.0, 3.0, -4.0])
        .with("step/0/input/dense", &[1, 2], &[1.0, 2.0])
        .with("step/0/weight/dense", &[4, 2], &[1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, -1.0])
        .with("step/0/pruned/dense", &[1, 4], &[0.0, 0.0, 3.0, -4.0])
        .with("step/0/grad_weight/dense", &[4, 2], &[1.0, 2.0, -2.0, -4.0, 3.0, 6.0, -4.0, -8.0])
        .with("step/0/grad_input/dense", &[1, 2], &[-1.0, 7.0])
}

/// Every second layer goes after training, counted from 1.
pub fn layerdrop() -> Written {
    Written::of("layerdrop", &[], json!({"layers": 3, "p": 0.5, "prune_rate": 0.5}), json!({}))
        .real("step/0/draw", &[0.75, 0.25, 0.5])
        .flags("step/0/active", &[1, 0, 0])
        .flags("kept_layers", &[1, 0, 1])
}

/// Two layers of four channels that cost 8 each: of 16 half is allowed, and so half of the second layer's channels.
pub fn amc() -> Written {
    let hyper = json!({"flops": [8, 8], "lower": 0.25, "channel_round": 1});
    let first = [1.0, 2.0, 3.0, 4.0, 1.0, 1.0, 1.0, 1.0];
    Written::of("amc", &["a", "b"], hyper, json!({}))
        .real("step/0/action", &[1.0, 0.75])
        .real("step/0/accuracy", &[0.75])
        .with("step/0/weights_before/a", &[2, 4], &first)
        .with("step/0/weights_before/b", &[2, 4], &[1.0, -2.0, 3.0, -4.0, 0.0, 0.0, 1.0, 1.0])
        .real("step/0/ratio_allowed", &[1.0, 0.5])
        .count("step/0/keep", &[4, 2])
        .real("step/0/importance/a", &[2.0, 3.0, 4.0, 5.0])
        .real("step/0/importance/b", &[1.0, 2.0, 4.0, 5.0])
        .flags("step/0/channels/a", &[1; 4])
        .flags("step/0/channels/b", &[0, 0, 1, 1])
        .with("step/0/weights_after/a", &[2, 4], &first)
        .with("step/0/weights_after/b", &[2, 4], &[0.0, 0.0, 3.0, -4.0, 0.0, 0.0, 1.0, 1.0])
        .real("step/0/flops", &[8.0])
        .real("step/0/reward", &[0.75])
}

/// One of each method, and of those with two ways to score or to choose both.
pub fn all() -> Vec<(&'static str, Written)> {
    vec![
        ("dropback", dropback()),
        ("dropback", dropback_by_sums()),
        ("procrustes", procrustes()),
        ("procrustes", procrustes_by_dumique()),
        ("lth", lth()),
        ("snip", snip()),
        ("grasp", grasp()),
        ("gmp", gmp()),
        ("set", set()),
        ("rigl", rigl()),
        ("granet", granet()),
        ("acdc", acdc()),
        ("topkast", topkast()),
        ("lmc", lmc()),
        ("sdgp", sdgp()),
        ("layerdrop", layerdrop()),
        ("amc", amc()),
    ]
}
