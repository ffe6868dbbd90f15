//! Random inputs of a replay.

use crate::common::traces::Tensors;
use gdstar::paper::reading::Reading;
use gdstar::tensor_file::Tensor;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

/// What the input says of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weights {
    /// `init` and `weights_before`.
    Recorded,
    /// `init` alone.
    Stepped,
    /// Nothing.
    Unknown,
}

pub const EPOCHS: usize = 4;
pub const BATCHES: usize = 3;
/// Two parameters of W, and one that is not.
pub const SHAPES: [(&str, &[usize]); 3] = [("a", &[3, 4]), ("b/w", &[9]), ("bias", &[2])];

/// A number with a full significand, of either sign, between 2^-6 and 2^2; now and then 0.
fn number(rng: &mut ChaCha8Rng) -> f64 {
    let significand = 1.0 + (rng.random::<u64>() >> 12) as f64 * f64::EPSILON;
    match rng.random_range(0..12) {
        0 => 0.0,
        i => libm::ldexp(significand, rng.random_range(-6..2)) * if i % 2 == 0 { 1.0 } else { -1.0 },
    }
}

/// A header and its tensors. The learning rate is small against the weights, so that no step cancels all of one.
pub fn random(seed: u64, reading: Reading, weights: Weights) -> (Value, Tensors) {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let mut tensors = Tensors::new();
    let mut draw = |rng: &mut ChaCha8Rng, name: String, shape: &[usize]| {
        let values: Vec<f64> = (0..shape.iter().product()).map(|_| number(rng)).collect();
        tensors.insert(name, Tensor::from_slice(shape, &values));
    };
    let first = reading.epoch_origin.first();
    for (name, shape) in SHAPES {
        if weights != Weights::Unknown {
            draw(rng, format!("init/{name}"), shape);
        }
        for k in first..first + EPOCHS {
            for i in 0..BATCHES {
                draw(rng, format!("epoch/{k}/batch/{i}/grad/{name}"), shape);
            }
            if weights == Weights::Recorded {
                draw(rng, format!("epoch/{k}/weights_before/{name}"), shape);
            }
        }
    }
    let rate = |rng: &mut ChaCha8Rng| (rng.random::<u64>() >> 11) as f64 / (1_u64 << 53) as f64;
    let mut reading = serde_json::to_value(reading).unwrap();
    for key in ["last_batch", "evaluation", "initial_weights", "decayed"] {
        reading.as_object_mut().unwrap().remove(key);
    }
    let header = json!({
        "format": "gdstar-trace/1", "producer": "a test", "dtype": "f64",
        "hyper": {
            "epochs": EPOCHS, "alpha_0": rate(rng), "alpha_K": rate(rng), "lambda": 0.5 + rate(rng) / 2.0,
            "eps": 0.2 * rate(rng), "chunks": rng.random_range(1..6), "lr": 0.01 * rate(rng), "momentum": rate(rng),
            "weight_decay": 0.1 * rate(rng), "batch_size": 8,
        },
        "reading": reading,
        "params": ["a", "b/w"],
    });
    (header, tensors)
}
