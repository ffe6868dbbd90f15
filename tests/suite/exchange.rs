//! Exchange with PyTorch: every registered network against PyTorch in f64, from the same weights and batch.
//!
//! `gdstar::oracle::golden::networks` has the files' format, the tolerances and their reasons.

mod faults;
mod generator;
mod probe;

use crate::goldens::golden;
use crate::method_goldens::verified;
use gdstar::kernel::Kernel;
use gdstar::nn::{Mode, Network, hashed, models::MODELS, state_dict};
use gdstar::oracle::golden::networks::{Deviation, NetworkGolden};
use gdstar::tensor_file::{self, Tensor, TensorFile};
use std::collections::{BTreeSet, HashMap};

pub const MODES: [Mode; 2] = [Mode::Training, Mode::EvaluationWithGradients];

/// A file of `golden/models`.
pub fn open(name: &str) -> NetworkGolden {
    let path = golden("models").join(format!("{name}.safetensors"));
    NetworkGolden::open(&path).unwrap_or_else(|e| panic!("no golden file of {name}: {e}"))
}

/// The names of all files of networks.
fn names() -> BTreeSet<String> {
    let files = std::fs::read_dir(golden("models")).unwrap();
    let names = files.map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_string());
    names.filter(|name| name != "hashed").collect()
}

/// The worst of the deviations of `network`, relative to its tolerance.
pub fn worst(golden: &NetworkGolden, network: &Network, kernel: Kernel, mode: Mode) -> Deviation {
    let deviations = golden.deviations(network, kernel, mode).unwrap();
    let excess = |d: &Deviation| if d.relative.is_nan() { f64::INFINITY } else { d.relative / d.tolerance };
    deviations.into_iter().max_by(|a, b| excess(a).total_cmp(&excess(b))).unwrap()
}

/// A network cannot be registered without PyTorch's opinion of it, nor the other way round.
#[test]
fn every_network_has_a_golden_file() {
    let of_files: BTreeSet<String> = names().iter().map(|name| open(name).header.model).collect();
    let registered: BTreeSet<String> = MODELS.iter().map(|entry| entry.name.to_string()).collect();
    assert_eq!(of_files, registered);
}

/// The promise: logits, loss and running statistics to 1e-12, gradients to 1e-10, with batch and with running statistics.
/// `golden verify` holds every tensor to it.
#[test]
fn every_network_agrees_with_pytorch() {
    for name in names() {
        let path = format!("models/{name}.safetensors");
        let file = verified().iter().find(|file| file.path == path).unwrap();
        assert!(file.mismatches.is_empty(), "{name}: {:?}", file.mismatches[0]);
        let header = open(&name).header;
        // Loss, logits and every gradient in two modes; running statistics in one.
        assert_eq!(file.numbers, 2 * (2 + header.gradients.len()) + header.buffers.len(), "{name}");
    }
}

/// The definition agrees as well, where plain loops are quick enough.
#[test]
fn the_literal_kernels_agree_with_pytorch() {
    for name in ["lenet300", "lenet", "resnet20"] {
        let golden = open(name);
        let network = golden.network().unwrap();
        for mode in MODES {
            let worst = worst(&golden, &network, Kernel::Literal, mode);
            assert!(worst.is_tolerable(), "{name}, {mode:?}: {worst:?}");
        }
    }
}

/// Parameters are listed in the order of PyTorch's `named_parameters()`, buffers in that of `named_buffers()`.
#[test]
fn parameters_are_in_the_order_of_pytorch() {
    for entry in MODELS {
        let golden = open(entry.name);
        let specs = golden.network().unwrap().specs();
        let named = |trained: bool| -> Vec<String> {
            let of_role = specs.iter().filter(|spec| spec.role.is_trained() == trained);
            of_role.map(|spec| spec.name.clone()).collect()
        };
        assert_eq!(named(true), golden.header.gradients, "{}", entry.name);
        assert_eq!(named(false), golden.header.buffers, "{}", entry.name);
    }
}

/// The common collection's EfficientNetB0 has an expansion convolution and a batch norm in its first block that it never
/// calls, 1,088 parameters: a file that has them is read, and one with such layers elsewhere is not.
#[test]
fn the_layers_that_efficientnet_never_calls_are_skipped() {
    let network = open("efficientnetb0").network().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    let read_with = |more: Vec<(&str, Tensor)>| {
        let mut tensors = state_dict::tensors(&hashed::parameters::<f32>(&network), 0);
        tensors.extend(more.into_iter().map(|(name, tensor)| (name.to_string(), tensor)));
        tensor_file::write(&path, HashMap::new(), &tensors).unwrap();
        state_dict::read::<f32>(&TensorFile::open(&path).unwrap(), &network)
    };
    let channels = || Tensor::from_slice(&[32], &[0.5_f32; 32]);
    let unused = vec![
        ("layers.0.conv1.weight", Tensor::from_slice(&[32, 32, 1, 1], &[0.5_f32; 1024])),
        ("layers.0.bn1.weight", channels()),
        ("layers.0.bn1.bias", channels()),
        ("layers.0.bn1.running_mean", channels()),
        ("layers.0.bn1.running_var", channels()),
        ("layers.0.bn1.num_batches_tracked", Tensor::from_slice(&[], &[7_i64])),
    ];
    assert_eq!(read_with(unused).unwrap(), hashed::parameters(&network));
    let error = read_with(vec![("layers.0.conv4.weight", channels())]).unwrap_err().to_string();
    assert!(error.contains("unexpected `layers.0.conv4.weight`"), "{error}");
}
