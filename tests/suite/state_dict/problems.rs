//! Each kind of problem alone, and all of them in one line.

use super::{File, floats, parsed, read, refusal, rename, told, whole};
use gdstar::nn::state_dict::{self, CHECKPOINT_KEY};
use gdstar::tensor_file::Tensor;
use safetensors::tensor::Dtype;

#[test]
fn a_missing_tensor_is_named() {
    let mut file = whole();
    file.remove("bn1.running_mean").unwrap();
    assert_eq!(told(&file), refusal("missing `bn1.running_mean`"));
}

#[test]
fn an_unexpected_tensor_is_named() {
    let mut file = whole();
    file.insert("bn3.weight".to_string(), floats(&[3]));
    assert_eq!(told(&file), refusal("unexpected `bn3.weight`"));
}

#[test]
fn a_misshapen_tensor_is_named_with_both_shapes() {
    let mut file = whole();
    file.insert("linear.weight".to_string(), floats(&[3, 2]));
    let expected = "misshapen `linear.weight` (F32 of shape [3, 2], expected floats of shape [2, 3])";
    assert_eq!(told(&file), refusal(expected));
}

#[test]
fn integers_are_no_weights() {
    let mut file = whole();
    file.insert("linear.bias".to_string(), Tensor::from_slice(&[2], &[1i64, 2]));
    let expected = "misshapen `linear.bias` (I64 of shape [2], expected floats of shape [2])";
    assert_eq!(told(&file), refusal(expected));
}

#[test]
fn a_misnamed_tensor_is_named_with_both_names() {
    let mut file = whole();
    rename(&mut file, "linear.weight", "fc.weight");
    let expected = "misnamed `fc.weight` where `linear.weight` was expected";
    assert_eq!(told(&file), refusal(expected));
}

/// The same shape alone is no likeness: `extra.scale_of_all` is not a renamed `linear.bias`.
#[test]
fn unlike_names_are_not_taken_for_one() {
    let mut file = whole();
    rename(&mut file, "linear.bias", "extra.scale_of_all");
    let expected = "missing `linear.bias`; unexpected `extra.scale_of_all`";
    assert_eq!(told(&file), refusal(expected));
}

/// The nearest names are one tensor's, whatever order they come in: `conv_2.weight` is no renamed `conv1.weight`.
#[test]
fn the_nearest_name_is_taken() {
    let mut file = whole();
    file.remove("bn1.weight").unwrap();
    rename(&mut file, "bn2.weight", "bn_2.weight");
    let expected = "missing `bn1.weight`; misnamed `bn_2.weight` where `bn2.weight` was expected";
    assert_eq!(told(&file), refusal(expected));
}

#[test]
fn all_problems_are_in_one_line() {
    let mut file = whole();
    file.remove("bn1.bias").unwrap();
    file.remove("conv1.weight").unwrap();
    file.insert("line\nbreak".to_string(), floats(&[9]));
    file.insert("linear.bias".to_string(), floats(&[3]));
    file.insert("bn2.num_batches_tracked".to_string(), floats(&[2]));
    rename(&mut file, "conv2.weight", "convolution2.weight");
    assert_eq!(
        told(&file),
        refusal(
            "missing `conv1.weight`, `bn1.bias`; unexpected `line\\nbreak`; \
         misshapen `linear.bias` (F32 of shape [3], expected floats of shape [2]), \
         `bn2.num_batches_tracked` (F32 of shape [2], expected one number); \
         misnamed `convolution2.weight` where `conv2.weight` was expected"
        )
    );
}

/// Batch counters may be there or not: older files, and checkpoints written before they were, have none.
#[test]
fn batch_counters_are_optional() {
    let mut file = whole();
    assert!(file.contains_key("bn1.num_batches_tracked") && read(&file).is_ok());
    file.retain(|name, _| !name.ends_with("num_batches_tracked"));
    assert!(read(&file).is_ok());
    file.insert("linear.num_batches_tracked".to_string(), Tensor::from_slice(&[], &[7i64]));
    assert!(told(&file).ends_with("unexpected `linear.num_batches_tracked`"));
}

/// They count nothing here, so that any one number will do: `.half()` on a whole state_dict rounds them too.
#[test]
fn batch_counters_may_be_of_any_type() {
    let one = [7u8, 0, 0, 0, 0, 0, 0, 0];
    let types = [(Dtype::F16, 2), (Dtype::BF16, 2), (Dtype::F32, 4), (Dtype::F64, 8), (Dtype::I32, 4), (Dtype::U8, 1)];
    for (dtype, bytes) in types {
        for shape in [vec![], vec![1]] {
            let mut file = whole();
            let counter = Tensor { dtype, shape, bytes: one[..bytes].to_vec() };
            file.insert("bn1.num_batches_tracked".to_string(), counter);
            assert!(read(&file).is_ok(), "{dtype:?}");
        }
    }
}

/// However much is wrong, the message is a screen line or two: the first of each list, and how many more there are.
#[test]
fn a_long_list_is_counted() {
    let mut file = File::new();
    for i in 0..2_000 {
        file.insert(format!("some.module.of.another.network.{i:04}"), floats(&[4]));
    }
    let problem = "missing `conv1.weight`, `bn1.weight`, `bn1.bias` and 9 more; unexpected \
                   `some.module.of.another.network.0000`, `some.module.of.another.network.0001`, \
                   `some.module.of.another.network.0002` and 1997 more";
    assert_eq!(told(&file), refusal(problem));
    let mut file = whole();
    let tensors: Vec<(String, Tensor)> = std::mem::take(&mut file).into_iter().collect();
    for (name, tensor) in tensors {
        file.insert(format!("{}.{name}", "n".repeat(5_000)), tensor.clone());
        file.insert(format!("{}.{name}", "m".repeat(5_000)), tensor);
    }
    assert!(told(&file).len() < 1_600, "{}", told(&file));
}

/// What the network's PyTorch form carries and never reads is skipped; what only looks like it is not.
#[test]
fn unused_names_are_skipped() {
    let mut file = whole();
    for name in ["idle.conv1.weight", "idle.bn1.num_batches_tracked", "scale"] {
        file.insert(name.to_string(), floats(&[4]));
    }
    assert!(read(&file).is_ok());
    for name in ["idle", "idler.weight", "scale.weight"] {
        file.insert(name.to_string(), floats(&[4]));
    }
    assert!(told(&file).ends_with("unexpected `idle`, `idler.weight`, `scale.weight`"));
}

/// Momentum, masks and rewind weights belong to a checkpoint of this program, and to no other file.
#[test]
fn a_checkpoint_has_more_than_parameters() {
    let mut file = whole();
    for name in ["mask/linear.weight", "momentum/linear.bias", "rewind/linear.weight"] {
        file.insert(name.to_string(), floats(&[4]));
    }
    let checkpoint = parsed(&file, Some(CHECKPOINT_KEY));
    assert!(state_dict::read::<f32>(&checkpoint, &super::network()).is_ok());
    assert!(told(&file).contains("unexpected `mask/linear.weight`, `momentum/linear.bias`, `rewind/linear.weight`"));
    // Methods keep what they like of a parameter, but of one that there is.
    file.insert("mask/lineal.weight".to_string(), floats(&[4]));
    let error = state_dict::read::<f32>(&parsed(&file, Some(CHECKPOINT_KEY)), &super::network()).unwrap_err();
    assert!(error.to_string().ends_with("unexpected `mask/lineal.weight`"), "{error}");
}
