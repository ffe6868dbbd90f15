//! Replays of *reset* and *random rewind*: their own rules for the rewind point, and what is left out without operands.

use super::inputs::{Weights, random};
use super::{readings, replayed};
use crate::common::traces::{self, Tensors, floats, scalar};
use gdstar::oracle::{CheckOptions, Verdict, check_trace};
use gdstar::paper::reading::{GradientOf, Reading, RewindCopy};
use gdstar::tensor_file::Tensor;
use serde_json::{Value, json};

const DRAWS: [f64; 4] = [0.5, 0.3, 0.75, 0.25];

/// A header of the method, and its tensors; random rewind's are drawn so that k* moves in the second and the last epoch.
fn of(method: &str, seed: u64, reading: Reading, weights: Weights) -> (Value, Tensors) {
    let (mut header, mut input) = random(seed, reading, weights);
    header["method"] = json!(method);
    if method == "random-rewind" {
        header["hyper"]["rewind_probability"] = json!(0.4);
        for (k, draw) in (reading.epoch_origin.first()..).zip(DRAWS) {
            input.insert(format!("epoch/{k}/draw"), Tensor::scalar(draw));
        }
    }
    (header, input)
}

/// Under every reading the result passes, and k* and W_k* are what the method says.
#[test]
fn every_reading_passes() {
    for (seed, reading) in readings().into_iter().enumerate() {
        for method in ["reset", "random-rewind"] {
            let weights = if seed % 2 == 0 { Weights::Stepped } else { Weights::Recorded };
            let decays = reading.gradient == GradientOf::LossAndDecay;
            let (header, input) = of(method, seed as u64, reading, if decays { Weights::Stepped } else { weights });
            let who = format!("{method}, {reading:?}");
            let (replayed, all) = replayed(&traces::open(&header, &input).unwrap()).unwrap();
            let result = traces::open(&replayed.header.to_json(), &all).unwrap();
            let report = check_trace(&result, &CheckOptions::default()).unwrap();
            assert_eq!(report.verdict, Verdict::Pass, "{who}: {:?}", report.findings.first());
            assert_eq!((report.ambiguous, report.warnings.len()), (0, 0), "{who}: {:?}", report.warnings);
            assert!(["alg4", "alg6", "eq9"].iter().all(|equation| report.checked.contains(equation)), "{who}");
            let first = reading.epoch_origin.first();
            let moves = |k: usize| method == "random-rewind" && DRAWS[k - first] < 0.4;
            let mut k_star = 0;
            for k in first..first + DRAWS.len() {
                k_star = if moves(k) { k } else { k_star };
                assert_eq!(scalar(&all, &format!("epoch/{k}/k_star")), k_star as f64, "{who}");
                if k_star == 0 && !moves(k) && reading.rewind_copy == RewindCopy::Copy {
                    assert_eq!(floats(&all, &format!("epoch/{k}/rewind/a")), floats(&all, "init/a"), "{who}");
                }
                assert!(!result.has(&format!("epoch/{k}/min_before")), "{who}");
                assert_eq!(result.has(&format!("epoch/{k}/draw")), method == "random-rewind", "{who}");
            }
        }
    }
}

/// The header comes back, but for what a replay is: exact, and told to be one.
#[test]
fn headers_come_back() {
    let (header, input) = of("random-rewind", 5, Reading::default(), Weights::Stepped);
    let (replayed, all) = replayed(&traces::open(&header, &input).unwrap()).unwrap();
    let told = replayed.header.to_json();
    assert_eq!((&told["method"], &told["replayed"]), (&json!("random-rewind"), &json!(true)));
    assert_eq!(told["hyper"]["rewind_probability"], json!(0.4));
    let result = traces::open(&told, &all).unwrap();
    assert_eq!(result.header, replayed.header);
    // A draw comes back as given.
    assert_eq!(scalar(&all, "epoch/1/draw"), 0.3);
}

/// What does not follow is left out and named: W_k* without W_0, and all that k* decides without a draw.
#[test]
fn missing_operands_leave_out_what_needs_them() {
    let (header, mut input) = of("reset", 6, Reading::default(), Weights::Recorded);
    input.remove("init/a");
    let (without_init, all) = replayed(&traces::open(&header, &input).unwrap()).unwrap();
    assert!(without_init.notes.iter().any(|note| note.contains("`a` has no init")), "{:?}", without_init.notes);
    assert!(all.contains_key("epoch/0/k_star") && !all.contains_key("epoch/0/weights_after/a"));
    let (header, mut input) = of("reset", 6, Reading::default(), Weights::Recorded);
    input.remove("init/bias");
    let (without_bias, all) = replayed(&traces::open(&header, &input).unwrap()).unwrap();
    assert!(without_bias.notes.iter().any(|note| note.contains("`bias` is left out")), "{:?}", without_bias.notes);
    assert!(all.contains_key("epoch/0/weights_after/a") && !all.contains_key("epoch/0/rewind/bias"));
    let (header, mut input) = of("random-rewind", 7, Reading::default(), Weights::Stepped);
    input.remove("epoch/2/draw");
    let (without_draw, all) = replayed(&traces::open(&header, &input).unwrap()).unwrap();
    assert!(without_draw.notes.iter().any(|note| note.contains("epoch/2/draw")), "{:?}", without_draw.notes);
    for name in ["S_F", "tau", "selected/a", "draw"] {
        assert!(all.contains_key(&format!("epoch/0/{name}")), "{name}");
    }
    for name in ["k_star", "t", "rewind/a", "weights_after/a", "mask/a"] {
        assert!(!all.contains_key(&format!("epoch/0/{name}")), "{name}");
    }
    let report = check_trace(&traces::open(&without_draw.header.to_json(), &all).unwrap(), &CheckOptions::default());
    assert_eq!(report.unwrap().verdict, Verdict::Pass);
}

/// A draw that is no number is an error that names it.
#[test]
fn draws_are_numbers() {
    let (header, mut input) = of("random-rewind", 8, Reading::default(), Weights::Stepped);
    input.insert("epoch/1/draw".to_string(), Tensor::scalar(f64::NAN));
    let error = replayed(&traces::open(&header, &input).unwrap()).unwrap_err().to_string();
    assert!(error.contains("epoch/1/draw"), "{error}");
}
