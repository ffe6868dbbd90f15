//! Whatever a file holds, a replay ends in a result or a typed error, and never in a panic.

use super::inputs::{Weights, random};
use super::{readings, replayed};
use crate::common::traces;
use crate::goldens::golden;
use gdstar::Error;
use gdstar::oracle::golden::method;
use gdstar::tensor_file::{Tensor, TensorFile};
use gdstar::trace::Trace;
use rand::seq::IteratorRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::Path;

/// One of the two ways in which user input may end.
fn is_typed<T>(outcome: gdstar::Result<T>) -> bool {
    matches!(outcome, Ok(_) | Err(Error::File { .. } | Error::Domain { .. } | Error::Shape { .. }))
}

/// What a header is made of, besides names.
const DIGITS: &[u8] = b"0123456789-e.\"\\{}[],:/";

/// Changes a few bytes, most of them in the header, where structure is.
fn spoil(rng: &mut ChaCha8Rng, bytes: &mut [u8], header: usize) {
    for _ in 0..rng.random_range(1..4) {
        let place =
            if rng.random_range(0..4) > 0 { rng.random_range(8..header) } else { rng.random_range(0..bytes.len()) };
        bytes[place] = match rng.random_range(0..3) {
            0 => rng.random(),
            1 => *DIGITS.iter().choose(rng).unwrap(),
            _ => bytes[place] ^ (1 << rng.random_range(0..8)),
        };
    }
}

#[test]
fn spoilt_bytes_never_panic() {
    let rng = &mut ChaCha8Rng::seed_from_u64(940);
    for (i, reading) in readings().into_iter().enumerate().step_by(5) {
        let (header, input) = random(i as u64, reading, [Weights::Recorded, Weights::Stepped][i % 2]);
        let intact = traces::bytes(&header, &input);
        let length = 8 + u64::from_le_bytes(intact[..8].try_into().unwrap()) as usize;
        for _ in 0..60 {
            let mut bytes = intact.clone();
            spoil(rng, &mut bytes, length);
            let file = TensorFile::parse(Path::new("spoilt.safetensors"), bytes);
            assert!(is_typed(file.and_then(Trace::new).and_then(|trace| replayed(&trace))), "{reading:?}");
        }
    }
}

/// Tensors that are left out, cut short, or hold the ends of the range.
#[test]
fn spoilt_tensors_never_panic() {
    let rng = &mut ChaCha8Rng::seed_from_u64(941);
    for (i, reading) in readings().into_iter().enumerate() {
        for weights in [Weights::Recorded, Weights::Stepped, Weights::Unknown] {
            let (mut header, mut input) = random(i as u64, reading, weights);
            let name = input.keys().choose(rng).unwrap().clone();
            let tensor = &input[&name];
            let extremes = [f64::MAX, -f64::MAX, f64::from_bits(1), 0.0, f64::INFINITY, f64::NAN];
            match rng.random_range(0..4) {
                0 => _ = input.remove(&name),
                1 => _ = input.insert(name.clone(), Tensor::from_slice(&[0], &[0.0; 0])),
                _ => {
                    let extreme = extremes[rng.random_range(0..6)];
                    let values = vec![extreme; tensor.shape.iter().product()];
                    let tensor = Tensor::from_slice(&tensor.shape, &values);
                    input.insert(name.clone(), tensor);
                }
            }
            for (key, values) in [("epochs", [1.0, 9e15]), ("chunks", [9e15, 21.0]), ("lambda", [5e-324, 1.0])] {
                if rng.random_range(0..8) == 0 {
                    header["hyper"][key] = values[rng.random_range(0..2)].into();
                }
            }
            assert!(is_typed(traces::open(&header, &input).and_then(|t| replayed(&t))), "{name}, {reading:?}");
        }
    }
}

/// A spoilt method golden is an error or derives something, and never panics.
#[test]
fn spoilt_method_goldens_never_panic() {
    let rng = &mut ChaCha8Rng::seed_from_u64(942);
    for equation in ["eq6", "eq7", "eq8", "eq10", "eq11", "alg4", "alg6"] {
        let intact = std::fs::read(golden(&format!("method/{equation}.safetensors"))).unwrap();
        let length = 8 + u64::from_le_bytes(intact[..8].try_into().unwrap()) as usize;
        for _ in 0..40 {
            let mut bytes = intact.clone();
            spoil(rng, &mut bytes, length);
            let file = TensorFile::parse(Path::new("spoilt.safetensors"), bytes);
            let Ok((equation, cases)) = file.and_then(|file| method::read(&file)) else { continue };
            for case in cases {
                assert!(is_typed(method::derive(&case, &equation)), "{equation}: {}", case.name);
            }
        }
    }
}
