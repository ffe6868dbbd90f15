//! `gdstar probe` as a port meets it: what it writes, and what it refuses.

use super::{MODES, open};
use crate::cli::{assert_fails, gdstar, text};
use gdstar::kernel::Kernel;
use gdstar::nn::{Mode, Network, Parameters, hashed, models, state_dict};
use gdstar::scalar::Scalar;
use gdstar::tensor_file::{self, Element, Tensor, TensorFile};
use gdstar::train::Step;
use ndarray::ArrayD;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A folder with weights and a batch of a small network with batch norm.
struct Port {
    folder: tempfile::TempDir,
    network: Network,
}

const MODEL: &str = "resnet20";
const INPUT: [usize; 3] = [3, 12, 8];
const CLASSES: usize = 7;
const IMAGES: usize = 4;

type Tensors = Vec<(String, Tensor)>;

impl Port {
    fn new() -> Self {
        let network = models::find(MODEL).unwrap().network(INPUT, CLASSES).unwrap();
        let port = Self { folder: tempfile::tempdir().unwrap(), network };
        port.write("weights", state_dict::tensors(&hashed::parameters::<f64>(&port.network), 0));
        port.write("batch", port.batch());
        port
    }

    fn batch(&self) -> Tensors {
        let labels: Vec<i64> = hashed::labels(IMAGES, CLASSES).into_iter().map(|label| label as i64).collect();
        let input = hashed::inputs::<f32>(IMAGES, INPUT);
        vec![
            ("input".to_string(), Tensor::from_array(&input.view())),
            ("labels".to_string(), Tensor::from_slice(&[IMAGES], &labels)),
        ]
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.safetensors"))
    }

    fn write(&self, name: &str, tensors: Tensors) {
        tensor_file::write(&self.path(name), HashMap::new(), &tensors).unwrap();
    }

    fn arguments(&self, more: &[&str]) -> Vec<String> {
        let [weights, batch, out] =
            ["weights", "batch", "out"].map(|name| self.path(name).to_str().unwrap().to_string());
        let fixed = ["probe", "--model", MODEL, "--weights", &weights, "--batch", &batch, "--out", &out];
        fixed.iter().chain(more).map(ToString::to_string).collect()
    }

    fn run(&self, more: &[&str]) -> TensorFile {
        let arguments = self.arguments(more);
        let output = gdstar(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(output.status.success(), "{}", text(&output.stderr));
        TensorFile::open(&self.path("out")).unwrap()
    }

    /// Refused with these words in one line, and nothing written.
    #[track_caller]
    fn assert_refused(&self, more: &[&str], parts: &[&str]) {
        let arguments = self.arguments(more);
        assert_fails(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), 2, parts);
        assert!(!self.path("out").exists());
    }

    /// Refused with this batch.
    #[track_caller]
    fn assert_batch_refused(&self, spoil: impl FnOnce(&mut Tensors), parts: &[&str]) {
        let mut batch = self.batch();
        spoil(&mut batch);
        self.write("batch", batch);
        self.assert_refused(&[], parts);
        self.assert_refused(&["--eval", "--precision", "f32", "--kernel", "literal"], parts);
    }
}

/// The bits of the library's own step under the names of the specification, and no other tensor.
fn assert_written<S: Scalar + Element>(file: &TensorFile, network: &Network, kernel: Kernel, mode: Mode) {
    let parameters: Parameters<S> = hashed::parameters(network);
    let (x, labels) = (hashed::inputs::<S>(IMAGES, INPUT), hashed::labels(IMAGES, CLASSES));
    let step = Step::compute(network, kernel, &parameters, x, labels, mode, None).unwrap();
    let mut expected =
        vec![("logits".to_string(), step.logits), ("loss".to_string(), ArrayD::from_elem(vec![1], step.loss))];
    let gradients = parameters.iter().zip(step.gradients);
    expected.extend(gradients.filter_map(|(p, gradient)| Some((format!("grad/{}", p.name), gradient?))));
    let buffers = parameters.iter().zip(step.buffers);
    let buffers = buffers.filter_map(|(p, value)| Some((format!("buffer/{}", p.name), value?)));
    expected.extend(buffers);
    assert_eq!(file.names().count(), expected.len());
    for (name, expected) in expected {
        assert_eq!(file.read::<S>(&name, Some(expected.shape())).unwrap(), expected, "{name}");
    }
    let buffers = file.names().filter(|name| name.starts_with("buffer/")).count();
    assert_eq!(buffers, if mode == Mode::Training { 2 * 19 } else { 0 }, "19 batch norms");
}

