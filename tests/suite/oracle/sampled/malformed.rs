//! Samples that are none, and bits that are no flags: each one line that names the file and the place.

use super::super::checked::write;
use super::super::port::{Fault, Precision, header, run, serialize};
use super::super::variants::standard;
use super::thin::{Thinning, thin};
use gdstar::oracle::replay::replay;
use gdstar::oracle::{CheckOptions, check};
use gdstar::tensor_file::Tensor;
use serde_json::{Value, json};

type Tensors = Vec<(String, Tensor)>;

/// A sound sample of a small trace, and its first parameter.
fn sound() -> (Value, Tensors, String) {
    let config = standard(31, Precision::F32);
    let names: Vec<String> = config.parameters.iter().map(|p| p.name.clone()).collect();
    let thinning = Thinning { share: Some(0.5), least: 8, whole_masks: true, packed: true };
    let tensors = serialize(&config, &run(&config, Fault::None));
    let (header, tensors) = thin(&header(&config), &tensors, &names, thinning);
    let first = header["params"][0].as_str().unwrap().to_string();
    (header, tensors, first)
}

/// The error of what a change makes of a sound trace.
fn error(change: impl Fn(&mut Value, &mut Tensors, &str)) -> String {
    let (mut header, mut tensors, parameter) = sound();
    change(&mut header, &mut tensors, &parameter);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("port.safetensors");
    write(&path, &header, &tensors);
    let error = check(&path, &CheckOptions::default()).expect_err("a malformed sample is checked");
    let told = error.to_string();
    assert_eq!((error.exit_code(), told.lines().count()), (2, 1), "{told}");
    assert!(told.contains("port.safetensors"), "{told}");
    told
}

fn tensor<'t>(tensors: &'t mut Tensors, name: &str) -> &'t mut Tensor {
    &mut tensors.iter_mut().find(|(own, _)| own == name).unwrap_or_else(|| panic!("no {name}")).1
}

#[track_caller]
fn names(told: &str, parts: &[&str]) {
    assert!(parts.iter().all(|part| told.contains(part)), "{told}: {parts:?}");
}

/// Other coordinates than the hash's are refused: one that is exchanged, one more, one less, none.
#[test]
fn coordinates_are_those_of_the_hash() {
    let told = error(|_, tensors, p| {
        let list = tensor(tensors, &format!("sample/{p}"));
        let at = list.bytes.len() - 8;
        let last = i64::from_le_bytes(list.bytes[at..].try_into().unwrap());
        list.bytes[at..].copy_from_slice(&(last + 1).to_le_bytes());
    });
    names(&told, &["tensor `sample/", "index [", "the hash"]);
    let told = error(|_, tensors, p| tensor(tensors, &format!("sample/{p}")).bytes[7] = 0xff);
    names(&told, &["tensor `sample/", "index [0]"]);
    for more in [true, false] {
        let told = error(|_, tensors, p| {
            for (name, tensor) in tensors.iter_mut().filter(|(name, _)| name.ends_with(&format!("/{p}"))) {
                if ["mask", "selected"].iter().any(|flags| name.contains(flags)) {
                    continue;
                }
                let (n, size) = (tensor.shape[0], tensor.bytes.len() / tensor.shape[0]);
                tensor.shape[0] = if more { n + 1 } else { n - 1 };
                tensor.bytes.resize(tensor.shape[0] * size, 0);
            }
        });
        names(&told, &["tensor `sample/"]);
    }
    let told = error(|_, tensors, p| tensors.retain(|(name, _)| *name != format!("sample/{p}")));
    names(&told, &["beside it a tensor `sample/"]);
    let told = error(|header, _, _| header["sample"]["share"] = json!(0.75));
    names(&told, &["tensor `sample/"]);
    let told = error(|header, _, p| header["shapes"][p] = json!([1_u64 << 40, 64]));
    names(&told, &["tensor `"]);
    let told = error(|_, tensors, p| {
        let list = tensor(tensors, &format!("sample/{p}"));
        *list = Tensor::from_slice(&[list.bytes.len() / 8], &vec![0.0_f64; list.bytes.len() / 8]);
    });
    names(&told, &["tensor `sample/", "I64"]);
}

#[test]
fn what_a_header_says_of_a_sample_is_in_range() {
    for share in [json!(0), json!(-0.5), json!(1.5), json!("nan"), json!(1e-9), json!(null), json!("half")] {
        let told = error(|header, _, _| header["sample"]["share"] = share.clone());
        names(&told, &["metadata `gdstar`: sample: share"]);
    }
    for (key, value) in [("least", json!(-1)), ("least", json!(0.5)), ("masks", json!("half")), ("seed", json!(1))] {
        let told = error(|header, _, _| header["sample"][key] = value.clone());
        names(&told, &["metadata `gdstar`: sample", key]);
    }
    names(&error(|header, _, _| header["sample"] = json!(0.5)), &["metadata `gdstar`: sample", "an object"]);
    names(&error(|header, _, _| header["masks"] = json!("bits")), &["metadata `gdstar`: masks"]);
    for shapes in [json!([]), json!({"p": 3}), json!({"p": [-1]}), json!({"p": [1_u64 << 40, 1_u64 << 40]})] {
        names(&error(|header, _, _| header["shapes"] = shapes.clone()), &["metadata `gdstar`: shapes"]);
    }
    let told = error(|header, _, p| drop(header["shapes"].as_object_mut().unwrap().remove(p)));
    names(&told, &["`shapes`"]);
}

#[test]
fn bits_are_flags_and_as_many() {
    let (header, _, p) = sound();
    let size: u64 = header["shapes"][&p].as_array().unwrap().iter().map(|extent| extent.as_u64().unwrap()).product();
    // Shapes of the simulated port leave bits over.
    assert_ne!(size % 8, 0);
    let told = error(|_, tensors, p| *tensor(tensors, &format!("epoch/3/mask/{p}")).bytes.last_mut().unwrap() |= 0x80);
    names(&told, &["tensor `epoch/3/mask/", "bit ", "after the last"]);
    let told = error(|_, tensors, p| {
        let mask = tensor(tensors, &format!("epoch/3/mask/{p}"));
        mask.bytes.push(0);
        mask.shape[0] += 1;
    });
    names(&told, &["tensor `epoch/3/mask/", "shape ["]);
    let told = error(|_, tensors, p| {
        let gradient = tensor(tensors, &format!("epoch/3/batch/0/grad/{p}"));
        *gradient = Tensor::from_slice(&[1], &[0.0_f32]);
    });
    names(&told, &["tensor `epoch/3/batch/0/grad/", "shape ["]);
}

/// A replay needs all gradients, and says so.
#[test]
fn a_sample_is_not_replayed() {
    let (header, tensors, _) = sound();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("port.safetensors");
    write(&path, &header, &tensors);
    let told = replay(&path, &directory.path().join("out.safetensors"), &mut |_, _| {}).unwrap_err().to_string();
    names(&told, &["port.safetensors", "metadata `gdstar`: sample", "a replay adds up the gradients of all weights"]);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}
