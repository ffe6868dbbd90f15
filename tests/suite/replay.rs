//! `gdstar replay`: every real quantity within 1 ulp of the exact value for the operands recorded beside it, decisions
//! exact, every reading, partial inputs, and errors.

mod errors;
mod exact;
mod hostile;
mod inputs;
mod other_methods;
mod stepping;

use crate::common::traces::{self, Tensors, floats, scalar};
use gdstar::oracle::replay::{Replayed, replay, replay_trace};
use gdstar::oracle::{CheckOptions, Verdict, check, check_trace};
use gdstar::paper::reading::*;
use gdstar::trace::Trace;
use inputs::{Weights, random};
use std::process::Command;

/// A replay in memory.
fn replayed(input: &Trace) -> gdstar::Result<(Replayed, Tensors)> {
    let mut all = Tensors::new();
    let replayed = replay_trace(input, &mut all, &mut |_, _| ())?;
    Ok((replayed, all))
}

/// Readings that make every choice of the format at least once, together with its neighbours.
fn readings() -> Vec<Reading> {
    let default = Reading::default();
    let mut readings = vec![default];
    for &masked_gradient in MaskedGradient::ALL {
        for &quantile in QuantileRule::ALL {
            for &chunking in Chunking::ALL {
                readings.push(Reading { masked_gradient, quantile, chunking, ..default });
            }
        }
        for &threshold in Threshold::ALL {
            for &rewind_update in RewindUpdate::ALL {
                for &rewind_copy in RewindCopy::ALL {
                    readings.push(Reading { masked_gradient, threshold, rewind_update, rewind_copy, ..default });
                }
            }
        }
    }
    for &decay_step in DecayStep::ALL {
        for &epoch_origin in EpochOrigin::ALL {
            for &learning_rate in LearningRateStep::ALL {
                readings.push(Reading { decay_step, epoch_origin, learning_rate, ..default });
            }
        }
    }
    for &gradient in GradientOf::ALL {
        for &masked_gradient in MaskedGradient::ALL {
            for &momentum_on_prune in MomentumOnPrune::ALL {
                readings.push(Reading { gradient, masked_gradient, momentum_on_prune, ..default });
            }
        }
    }
    readings
}

/// The promise: under every reading each quantity is within 1 ulp of the exact value for its recorded operands, every
/// decision is the one its operands show, and `gdstar check` passes the whole.
#[test]
fn every_quantity_under_every_reading() {
    for (seed, reading) in readings().into_iter().enumerate() {
        for weights in [Weights::Recorded, Weights::Stepped] {
            let decays = reading.gradient == GradientOf::LossAndDecay;
            let (header, input) = random(seed as u64, reading, if decays { Weights::Stepped } else { weights });
            let who = format!("seed {seed}, {weights:?}, {reading:?}");
            let trace = traces::open(&header, &input).unwrap();
            let (replayed, all) = replayed(&trace).unwrap_or_else(|e| panic!("{who}: {e}"));
            let result = traces::open(&replayed.header.to_json(), &all).unwrap();
            exact::verify(&who, &result, &all);
            let report = check_trace(&result, &CheckOptions::default()).unwrap();
            assert_eq!(report.verdict, Verdict::Pass, "{who}: {:?}", report.findings.first());
            assert_eq!(report.ambiguous, 0, "{who}");
            assert!(report.checked.contains(&"eq9") && report.checked.contains(&"alg6"), "{who}: {:?}", report.checked);
            assert_eq!(report.checked.contains(&"alg1"), weights == Weights::Stepped || decays, "{who}");
        }
    }
}

/// Gradients whose squares underflow, and some that nearly overflow, are no exception.
#[test]
fn squares_at_the_ends_of_the_range() {
    for (seed, scale) in [(900, -530), (901, -545), (902, -460), (903, 490), (904, -1000)] {
        let (header, mut input) = random(seed, Reading::default(), Weights::Recorded);
        for (name, tensor) in input.iter_mut().filter(|(name, _)| name.contains("/grad/")) {
            let mixed = |j: usize, g: f64| if j % 5 == 4 && !name.contains("/0/") { g } else { libm::ldexp(g, scale) };
            let values: Vec<f64> = tensor.numbers().into_iter().enumerate().map(|(j, g)| mixed(j, g)).collect();
            *tensor = gdstar::tensor_file::Tensor::from_slice(&tensor.shape, &values);
        }
        let (replayed, all) = replayed(&traces::open(&header, &input).unwrap()).unwrap();
        exact::verify(&format!("2^{scale}"), &traces::open(&replayed.header.to_json(), &all).unwrap(), &all);
    }
}