/// The contract of `gdstar probe`, for an image and a number of classes that are not the paper's.
#[test]
fn probe_writes_what_a_step_computes() {
    let port = Port::new();
    let [training, evaluation] = MODES;
    assert_written::<f64>(&port.run(&[]), &port.network, Kernel::Fast, training);
    assert_written::<f64>(&port.run(&["--eval", "--kernel", "literal"]), &port.network, Kernel::Literal, evaluation);
    assert_written::<f32>(&port.run(&["--precision", "f32"]), &port.network, Kernel::Fast, training);
}

/// `gdstar weights --hashed` writes the weights that the golden files were computed from; PyTorch's names, all of them.
#[test]
fn weights_writes_the_hashed_state_dict() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    let output = gdstar(&["weights", "--model", "lenet", "--hashed", "--out", path.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let golden = open("lenet");
    let network = golden.network().unwrap();
    let read = state_dict::read::<f32>(&TensorFile::open(&path).unwrap(), &network).unwrap();
    assert_eq!(read, hashed::parameters(&network));
}

/// `gdstar weights --seed` writes the W_0 of `gdstar train --seed`.
#[test]
fn weights_writes_the_first_weights_of_training() {
    use gdstar::random::{Purpose, stream};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    let output = gdstar(&["weights", "--model", MODEL, "--seed", "5", "--out", path.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let entry = models::find(MODEL).unwrap();
    let network = entry.network(entry.input, entry.classes).unwrap();
    let read = state_dict::read::<f32>(&TensorFile::open(&path).unwrap(), &network).unwrap();
    assert_eq!(read, network.initialise(&mut stream(5, Purpose::Initialisation, 0)));
}

#[test]
fn weights_refuses_what_no_network_is() {
    let to = ["--out", "never-written.safetensors"];
    let refused = |arguments: &[&str], parts: &[&str]| {
        let all: Vec<&str> = ["weights", "--model"].iter().chain(arguments).chain(&to).copied().collect();
        assert_fails(&all, 2, parts);
        assert!(!Path::new(to[1]).exists());
    };
    refused(&["alexnet"], &["--model", "lenet300", "alexnet"]);
    refused(&["lenet300", "--classes", "0"], &["--classes", "1 to", "found 0"]);
    refused(&["lenet300", "--classes", "10000000000"], &["--classes"]);
    refused(&["lenet300", "--input", "4294967296,4294967296,1"], &["--input"]);
    refused(&["lenet300", "--input", "0,8,8"], &["--input"]);
    refused(&["lenet", "--input", "3,8,8"], &["conv2d", "kernel height"]);
}

#[test]
fn probe_refuses_labels_out_of_range() {
    let port = Port::new();
    for label in [-1, CLASSES as i64] {
        let labels = Tensor::from_slice(&[IMAGES], &[0, 1, label, 0]);
        port.assert_batch_refused(
            |batch| batch[1].1 = labels,
            &["batch.safetensors", "`labels`", "[2]", "0 to 6", &label.to_string()],
        );
    }
}

/// JAX, MLX, TensorFlow and NumPy on Windows make I32, and a loader of bytes U8: the results are those of I64.
#[test]
fn probe_reads_labels_of_any_integer_type() {
    let port = Port::new();
    let results = |labels: Tensor| {
        let mut batch = port.batch();
        batch[1].1 = labels;
        port.write("batch", batch);
        drop(port.run(&[]));
        std::fs::read(port.path("out")).unwrap()
    };
    let expected = results(Tensor::from_slice(&[IMAGES], &[3i64, 1, 0, 6]));
    assert_eq!(results(Tensor::from_slice(&[IMAGES], &[3i8, 1, 0, 6])), expected);
    assert_eq!(results(Tensor::from_slice(&[IMAGES], &[3i16, 1, 0, 6])), expected);
    assert_eq!(results(Tensor::from_slice(&[IMAGES], &[3i32, 1, 0, 6])), expected);
    assert_eq!(results(Tensor::from_slice(&[IMAGES], &[3u8, 1, 0, 6])), expected);
    assert_eq!(results(Tensor::from_slice(&[IMAGES], &[3u16, 1, 0, 6])), expected);
    assert_eq!(results(Tensor::from_slice(&[IMAGES], &[3u32, 1, 0, 6])), expected);
    assert_eq!(results(Tensor::from_slice(&[IMAGES], &[3u64, 1, 0, 6])), expected);
    let beyond = Tensor::from_slice(&[IMAGES], &[3, 1, u64::MAX, 6]);
    Port::new().assert_batch_refused(|batch| batch[1].1 = beyond, &["`labels`", "18446744073709551615"]);
}

#[test]
fn probe_refuses_labels_of_another_kind() {
    let port = Port::new();
    let floats = Tensor::from_slice(&[IMAGES], &[0.0_f32; IMAGES]);
    port.assert_batch_refused(|batch| batch[1].1 = floats, &["`labels`", "I64", "F32"]);
    let more = Tensor::from_slice(&[IMAGES + 1], &[0_i64; IMAGES + 1]);
    port.assert_batch_refused(|batch| batch[1].1 = more, &["`labels`", "shape [4]", "shape [5]"]);
    port.assert_batch_refused(|batch| drop(batch.pop()), &["`labels`", "to be present"]);
}

#[test]
fn probe_refuses_inputs_that_the_network_cannot_take() {
    let port = Port::new();
    let replace = |shape: &[usize]| {
        let zeros = Tensor::from_slice(shape, &vec![0.0_f32; shape.iter().product()]);
        move |batch: &mut Tensors| batch[0].1 = zeros
    };
    port.assert_batch_refused(replace(&[0, 3, 12, 8]), &["batch.safetensors", "`input`", "at least one image"]);
    port.assert_batch_refused(replace(&[4, 3, 0, 8]), &["`input`", "at least one pixel"]);
    port.assert_batch_refused(replace(&[4, 288]), &["`input`", "[n, c, h, w]", "[4, 288]"]);
    // The weights are of a network for three channels.
    port.assert_batch_refused(replace(&[4, 1, 12, 8]), &["weights.safetensors", "conv1.weight"]);
    port.assert_batch_refused(|batch| drop(batch.remove(0)), &["`input`", "to be present"]);
    let integers = Tensor::from_slice(&[4, 3, 12, 8], &vec![0_i64; 4 * 288]);
    port.assert_batch_refused(|batch| batch[0].1 = integers, &["`input`", "F32", "I64"]);
}

#[test]
fn probe_refuses_numbers_that_are_not_finite() {
    let port = Port::new();
    for (x, found) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let mut input = hashed::inputs::<f64>(IMAGES, INPUT);
        input[[1, 2, 3, 4]] = x;
        let input = Tensor::from_array(&input.view());
        port.assert_batch_refused(|batch| batch[0].1 = input, &["batch.safetensors", "`input` at [1, 2, 3, 4]", found]);
    }
    // Beyond f32, though not beyond f64.
    let mut batch = port.batch();
    batch[0].1 = Tensor::from_array(&ArrayD::from_elem(vec![IMAGES, 3, 12, 8], 1e300).view());
    port.write("batch", batch);
    port.assert_refused(&["--precision", "f32"], &["`input` at [0, 0, 0, 0]", "finite in f32"]);
    // Finite weights and inputs whose logits overflow.
    port.write("batch", port.batch());
    let mut weights = state_dict::tensors(&hashed::parameters::<f64>(&port.network), 0);
    let (_, classifier) = weights.iter_mut().find(|(name, _)| name == "linear.weight").unwrap();
    *classifier = Tensor::from_array(&ArrayD::from_elem(vec![CLASSES, 64], f64::MAX).view());
    port.write("weights", weights);
    port.assert_refused(&[], &["batch.safetensors", "finite in f64", "layer linear"]);
}

#[test]
fn probe_refuses_weights_of_another_network() {
    let port = Port::new();
    let mut tensors = state_dict::tensors(&hashed::parameters::<f64>(&port.network), 0);
    tensors.retain(|(name, _)| name != "layer2.1.bn2.running_var");
    port.write("weights", tensors);
    port.assert_refused(&[], &["weights.safetensors", "layer2.1.bn2.running_var"]);
    let lenet = open("lenet").network().unwrap();
    port.write("weights", state_dict::tensors(&hashed::parameters::<f64>(&lenet), 0));
    port.assert_refused(&[], &["weights.safetensors", "`bn1.weight`", "`conv2.weight`", "more"]);
    std::fs::write(port.path("weights"), b"not a file of tensors").unwrap();
    port.assert_refused(&[], &["weights.safetensors", "a safetensors file", "a text", "not a file of tensors"]);
    std::fs::remove_file(port.path("weights")).unwrap();
    port.assert_refused(&[], &["weights.safetensors", "cannot read"]);
}
