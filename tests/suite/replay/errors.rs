//! What a replay cannot start from is said in one line, with the place.

use super::inputs::{Weights, random};
use super::replayed;
use crate::common::traces::{self, Tensors};
use gdstar::Error;
use gdstar::paper::reading::*;
use gdstar::tensor_file::Tensor;
use serde_json::{Value, json};

/// What is wrong with an input, and what the message says.
type Broken = (&'static str, Reading, Weights, fn(&mut Value, &mut Tensors), &'static [&'static str]);

fn rename(tensors: &mut Tensors, from: &str, to: &str) {
    let renamed = std::mem::take(tensors).into_iter().map(|(name, t)| (name.replacen(from, to, 1), t)).collect();
    *tensors = renamed;
}

#[test]
fn every_broken_input_has_its_message() {
    let default = Reading::default();
    let zero = Reading { masked_gradient: MaskedGradient::Zero, ..default };
    let decays = Reading { gradient: GradientOf::LossAndDecay, ..default };
    let per_step = Reading { learning_rate: LearningRateStep::PerStep, ..default };
    let broken: Vec<Broken> = vec![
        (
            "a gap",
            default,
            Weights::Recorded,
            |_, t| rename(t, "epoch/3/", "epoch/4/"),
            &["epoch/3/", "gap", "epoch 4"],
        ),
        ("a late start", default, Weights::Recorded, |_, t| t.retain(|n, _| !n.starts_with("epoch/0/")), &["epoch/0/"]),
        (
            "too many epochs",
            default,
            Weights::Recorded,
            |h, _| h["hyper"]["epochs"] = json!(3),
            &["epoch/3/", "0 to 2"],
        ),
        (
            "no epochs",
            default,
            Weights::Recorded,
            |_, t| t.retain(|n, _| n.starts_with("init")),
            &["epoch/0/batch/0/grad"],
        ),
        (
            "no gradients of a parameter",
            default,
            Weights::Recorded,
            |_, t| t.retain(|n, _| !(n.starts_with("epoch/2/batch") && n.ends_with("/b/w"))),
            &["epoch/2/batch/0/grad/b/w", "present"],
        ),
        (
            "weights of some epochs",
            default,
            Weights::Recorded,
            |_, t| t.retain(|n, _| n != "epoch/1/weights_before/a"),
            &["epoch/1/weights_before/a", "other epochs"],
        ),
        ("no mask", zero, Weights::Unknown, |_, _| (), &["epoch/1/mask_before", "masked_gradient", "zero"]),
        ("no W_0", decays, Weights::Recorded, |_, t| t.retain(|n, _| n != "init/a"), &["init/a", "loss+decay"]),
        (
            "no learning rate",
            decays,
            Weights::Recorded,
            |h, _| _ = h["hyper"].as_object_mut().unwrap().remove("lr"),
            &["hyper", "lr, momentum and weight_decay"],
        ),
        (
            "another number of batches",
            per_step,
            Weights::Stepped,
            |_, t| t.retain(|n, _| !n.starts_with("epoch/2/batch/2")),
            &["epoch/2/batch", "3 batches", "found 2"],
        ),
        (
            "a gradient that is not finite",
            default,
            Weights::Recorded,
            |_, t| {
                let mut values = t["epoch/1/batch/2/grad/a"].numbers();
                values[7] = f64::NAN;
                t.insert("epoch/1/batch/2/grad/a".into(), Tensor::from_slice(&[3, 4], &values));
            },
            &["epoch/1/batch/2/grad/a", "[1, 3]", "NaN"],
        ),
        (
            "a square that overflows",
            default,
            Weights::Recorded,
            |_, t| _ = t.insert("epoch/1/batch/2/grad/b/w".into(), Tensor::from_slice(&[9], &[1e200; 9])),
            &["epoch/1/G/b/w", "[0]", "inf"],
        ),
        (
            "a weight that is not finite",
            default,
            Weights::Recorded,
            |_, t| _ = t.insert("epoch/1/weights_before/bias".into(), Tensor::from_slice(&[2], &[0.0, f64::INFINITY])),
            &["epoch/1/weights_before/bias", "[1]", "inf"],
        ),
    ];
    for (what, reading, weights, spoil, said) in broken {
        let (mut header, mut input) = random(930, reading, weights);
        assert!(replayed(&traces::open(&header, &input).unwrap()).is_ok() || weights == Weights::Unknown, "{what}");
        spoil(&mut header, &mut input);
        let error = match traces::open(&header, &input).and_then(|trace| replayed(&trace)) {
            Ok(_) => panic!("{what}: no error"),
            Err(error) => error,
        };
        assert!(matches!(error, Error::File { .. }), "{what}: {error:?}");
        let message = error.to_string();
        assert!(said.iter().all(|words| message.contains(words)) && !message.contains('\n'), "{what}: {message}");
    }
}
