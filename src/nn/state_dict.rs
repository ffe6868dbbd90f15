//! Exchange with PyTorch: parameters from and to safetensors files under `state_dict` names.
//!
//! `safetensors.torch.save_file(model.state_dict(), FILE)` makes what [`read`] reads, and
//! `model.load_state_dict(load_file(FILE), strict=True)` accepts what [`tensors`] gives.

mod mismatch;
mod prefix;

use super::{Network, Parameter, Parameters, Role, Spec};
use crate::error::{Error, Result, StateDictMismatch, code, first};
use crate::scalar::Scalar;
use crate::tensor_file::{Element, Tensor, TensorFile};
use mismatch::{Named, found_as, told_apart};
use ndarray::{ArrayD, Dimension};
use prefix::prefix;
use safetensors::tensor::Dtype;
use std::borrow::Cow;
use std::collections::HashSet;

/// The key in a file's `__metadata__` that says that it is a checkpoint of this program.
pub const CHECKPOINT_KEY: &str = "gdstar-checkpoint";
/// Batch norm's count of the batches that its running mean and variance have seen; the arithmetic does not use it.
const BATCHES_TRACKED: &str = "num_batches_tracked";

/// Where a file has a network's parameters and buffers: under its names, or below the one prefix that a wrapper
/// (DataParallel, torch.compile, a module that holds the network) puts before all of them.
pub struct Names<'a> {
    file: &'a TensorFile,
    network: &'a Network,
    specs: Vec<Spec>,
    prefix: &'a str,
}

impl<'a> Names<'a> {
    /// Looks `network`'s names up in `file`. A checkpoint of this program ([`CHECKPOINT_KEY`]) has no prefix.
    pub fn find(file: &'a TensorFile, network: &'a Network) -> Self {
        let specs = network.specs();
        let prefix = if is_checkpoint(file) { "" } else { prefix(file, &specs) };
        Self { file, network, specs, prefix }
    }

    /// The name in the file of what the network calls `name`.
    pub fn in_file<'n>(&self, name: &'n str) -> Cow<'n, str> {
        if self.prefix.is_empty() { Cow::Borrowed(name) } else { Cow::Owned(format!("{}{name}", self.prefix)) }
    }

    /// The prefix that is left out, and the tensors that are ([`Network::unused`]), if there is anything to say.
    pub fn remark(&self) -> Option<String> {
        let prefix = Some(format!("without the prefix {} of its names", code(self.prefix)));
        let idle: Vec<String> = self.file.names().filter(|name| self.is_unused(name)).map(code).collect();
        let idle =
            (!idle.is_empty()).then(|| format!("without {}, which {} never uses", first(&idle), self.network.name));
        let told: Vec<String> = prefix.filter(|_| !self.prefix.is_empty()).into_iter().chain(idle).collect();
        (!told.is_empty()).then(|| format!("{}: read {}", self.file.path().display(), told.join(", and ")))
    }

    /// Every parameter and buffer, by name.
    ///
    /// # Errors
    /// As [`read`].
    pub fn read<S: Scalar>(&self) -> Result<Parameters<S>> {
        let mismatch = self.compare();
        if !mismatch.is_empty() {
            return Err(Error::StateDict { path: self.file.path().to_path_buf(), mismatch: Box::new(mismatch) });
        }
        let parameter = |spec: &Spec| {
            let value = read_finite(self.file, &self.in_file(&spec.name), Some(&spec.shape))?;
            Ok(Parameter::new(spec.name.clone(), spec.role, value))
        };
        Ok(Parameters::new(self.specs.iter().map(parameter).collect::<Result<_>>()?))
    }

    /// What keeps the file from being a `state_dict` of the network.
    fn compare(&self) -> StateDictMismatch {
        let (mut missing, mut misshapen) = (Vec::new(), Vec::new());
        for Spec { name, shape, .. } in &self.specs {
            match self.file.describe(&self.in_file(name)) {
                None => missing.push(Named { name, shape }),
                Some((dtype, found)) if !is_float(dtype) || found != shape => {
                    misshapen.push(found_as(name, format!("floats of shape {shape:?}"), (dtype, found)));
                }
                Some(_) => {}
            }
        }
        let counters: Vec<String> =
            self.specs.iter().filter_map(|spec| batches_tracked(&spec.name, spec.role)).collect();
        for name in &counters {
            if let Some((dtype, found)) = self.file.describe(&self.in_file(name))
                && !matches!(found, [] | [1])
            {
                misshapen.push(found_as(name, "one number".to_string(), (dtype, found)));
            }
        }
        let expected: HashSet<&str> =
            self.specs.iter().map(|spec| &spec.name).chain(&counters).map(String::as_str).collect();
        let is_expected = |name: &str| name.strip_prefix(self.prefix).is_some_and(|name| expected.contains(name));
        let is_skipped = |name: &str| is_expected(name) || self.is_unused(name) || self.is_beside(name);
        let unexpected = self.file.names().filter(|name| !is_skipped(name));
        let unexpected =
            unexpected.filter_map(|name| Some(Named { name, shape: self.file.describe(name)?.1 })).collect();
        told_apart((self.network.name, self.prefix), missing, unexpected, misshapen)
    }

    /// Whether a tensor of the file is one that the network's PyTorch form carries and its forward pass never reads.
    fn is_unused(&self, name: &str) -> bool {
        let unused = self.network.unused.iter();
        name.strip_prefix(self.prefix).is_some_and(|name| unused.into_iter().any(|unused| covers(unused, name)))
    }

    /// Whether a tensor is what a checkpoint of this program has beside a parameter: momentum, a mask, what else a method
    /// keeps of every weight, as `<name>/<p>`.
    fn is_beside(&self, name: &str) -> bool {
        let is_parameter = |name: &str| self.specs.iter().any(|spec| spec.name == name);
        is_checkpoint(self.file) && name.split_once('/').is_some_and(|(_, parameter)| is_parameter(parameter))
    }
}

/// Every parameter and buffer of `network`, by name, from `file`.
///
/// Values may be F16, BF16, F32 or F64, and become the nearest of `S`. A prefix that all names have in common is left
/// out ([`Names`]). Accepted and not used: batch norm's `num_batches_tracked`, one number of any type; the names that
/// [`Network::unused`] lists; and what a checkpoint of this program ([`CHECKPOINT_KEY`]) has beside the parameters.
///
/// # Errors
/// [`Error::StateDict`] naming every tensor that is missing, unexpected, misshapen or misnamed; [`Error::File`] naming
/// the first value that is not finite as an `S`; [`Error::Io`].
pub fn read<S: Scalar>(file: &TensorFile, network: &Network) -> Result<Parameters<S>> {
    Names::find(file, network).read()
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

fn is_checkpoint(file: &TensorFile) -> bool {
    file.metadata(CHECKPOINT_KEY).is_some()
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
