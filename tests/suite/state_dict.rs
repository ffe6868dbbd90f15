//! Exchange with PyTorch: what a file must hold, what it may hold, and that everything wrong with it is named at once.

mod foreign;
mod problems;
mod renamed;
mod values;
mod wrapped;

use gdstar::kernel::Window;
use gdstar::nn::{Init, Layer, Network, Parameters};
use gdstar::tensor_file::{Tensor, TensorFile};
use gdstar::{Error, Result};
use safetensors::tensor::TensorView;
use std::collections::BTreeMap;
use std::path::Path;

/// Two convolutions with batch norm and a linear layer; PyTorch's form carries a layer that is never called.
pub fn network() -> Network {
    let window = Window { stride: [1; 2], padding: [1; 2], dilation: [1; 2], groups: 1 };
    let init = Init::Uniform { bound: 0.5 };
    let conv = |inputs| Layer::Conv2d { inputs, outputs: 3, kernel: [3; 2], window, bias: false, init };
    let layer = Layer::sequence([
        ("conv1", conv(1)),
        ("bn1", Layer::BatchNorm { channels: 3, eps: 1e-5 }),
        ("", Layer::Relu),
        ("conv2", conv(3)),
        ("bn2", Layer::BatchNorm { channels: 3, eps: 1e-5 }),
        ("", Layer::GlobalAveragePool),
        ("", Layer::Flatten),
        ("linear", Layer::Linear { inputs: 3, outputs: 2 }),
    ]);
    Network { unused: &["idle.", "scale"], ..Network::new("small", [1, 4, 4], 2, layer) }
}

pub fn parameters() -> Parameters<f32> {
    network().initialise(&mut gdstar::random::stream(1, gdstar::random::Purpose::Initialisation, 0))
}

/// A file of these tensors, which a test may spoil.
type File = BTreeMap<String, Tensor>;

/// What PyTorch writes of [`network`] after 7 batches.
fn whole() -> File {
    gdstar::nn::state_dict::tensors(&parameters(), 7).into_iter().collect()
}

fn parsed(file: &File, metadata: Option<&str>) -> TensorFile {
    let views = file.iter().map(|(name, t)| (name, TensorView::new(t.dtype, t.shape.clone(), &t.bytes).unwrap()));
    let metadata = metadata.map(|key| [(key.to_string(), "{}".to_string())].into_iter().collect());
    TensorFile::parse(Path::new("w.safetensors"), safetensors::serialize(views, metadata).unwrap()).unwrap()
}

fn read(file: &File) -> Result<Parameters<f32>> {
    gdstar::nn::state_dict::read(&parsed(file, None), &network())
}

/// The line of [`told`] that says that `found`.
fn refusal(found: &str) -> String {
    format!("w.safetensors: tensors: expected the state_dict of small, found {found}")
}

/// The one line that a file's problems are told in.
fn told(file: &File) -> String {
    let error = read(file).unwrap_err();
    assert!(matches!(error, Error::StateDict { .. }), "{error}");
    assert_eq!(error.exit_code(), 2);
    let told = error.to_string();
    assert_eq!(told.lines().count(), 1, "{told}");
    told
}

fn floats(shape: &[usize]) -> Tensor {
    Tensor::from_slice(shape, &vec![0.5f32; shape.iter().product()])
}

fn rename(file: &mut File, from: &str, to: &str) {
    let tensor = file.remove(from).unwrap();
    file.insert(to.to_string(), tensor);
}
