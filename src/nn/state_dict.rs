//! Exchange with PyTorch: parameters from and to safetensors files under `state_dict` names.
//!
//! `safetensors.torch.save_file(model.state_dict(), FILE)` makes what [`read`] reads, and
//! `model.load_state_dict(load_file(FILE), strict=True)` accepts what [`tensors`] gives.

mod mismatch;

pub use mismatch::{Mismatch, Misnamed, Misshapen};

use super::{Network, Parameter, Parameters, Role, Spec};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::tensor_file::{Element, Tensor, TensorFile};
use mismatch::Named;
use ndarray::{ArrayD, Dimension};
use safetensors::tensor::Dtype;
use std::collections::HashSet;

/// The key in a file's `__metadata__` that says that it is a checkpoint of this program.
pub const CHECKPOINT_KEY: &str = "gdstar-checkpoint";
/// What such a checkpoint has beside the parameters: momentum buffers, masks, rewind weights.
const CHECKPOINT_PREFIXES: [&str; 3] = ["momentum/", "mask/", "rewind/"];
/// Batch norm's count of the batches that its running mean and variance have seen; the arithmetic does not use it.
const BATCHES_TRACKED: &str = "num_batches_tracked";

/// Every parameter and buffer of `network`, by name, from `file`.
///
/// Values may be F16, BF16, F32 or F64, and become the nearest of `S`. Accepted and not used: batch norm's
/// `num_batches_tracked`, the names that [`Network::unused`] lists, and what a checkpoint of this program
/// ([`CHECKPOINT_KEY`]) has beside the parameters.
///
/// # Errors
/// [`Error::StateDict`] naming every tensor that is missing, unexpected, misshapen or misnamed; [`Error::File`] naming
/// the first value that is not finite as an `S`; [`Error::Io`].
pub fn read<S: Scalar>(file: &TensorFile, network: &Network) -> Result<Parameters<S>> {
    let specs = network.specs();
    let mismatch = compare(file, network, &specs);
    if !mismatch.is_empty() {
        return Err(Error::StateDict { path: file.path().to_path_buf(), mismatch: Box::new(mismatch) });
    }
    let parameter = |spec: Spec| {
        let value = read_finite(file, &spec.name, Some(&spec.shape))?;
        Ok(Parameter::new(spec.name, spec.role, value))
    };
    Ok(Parameters::new(specs.into_iter().map(parameter).collect::<Result<_>>()?))
}

/// The parameters and buffers as PyTorch's `state_dict` has them, in its order. `batches` is the number of training
/// batches that the running statistics have seen: `num_batches_tracked` (I64, shape `[]`) of every batch norm.
pub fn tensors<S: Scalar + Element>(parameters: &Parameters<S>, batches: usize) -> Vec<(String, Tensor)> {
    let mut tensors = Vec::with_capacity(parameters.len());
    for parameter in parameters.iter() {
        tensors.push((parameter.name.clone(), Tensor::from_array(&parameter.value.view())));
        if let Some(name) = batches_tracked(&parameter.name, parameter.role) {
            tensors.push((name, Tensor::from_slice(&[], &[batches as i64])));
        }
    }
    tensors
}

/// The name of the counter that PyTorch's batch norm has after its running variance.
fn batches_tracked(name: &str, role: Role) -> Option<String> {
    let layer = name.strip_suffix("running_var").filter(|_| role == Role::RunningVariance)?;
    Some(format!("{layer}{BATCHES_TRACKED}"))
}

/// What keeps `file` from being a `state_dict` of `network`.
fn compare(file: &TensorFile, network: &Network, specs: &[Spec]) -> Mismatch {
    let (mut missing, mut misshapen) = (Vec::new(), Vec::new());
    for Spec { name, shape, .. } in specs {
        match file.describe(name) {
            None => missing.push(Named { name, shape }),
            Some((dtype, found)) if !is_float(dtype) || found != shape => {
                misshapen.push(Misshapen::new(name, format!("floats of shape {shape:?}"), (dtype, found)));
            }
            Some(_) => {}
        }
    }
    let counters: Vec<String> = specs.iter().filter_map(|spec| batches_tracked(&spec.name, spec.role)).collect();
    for name in &counters {
        if let Some((dtype, found)) = file.describe(name)
            && (dtype != Dtype::I64 || !found.is_empty())
        {
            misshapen.push(Misshapen::new(name, "I64 of shape []".to_string(), (dtype, found)));
        }
    }
    let expected: HashSet<&str> = specs.iter().map(|spec| &spec.name).chain(&counters).map(String::as_str).collect();
    let is_checkpoint = file.metadata(CHECKPOINT_KEY).is_some();
    let is_skipped = |name: &str| {
        network.unused.iter().any(|unused| covers(unused, name))
            || is_checkpoint && CHECKPOINT_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    };
    let unexpected = file.names().filter(|name| !expected.contains(name) && !is_skipped(name));
    let unexpected = unexpected.filter_map(|name| Some(Named { name, shape: file.describe(name)?.1 })).collect();
    Mismatch::new(network.name, missing, unexpected, misshapen)
}

/// Whether an entry of [`Network::unused`] is `name`, or, ending in a dot, what `name` begins with.
fn covers(unused: &str, name: &str) -> bool {
    unused == name || unused.ends_with('.') && name.starts_with(unused)
}

fn is_float(dtype: Dtype) -> bool {
    matches!(dtype, Dtype::F16 | Dtype::BF16 | Dtype::F32 | Dtype::F64)
}

/// The tensor of this name and, where given, shape, rounded to `S`.
///
/// # Errors
/// [`Error::File`] naming the first value that is not finite as an `S`, or as [`TensorFile::read_floats`].
pub(crate) fn read_finite<S: Scalar>(file: &TensorFile, name: &str, shape: Option<&[usize]>) -> Result<ArrayD<S>> {
    let stored = file.read_floats(name, shape)?;
    let value = stored.mapv(S::from_f64);
    match value.indexed_iter().find(|(_, x)| !x.is_finite()) {
        None => Ok(value),
        Some((index, _)) => {
            let place = format!("tensor `{name}` at {:?}", index.slice());
            Err(Error::file(file.path(), place, format!("a number that is finite in {}", S::NAME), stored[&index]))
        }
    }
}
