//! One forward and backward of a network from files: how a port asks for the exact loss, logits and gradients of its
//! own weights and batch. `gdstar probe` is the command.
//!
//! | file | tensor | meaning |
//! |---|---|---|
//! | weights | as [`state_dict`] reads them | parameters and running statistics by PyTorch's names |
//! | batch | `input` | F16, BF16, F32 or F64 `[n, c, h, w]`, converted to the precision |
//! | | `labels` | integers of any type `[n]`, from 0 |
//! | results | `logits` | `[n, classes]` |
//! | | `loss` | `[1]`: mean cross-entropy |
//! | | `grad/<name>` | the loss's gradient with respect to each parameter, of its shape |
//! | | `buffer/<name>` | each running statistic after the batch (training only) |
//!
//! The image may be of any size that the architecture takes, and the classifier's weight says how many classes there
//! are. Dropout and stochastic depth are off.

use super::{Checkpoint, Step};
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::nn::models::Entry;
use crate::nn::state_dict::{self, CHECKPOINT_KEY, Names, read_finite};
use crate::nn::{Mode, Network, Parameters, Role};
use crate::scalar::Scalar;
use crate::tensor_file::{Element, Tensor, TensorFile};
use ndarray::ArrayD;

/// A batch of images with labels.
struct Batch<S> {
    /// `[n, c, h, w]`, n at least 1, every value finite.
    input: ArrayD<S>,
    labels: Vec<usize>,
}

/// Runs `model` with the weights and the batch of these files, and returns the results' names and tensors, of type `S`.
///
/// # Errors
/// [`Error::File`] naming the file and the tensor that is missing, malformed, not finite or out of range, or that the
/// network cannot take; [`Error::StateDict`] naming all tensors that differ from the network's; [`Error::Shape`] where a
/// layer cannot work on the batch.
pub fn probe<S: Scalar + Element>(
    model: &Entry,
    weights: &TensorFile,
    batch: &TensorFile,
    mode: Mode,
    kernel: Kernel,
) -> Result<Vec<(String, Tensor)>> {
    if weights.metadata(CHECKPOINT_KEY).is_some() {
        Checkpoint::header(weights)?;
    }
    let network = network(model, weights, batch)?;
    let parameters = state_dict::read::<S>(weights, &network)?;
    let Batch { input, labels } = read_batch(batch, network.classes)?;
    let step = Step::compute(&network, kernel, &parameters, input, labels, mode, None)?;
    if let Some((quantity, value)) = step.non_finite(&parameters) {
        let expected = format!("one on which everything is finite in {}", S::NAME);
        return Err(Error::file(batch.path(), "batch", expected, format!("{quantity} is {value}")));
    }
    Ok(results(&parameters, step))
}

/// The network for the images in `batch`, with as many classes as the classifier in `weights` has.
///
/// # Errors
/// [`Error::File`] naming `batch` if there are no images in it that the network can take.
pub fn network(model: &Entry, weights: &TensorFile, batch: &TensorFile) -> Result<Network> {
    let bad = |expected: &str, found: String| Error::file(batch.path(), "tensor `input`", expected, found);
    let Some((_, shape)) = batch.describe("input") else { return Err(bad("to be present", "nothing".to_string())) };
    let &[n, c, h, w] = shape else { return Err(bad("shape [n, c, h, w]", format!("shape {shape:?}"))) };
    if [n, c, h, w].contains(&0) {
        return Err(bad("at least one image of at least one pixel", format!("shape {shape:?}")));
    }
    let fitting = |classes| {
        let fits = model.network([c, h, w], classes);
        fits.map_err(|e| bad("images that the network can take", e.to_string()))
    };
    let network = fitting(model.classes)?;
    // A file without such a tensor is refused, by name, when it is read.
    let classifier = network.specs().into_iter().rfind(|spec| spec.role == Role::Weight);
    let names = Names::find(weights, &network);
    let shape = classifier.and_then(|spec| Some(weights.describe(&names.in_file(&spec.name))?.1.to_vec()));
    match shape.as_deref() {
        Some(&[classes, _]) if classes > 0 => fitting(classes),
        _ => Ok(network),
    }
}

fn read_batch<S: Scalar>(file: &TensorFile, classes: usize) -> Result<Batch<S>> {
    let input = read_finite::<S>(file, "input", None)?;
    let labels = file.read_integers("labels", Some(&input.shape()[..1]))?;
    let checked = |(i, &label): (usize, &i64)| match usize::try_from(label) {
        Ok(label) if label < classes => Ok(label),
        _ => {
            let place = format!("tensor `labels` at [{i}]");
            Err(Error::file(file.path(), place, format!("a class, 0 to {}", classes - 1), label))
        }
    };
    let labels = labels.iter().enumerate().map(checked).collect::<Result<_>>()?;
    Ok(Batch { input, labels })
}

fn results<S: Scalar + Element>(parameters: &Parameters<S>, step: Step<S>) -> Vec<(String, Tensor)> {
    let mut results = vec![
        ("logits".to_string(), Tensor::from_array(&step.logits.view())),
        ("loss".to_string(), Tensor::scalar(step.loss)),
    ];
    for (parameter, gradient) in parameters.iter().zip(step.gradients) {
        if parameter.role.is_trained() {
            // The loss does not depend on a parameter without gradient.
            let gradient = gradient.unwrap_or_else(|| ArrayD::from_elem(parameter.value.raw_dim(), S::ZERO));
            results.push((format!("grad/{}", parameter.name), Tensor::from_array(&gradient.view())));
        }
    }
    for (parameter, value) in parameters.iter().zip(step.buffers) {
        let value = value.map(|value| (format!("buffer/{}", parameter.name), Tensor::from_array(&value.view())));
        results.extend(value);
    }
    results
}
