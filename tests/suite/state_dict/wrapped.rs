//! Wrappers put a prefix before every name: it is left out, said, and no other prefix is taken for one.

use super::{File, floats, network, parsed, refusal, rename, told, whole};
use gdstar::nn::models;
use gdstar::nn::state_dict::{Names, read};

/// The same tensors, each below `prefix`.
fn below(prefix: &str, file: &File) -> File {
    file.iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor.clone())).collect()
}

/// DataParallel's `module.`, torch.compile's `_orig_mod.`, a wrapper's `model.`, and several of them.
#[test]
fn a_prefix_on_every_name_is_left_out_and_told() {
    let network = network();
    let plain = read::<f32>(&parsed(&whole(), None), &network).unwrap();
    for prefix in ["module.", "_orig_mod.", "model.", "module._orig_mod.", "a.b.c."] {
        let mut file = whole();
        file.insert("idle.weight".to_string(), floats(&[4]));
        let file = parsed(&below(prefix, &file), None);
        assert_eq!(read::<f32>(&file, &network).unwrap(), plain);
        let expected = format!(
            "w.safetensors: read without the prefix `{prefix}` of its names, and without `{prefix}idle.weight`, which \
             small never uses"
        );
        assert_eq!(Names::find(&file, &network).remark(), Some(expected));
    }
    assert_eq!(Names::find(&parsed(&whole(), None), &network).remark(), None);
}

/// What is wrong below a prefix is told by the network's names, and what is beside it by the file's.
#[test]
fn problems_below_a_prefix_are_told() {
    let mut file = below("module.", &whole());
    rename(&mut file, "module.linear.weight", "module.fc.weight");
    let expected = "misnamed `module.fc.weight` where `linear.weight` was expected";
    assert_eq!(told(&file), refusal(expected).replace("small", "small below `module.`"));
    let mut file = below("model.", &whole());
    file.insert("criterion.weight".to_string(), floats(&[2]));
    let expected = "unexpected `criterion.weight`";
    assert_eq!(told(&file), refusal(expected).replace("small", "small below `model.`"));
}

/// Two sets of parameters in one file (an average beside the model), and some names alone below a prefix: none is
/// chosen.
#[test]
fn no_prefix_is_guessed() {
    let mut file = below("model.", &whole());
    file.extend(below("ema.", &whole()));
    assert!(told(&file).starts_with(&refusal("")));
    let mut file = whole();
    rename(&mut file, "conv1.weight", "module.conv1.weight");
    let expected = "misnamed `module.conv1.weight` where `conv1.weight` was expected";
    assert_eq!(told(&file), refusal(expected));
}

/// torchvision's Inception v3 has an auxiliary classifier, which is of use in training alone.
#[test]
fn torchvisions_auxiliary_classifier_is_left_out() {
    let entry = models::find("inceptionv3").unwrap();
    let network = entry.network(entry.input, entry.classes).unwrap();
    let first = network.first_parameters::<f32>(0);
    let mut file: File = gdstar::nn::state_dict::tensors(&first, 1).into_iter().collect();
    for name in ["conv0.conv.weight", "conv0.bn.weight", "conv1.bn.num_batches_tracked", "fc.weight", "fc.bias"] {
        file.insert(format!("AuxLogits.{name}"), floats(&[4]));
    }
    let file = parsed(&file, None);
    assert!(read::<f32>(&file, &network).is_ok_and(|read| read == first));
    let told = Names::find(&file, &network).remark().unwrap();
    assert!(told.contains("`AuxLogits.conv0.bn.weight`") && told.contains("and 2 more, which inceptionv3 never uses"));
}