/// Without weights Eq. 1 to 8 are computed, and it is said that the rest is not.
#[test]
fn without_weights_eq_1_to_8() {
    let (header, input) = random(910, Reading::default(), Weights::Unknown);
    let (replayed, all) = replayed(&traces::open(&header, &input).unwrap()).unwrap();
    assert!(replayed.notes.iter().any(|note| note.contains("only Eq. 1 to 8")), "{:?}", replayed.notes);
    let result = traces::open(&replayed.header.to_json(), &all).unwrap();
    for name in ["S_abs", "S_sq", "S_F", "min_before", "k_star", "alpha", "chunk_quantiles", "tau", "t"] {
        assert!(result.has(&format!("epoch/0/{name}")), "{name}");
    }
    for name in ["weights_before", "weights_after", "rewind", "mask"] {
        assert!(!result.has(&format!("epoch/0/{name}/a")), "{name}");
    }
    assert!(!result.has("epoch/1/mask_before/a"));
    let report = check_trace(&result, &CheckOptions::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Pass, "{:?}", report.findings.first());
    for equation in ["eq1", "eq2", "eq3", "eq4", "eq5", "eq6", "eq7", "eq8", "alg4"] {
        assert!(report.checked.contains(&equation), "{equation}");
    }
}

/// The input's mask counts where it has one, and a difference from what the replay left is said.
#[test]
fn a_recorded_mask_is_used() {
    let reading = Reading { masked_gradient: MaskedGradient::Zero, ..Reading::default() };
    let (header, mut input) = random(911, reading, Weights::Recorded);
    let mut flags = vec![1_u8; 12];
    flags[3] = 0;
    input.insert("epoch/1/mask_before/a".into(), gdstar::tensor_file::Tensor::from_slice(&[3, 4], &flags));
    let (replayed, all) = replayed(&traces::open(&header, &input).unwrap()).unwrap();
    assert_eq!(floats(&all, "epoch/1/mask_before/a"), flags.iter().map(|&f| f64::from(f)).collect::<Vec<_>>());
    assert_eq!(floats(&all, "epoch/1/G/a")[3], 0.0);
    assert_eq!(floats(&all, "epoch/1/weights_before/a")[3], 0.0);
    assert!(replayed.notes.iter().any(|note| note.starts_with("epoch 1: the input's mask")), "{:?}", replayed.notes);
    assert!(replayed.notes.iter().any(|note| note.contains("are not 0")), "{:?}", replayed.notes);
}

/// The command: a file in, a file out that is the same as in memory, and passes; nothing else is left behind.
#[test]
fn the_command_writes_a_trace_that_passes() {
    let folder = tempfile::tempdir().unwrap();
    let (header, input) = random(912, Reading::default(), Weights::Stepped);
    let (from, to) = (folder.path().join("in.safetensors"), folder.path().join("out.safetensors"));
    std::fs::write(&from, traces::bytes(&header, &input)).unwrap();
    let run = |arguments: &[&str]| Command::new(env!("CARGO_BIN_EXE_gdstar")).args(arguments).output().unwrap();
    let done = run(&["replay", from.to_str().unwrap(), "--out", to.to_str().unwrap()]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(done.stdout.is_empty() && done.stderr.is_empty(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(check(&to, &CheckOptions::default()).unwrap().verdict, Verdict::Pass);
    let (_, all) = replayed(&Trace::open(&from).unwrap()).unwrap();
    let file = gdstar::tensor_file::TensorFile::open(&to).unwrap();
    assert_eq!(file.names().collect::<Vec<_>>(), all.keys().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(file.read::<f64>("epoch/2/tau", None).unwrap()[[0]], scalar(&all, "epoch/2/tau"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    let onto_itself = run(&["replay", from.to_str().unwrap(), "--out", from.to_str().unwrap()]);
    assert_eq!(onto_itself.status.code(), Some(2));
    let second = folder.path().join("again.safetensors");
    let mut seen = Vec::new();
    replay(&to, &second, &mut |done, total| seen.push((done, total))).unwrap();
    // Every gradient is told once, and the last one is the end.
    let gradients = inputs::EPOCHS * inputs::BATCHES * inputs::SHAPES.len();
    assert_eq!(seen, (1..=gradients).map(|done| (done, gradients)).collect::<Vec<_>>());
    assert_eq!(check(&second, &CheckOptions::default()).unwrap().verdict, Verdict::Pass);
}
