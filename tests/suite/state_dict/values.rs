//! Numbers through files: bits kept where the type is the same, rounded to nearest where it is not, never non-finite.

use super::{network, parameters, parsed, read, whole};
use gdstar::nn::models::MODELS;
use gdstar::nn::{Network, state_dict};
use gdstar::random::Purpose;
use gdstar::scalar::Scalar;
use gdstar::tensor_file::{Element, Tensor};
use half::{bf16, f16};
use safetensors::tensor::Dtype;

/// The largest network that is written and read here; the code is the same for all.
const MOST_PARAMETERS: usize = 2_000_000;

/// What is written is read again, bit for bit, in both precisions.
#[test]
fn networks_survive_the_round_trip() {
    fn round_trip<S: Scalar + Element>(network: &Network) {
        let mut before = network.initialise::<S>(&mut gdstar::random::stream(1, Purpose::Initialisation, 0));
        *before[0].value.first_mut().unwrap() = S::from_f64(-0.0);
        let written = state_dict::tensors(&before, 3);
        let file = parsed(&written.iter().cloned().collect(), None);
        let after = state_dict::read::<S>(&file, network).unwrap();
        assert!(written == state_dict::tensors(&after, 3), "{} in {}", network.name, S::NAME);
    }
    let networks = MODELS.iter().map(|entry| entry.network(entry.input, entry.classes).unwrap());
    let size = |network: &Network| network.specs().iter().map(|s| s.shape.iter().product::<usize>()).sum::<usize>();
    for network in networks.filter(|network| size(network) < MOST_PARAMETERS) {
        round_trip::<f32>(&network);
        round_trip::<f64>(&network);
    }
}

/// PyTorch's order, and one I64 counter of shape `[]` after each batch norm's running variance.
#[test]
fn batch_norms_count_their_batches() {
    let tensors = state_dict::tensors(&parameters(), 7);
    let names: Vec<&str> = tensors.iter().map(|(name, _)| name.as_str()).collect();
    let bn = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"];
    assert_eq!(names[1..6], bn.map(|name| format!("bn1.{name}")));
    assert_eq!(tensors.len(), parameters().len() + 2);
    assert_eq!(tensors[5].1, Tensor { dtype: Dtype::I64, shape: vec![], bytes: 7i64.to_le_bytes().to_vec() });
}

/// 1/3 in every floating-point type becomes the nearest f32 and f64.
#[test]
fn every_floating_point_type_is_read() {
    let third = 1.0 / 3.0;
    let bytes: [(Dtype, Vec<u8>, f64); 4] = [
        (Dtype::F16, f16::from_f64(third).to_le_bytes().to_vec(), f16::from_f64(third).to_f64()),
        (Dtype::BF16, bf16::from_f64(third).to_le_bytes().to_vec(), bf16::from_f64(third).to_f64()),
        (Dtype::F32, (third as f32).to_le_bytes().to_vec(), f64::from(third as f32)),
        (Dtype::F64, third.to_le_bytes().to_vec(), third),
    ];
    for (dtype, number, value) in bytes {
        let mut file = whole();
        file.insert("linear.bias".to_string(), Tensor { dtype, shape: vec![2], bytes: number.repeat(2) });
        let file = parsed(&file, None);
        let single = state_dict::read::<f32>(&file, &network()).unwrap();
        let double = state_dict::read::<f64>(&file, &network()).unwrap();
        assert_eq!(single.get("linear.bias").unwrap().value[[1]], value as f32, "{dtype:?}");
        assert_eq!(double.get("linear.bias").unwrap().value[[1]], value, "{dtype:?}");
    }
}

/// NaN and the infinities are refused with tensor and index, also where a finite f64 has no finite f32.
#[test]
fn non_finite_values_are_refused_with_their_place() {
    for (value, shown) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
        let mut file = whole();
        file.insert("linear.weight".to_string(), Tensor::from_slice(&[2, 3], &[0.0, 0.0, 0.0, 0.0, value, value]));
        let error = read(&file).unwrap_err().to_string();
        let expected = format!("expected a number that is finite in f32, found {shown}");
        assert_eq!(error, format!("w.safetensors: tensor `linear.weight` at [1, 1]: {expected}"));
    }
    let mut file = whole();
    file.insert("linear.bias".to_string(), Tensor::from_slice(&[2], &[1.0, 1e39]));
    let error = read(&file).unwrap_err().to_string();
    assert!(error.contains("tensor `linear.bias` at [1]: expected a number that is finite in f32"), "{error}");
    assert!(state_dict::read::<f64>(&parsed(&file, None), &network()).is_ok());
}
