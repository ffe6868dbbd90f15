//! What a file says of a trained network: which weights are alive, and of what network they are.

use gdstar::data::{self, Source};
use gdstar::method::Method;
use gdstar::nn::state_dict::CHECKPOINT_KEY;
use gdstar::tensor_file::{self, Tensor, TensorFile};
use gdstar::train::{Checkpoint, Config, Run, SavedFile, SavedNetwork, State};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::atomic::AtomicBool;

static GO_ON: AtomicBool = AtomicBool::new(false);

/// A checkpoint of an untrained LeNet-300-100 on the digits, of which the first weight is eliminated.
fn checkpoint(path: &Path, method: Method) {
    let dataset = data::load(Source::Digits, None).unwrap();
    let config = Config::new("lenet300", Source::Digits, method);
    let run = Run::new(&config, &dataset, &GO_ON).unwrap();
    let mut state: State<f32> = run.start().unwrap();
    state.steps = 12;
    *state.weights.parameters[0].value.first_mut().unwrap() = -0.0;
    if state.weights.mask().is_some() {
        state.weights.mask_mut()[0] = false;
    }
    Checkpoint::write(path, &run, &state, None).unwrap();
}

/// Writes the checkpoint again with another header and other tensors, and, as the first ones were, without checksum.
fn edit(path: &Path, change: impl FnOnce(&mut Value, &mut BTreeMap<String, Tensor>)) {
    let file = TensorFile::open(path).unwrap();
    let mut header: Value = serde_json::from_str(file.metadata(CHECKPOINT_KEY).unwrap()).unwrap();
    header.as_object_mut().unwrap().remove("sha256");
    let tensor = |name: &str| match name.starts_with("mask/") {
        true => Tensor::from_array(&file.read::<u8>(name, None).unwrap().view()),
        false => Tensor::from_array(&file.read::<f32>(name, None).unwrap().view()),
    };
    let mut tensors = file.names().map(|name| (name.to_string(), tensor(name))).collect();
    change(&mut header, &mut tensors);
    let metadata = HashMap::from([(CHECKPOINT_KEY.to_string(), header.to_string())]);
    tensor_file::write(path, metadata, &tensors.into_iter().collect::<Vec<_>>()).unwrap();
}

fn read(path: &Path) -> gdstar::Result<SavedNetwork<f32>> {
    let file = SavedFile::open(path)?;
    file.read(file.network()?)
}

fn told(path: &Path) -> String {
    let Err(error) = read(path) else { panic!("{} was read", path.display()) };
    error.to_string()
}

/// A checkpoint's masks decide: a living 0 lives, an eliminated -0 is +0.
#[test]
fn masks_decide_where_there_are_some() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.safetensors");
    checkpoint(&path, Method::Gdstar);
    edit(&path, |_, tensors| tensors.get_mut("fc3.weight").unwrap().bytes[..4].fill(0));
    let saved = read(&path).unwrap();
    assert_eq!((saved.network.name, saved.network.input, saved.network.classes), ("lenet300", [1, 8, 8], 10));
    assert_eq!((saved.has_masks, saved.batches), (true, 12));
    assert_eq!(saved.alive.iter().position(|&alive| !alive), Some(0));
    assert_eq!(saved.sparsity(), 1.0 / 50_200.0);
    assert_eq!(saved.parameters[0].value.first().unwrap().to_bits(), 0, "+0");
}

/// A run that never prunes has no masks: what is 0 counts as eliminated, as in a bare `state_dict`.
#[test]
fn without_masks_zeros_count_as_eliminated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.safetensors");
    checkpoint(&path, Method::Dense);
    let saved = read(&path).unwrap();
    assert!(!saved.has_masks && !saved.alive[0]);
    assert_eq!(saved.sparsity(), 1.0 / 50_200.0);
    edit(&path, |_, tensors| tensors.retain(|name, _| !name.contains('/')));
    let file = TensorFile::open(&path).unwrap();
    let tensors: Vec<(String, Tensor)> =
        file.names().map(|n| (n.to_string(), Tensor::from_array(&file.read::<f32>(n, None).unwrap().view()))).collect();
    tensor_file::write(&path, HashMap::new(), &tensors).unwrap();
    assert!(told(&path).ends_with("metadata: expected the key `gdstar-checkpoint`, found a bare state_dict"));
    let bare = SavedFile::open(&path).unwrap().read::<f32>(saved.network.clone()).unwrap();
    assert_eq!((bare.alive, bare.has_masks, bare.batches), (saved.alive, false, 0));
}

/// A mask that lies, is no mask, or is missing.
#[test]
fn bad_masks_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.safetensors");
    let spoilt = |change: &dyn Fn(&mut BTreeMap<String, Tensor>)| {
        checkpoint(&path, Method::Gdstar);
        edit(&path, |_, tensors| change(tensors));
        told(&path)
    };
    let mask = "mask/fc2.weight";
    let told = spoilt(&|tensors| tensors.get_mut(mask).unwrap().bytes[7] = 0);
    assert!(told.contains("tensor `fc2.weight` at entry 7: expected 0, as its mask says, found "), "{told}");
    let told = spoilt(&|tensors| tensors.get_mut(mask).unwrap().bytes[7] = 2);
    assert!(told.contains("tensor `mask/fc2.weight`: expected 0 or 1, found 2"), "{told}");
    let told = spoilt(&|tensors| drop(tensors.remove(mask)));
    assert!(told.contains("tensor `mask/fc2.weight`: expected to be present"), "{told}");
}

/// The first checkpoints do not say their network's shape; the data set that the configuration names does.
#[test]
fn older_checkpoints_take_the_shape_from_their_data() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.safetensors");
    checkpoint(&path, Method::Gdstar);
    edit(&path, |header, _| drop(header.as_object_mut().unwrap().remove("shape").unwrap()));
    assert_eq!(read(&path).unwrap().network.input, [1, 8, 8]);
}

/// Checkpoints that say nothing of their inputs and labels are read; what one says must make sense.
#[test]
fn an_encoding_may_be_missing_but_not_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.safetensors");
    checkpoint(&path, Method::Gdstar);
    let encoding = data::load(Source::Digits, None).unwrap().encoding();
    assert_eq!(read(&path).unwrap().encoding, Some(encoding));
    edit(&path, |header, _| header["encoding"]["normalisation"]["mean"] = json!([0.1, 0.2]));
    assert!(told(&path).contains("expected a mean and a standard deviation for each of 1 channels, found 2 and 1"));
    edit(&path, |header, _| drop(header.as_object_mut().unwrap().remove("encoding").unwrap()));
    assert_eq!(read(&path).unwrap().encoding, None);
}

/// A header's word is no reason to build a network that no machine holds.
#[test]
fn impossible_shapes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.safetensors");
    for shape in [json!([[1, 1usize << 40, 1usize << 40], 10]), json!([[1, 8, 8], 1usize << 50])] {
        checkpoint(&path, Method::Gdstar);
        edit(&path, |header, _| header["shape"] = shape);
        assert!(told(&path).contains("shape: expected images and classes that the network can take"));
    }
    checkpoint(&path, Method::Gdstar);
    edit(&path, |header, _| header["shape"] = json!([[1, 28, 28], 10]));
    assert!(
        told(&path).contains("misshapen `fc1.weight` (F32 of shape [300, 64], expected floats of shape [300, 784])")
    );
    edit(&path, |header, _| header["format"] = json!("gdstar-checkpoint/9"));
    assert!(told(&path).contains("format: expected gdstar-checkpoint/1, found gdstar-checkpoint/9"));
}
