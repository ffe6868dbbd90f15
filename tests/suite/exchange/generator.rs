//! Weights, inputs and labels from hashes: the same numbers in Python and in Rust.

use crate::goldens::golden;
use gdstar::nn::hashed;
use gdstar::oracle::golden::{self as oracle, Verified};
use gdstar::tensor_file::{self, Tensor, TensorFile};
use safetensors::Dtype;
use std::collections::HashMap;

/// What `golden verify` says of the values that Python made, after `change` was made to them.
fn verify(change: impl FnOnce(&mut HashMap<String, Tensor>)) -> Verified {
    let file = TensorFile::open(&golden("models/hashed.safetensors")).unwrap();
    let read = |name: &str| match file.describe(name).unwrap().0 {
        Dtype::I64 => Tensor::from_array(&file.read::<i64>(name, None).unwrap().view()),
        _ => Tensor::from_array(&file.read::<f32>(name, None).unwrap().view()),
    };
    let mut tensors = file.names().map(|name| (name.to_string(), read(name))).collect();
    change(&mut tensors);
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("models")).unwrap();
    let path = folder.path().join("models/hashed.safetensors");
    tensor_file::write(&path, HashMap::new(), &tensors.into_iter().collect::<Vec<_>>()).unwrap();
    let sha256 = oracle::sha256(&path).unwrap();
    let manifest = format!("[[file]]\npath = \"models/hashed.safetensors\"\nsha256 = \"{sha256}\"\n");
    std::fs::write(folder.path().join("MANIFEST"), manifest).unwrap();
    oracle::verify(folder.path()).unwrap().remove(0)
}

/// The promise: a language-neutral generator, reproduced in Python and Rust, bit for bit.
#[test]
fn python_and_rust_make_the_same_numbers() {
    let verified = verify(|_| ());
    assert_eq!(verified.mismatches, []);
    let inputs = 2 * (28 * 28 + 3 * 32 * 32);
    assert!(verified.numbers > inputs, "{} numbers", verified.numbers);
}

/// Its comparison has teeth: the neighbour of a number, another label, and a tensor of no rule are noticed.
#[test]
fn other_numbers_are_noticed() {
    let nudged = verify(|tensors| tensors.get_mut("parameter/conv1.weight").unwrap().bytes[4] ^= 1);
    assert_eq!((nudged.mismatches.len(), nudged.mismatches[0].index.clone()), (1, vec![1]));
    let label = verify(|tensors| tensors.get_mut("labels/10").unwrap().bytes[8] ^= 1);
    assert_eq!((label.mismatches.len(), label.mismatches[0].tensor.as_str()), (1, "labels/10"));
    let unknown = verify(|tensors| _ = tensors.insert("weights/fc".to_string(), Tensor::scalar(1.0_f32)));
    assert!(unknown.mismatches[0].got.contains("weights/fc"), "{:?}", unknown.mismatches);
}

/// The range that the rules promise, and that different names and positions get different numbers.
#[test]
fn parameters_are_in_their_ranges() {
    let weight = hashed::parameter::<f32>("layer1.0.conv1.weight", &[64, 3, 3, 3]);
    // 4^-2 27 <= 6 < 4^-1 27.
    assert!(weight.iter().all(|w| (-0.25..0.25).contains(w)) && weight.iter().any(|w| w.abs() > 0.24));
    let scale = hashed::parameter::<f32>("bn1.weight", &[512]);
    assert!(scale.iter().all(|w| (0.75..1.25).contains(w)));
    let variance = hashed::parameter::<f32>("bn1.running_var", &[512]);
    assert!(variance.iter().all(|w| (0.75..1.25).contains(w)) && variance != scale);
    let shift = hashed::parameter::<f32>("bn1.bias", &[512]);
    assert!(shift.iter().all(|w| (-0.125..0.125).contains(w)));
    let mut sorted: Vec<f32> = shift.iter().copied().collect();
    sorted.sort_by(f32::total_cmp);
    sorted.dedup();
    // 512 draws of 2^24 numbers coincide in 0.008 pairs on average.
    assert_eq!(sorted.len(), 512);
}
