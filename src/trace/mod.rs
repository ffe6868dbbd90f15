//! Reading traces (format `gdstar-trace/1`): what a training run did, epoch by epoch, in the paper's own quantities.
//!
//! Everything that can be checked without the numbers themselves is checked when a trace is opened: header, names,
//! dtypes, shapes. Tensors are read when an equation needs them, so that a trace may be larger than memory.

mod arithmetic;
mod header;
mod layout;
mod method;
pub mod names;
mod number;
mod object;
mod optimizer;

pub use arithmetic::Arithmetic;
pub use header::{Header, SgdHyperparameters};
pub use method::TracedMethod;
pub use number::hex_float;
pub use optimizer::{Clip, Optimizer, OptimizerRule, Schedule};

use crate::error::{Error, Result};
use crate::scalar::Dtype;
use crate::tensor_file::TensorFile;
use half::{bf16, f16};
use layout::Layout;
use safetensors::Dtype as Stored;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

/// The format's name and version.
pub const FORMAT: &str = "gdstar-trace/1";
/// The metadata key of the header.
pub const KEY: &str = "gdstar";

/// One parameter of the traced network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TracedParameter {
    pub name: String,
    pub shape: Vec<usize>,
    /// Its entries' places, row-major, when all parameters are laid one after the other, those of W first.
    pub range: Range<usize>,
}

impl TracedParameter {
    /// The index of the `j`-th entry, row-major; one number an axis.
    pub fn index(&self, j: usize) -> Vec<usize> {
        unflatten(j, &self.shape)
    }
}

/// An open trace.
pub struct Trace {
    file: TensorFile,
    pub header: Header,
    /// Those of W in flattening order, then all others, by name.
    parameters: Vec<TracedParameter>,
    /// How many of the parameters are W's.
    prunable: usize,
    /// Every epoch that has a tensor, and how many batches are recorded of it.
    epochs: BTreeMap<usize, usize>,
    /// The batches that record weights.
    within: BTreeSet<(usize, usize)>,
    /// Names that the format does not have.
    unknown: Vec<String>,
    /// Names of epochs that the header does not have.
    beyond: Vec<String>,
}

impl Trace {
    /// Opens a trace.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::File`] naming the file, the tensor or the header's key, what was expected and what was
    /// found.
    pub fn open(path: &Path) -> Result<Self> {
        Self::new(TensorFile::open(path)?)
    }

    /// The trace that a file holds.
    ///
    /// # Errors
    /// As [`Trace::open`].
    pub fn new(file: TensorFile) -> Result<Self> {
        let header = Header::read(&file)?;
        let Layout { shapes, epochs, within, unknown, beyond } = layout::read(&file, &header)?;
        let mut parameters: Vec<TracedParameter> = Vec::with_capacity(shapes.len());
        let mut end = 0;
        let others = shapes.keys().filter(|name| !header.params.contains(name));
        for name in header.params.iter().chain(others) {
            let Some(shape) = shapes.get(name) else {
                let place = format!("metadata `{KEY}`: params: `{name}`");
                return Err(Error::file(file.path(), place, "a parameter with tensors in this file", "none"));
            };
            // Each shape fits a tensor that is in the file, so its product does not overflow; nor does any sum of them
            // over distinct parameters, whose tensors are all there.
            let len: usize = shape.iter().product();
            parameters.push(TracedParameter { name: name.clone(), shape: shape.clone(), range: end..end + len });
            end += len;
        }
        let trace = Self { prunable: header.params.len(), file, header, parameters, epochs, within, unknown, beyond };
        trace.check_chunks()?;
        Ok(trace)
    }

    fn check_chunks(&self) -> Result<()> {
        let (chunks, n) = (self.header.hyper.chunks, self.weights());
        if chunks <= n {
            return Ok(());
        }
        let place = format!("metadata `{KEY}`: hyper: chunks");
        Err(Error::file(self.file.path(), place, format!("at most N = {n}, the weights of `params`"), chunks))
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Tensor names that the format does not have.
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// Tensors of epochs that the header's `epochs` and `epoch_origin` do not have.
    pub fn beyond(&self) -> &[String] {
        &self.beyond
    }

    /// All parameters: those of W in flattening order, then the others by name.
    pub fn parameters(&self) -> &[TracedParameter] {
        &self.parameters
    }

    /// The parameters of W.
    pub fn prunable(&self) -> &[TracedParameter] {
        &self.parameters[..self.prunable]
    }

    /// N: how many weights W has.
    pub fn weights(&self) -> usize {
        self.prunable().last().map_or(0, |p| p.range.end)
    }

    /// How many entries all parameters have.
    pub fn entries(&self) -> usize {
        self.parameters.last().map_or(0, |p| p.range.end)
    }

    /// The epochs that have tensors, ascending, in the producer's own counting.
    pub fn epochs(&self) -> impl DoubleEndedIterator<Item = usize> {
        self.epochs.keys().copied()
    }

    /// How many batches an epoch has tensors of; they are numbered from 0.
    pub fn batches(&self, k: usize) -> usize {
        self.epochs.get(&k).copied().unwrap_or(0)
    }

    /// The batches of an epoch that record the weights they were taken at.
    pub fn batches_with_weights(&self, k: usize) -> impl Iterator<Item = usize> {
        self.within.range((k, 0)..=(k, usize::MAX)).map(|(_, i)| *i)
    }

    /// Whether a tensor of this name is there.
    pub fn has(&self, name: &str) -> bool {
        self.file.describe(name).is_some()
    }

    /// The shape of a tensor that is there.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.file.describe(name).map(|(_, shape)| shape)
    }

    /// A tensor of floats, exactly, if it is there.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read.
    pub fn floats(&self, name: &str) -> Result<Option<Vec<f64>>> {
        if !self.has(name) {
            return Ok(None);
        }
        Ok(Some(self.file.read_floats(name, None)?.into_raw_vec_and_offset().0))
    }

    /// A mask, if it is there: true for 1.
    ///
    /// # Errors
    /// [`Error::File`] for a value above 1; [`Error::Io`].
    pub fn flags(&self, name: &str) -> Result<Option<Vec<bool>>> {
        if !self.has(name) {
            return Ok(None);
        }
        let values = self.file.read::<u8>(name, None)?.into_raw_vec_and_offset().0;
        match values.iter().position(|&value| value > 1) {
            None => Ok(Some(values.into_iter().map(|value| value == 1).collect())),
            Some(j) => {
                let index = unflatten(j, self.shape(name).unwrap_or_default());
                let place = format!("tensor `{name}`, index {index:?}");
                Err(Error::file(self.file.path(), place, "0 or 1", values[j]))
            }
        }
    }

    /// One float of an epoch, if it is there.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn scalar(&self, k: usize, quantity: &str) -> Result<Option<f64>> {
        Ok(self.floats(&format!("epoch/{k}/{quantity}"))?.and_then(|values| values.first().copied()))
    }

    /// One integer of an epoch, if it is there.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn integer(&self, k: usize, quantity: &str) -> Result<Option<i64>> {
        Ok(self.integers(&format!("epoch/{k}/{quantity}"))?.and_then(|values| values.first().copied()))
    }

    /// A tensor of integers, if it is there.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn integers(&self, name: &str) -> Result<Option<Vec<i64>>> {
        if !self.has(name) {
            return Ok(None);
        }
        Ok(Some(self.file.read::<i64>(name, None)?.into_raw_vec_and_offset().0))
    }

    /// The unit roundoff of a tensor's storage where that is narrower than the arithmetic, else 0: how far what is
    /// recorded may be from what the port went on with.
    pub fn storage_error(&self, name: &str) -> f64 {
        match (self.header.arithmetic.dtype, self.dtype(name)) {
            (_, Some(Stored::BF16)) => 1.0 / 256.0,
            (_, Some(Stored::F16)) => 1.0 / 2048.0,
            (Dtype::F64, Some(Stored::F32)) => Dtype::F32.unit_roundoff(),
            _ => 0.0,
        }
    }

    /// The smallest subnormal number of a storage that is narrower than the arithmetic, else 0.
    pub fn storage_underflow(&self, name: &str) -> f64 {
        match (self.header.arithmetic.dtype, self.dtype(name)) {
            (_, Some(Stored::F16)) => f16::MIN_POSITIVE_SUBNORMAL.to_f64(),
            (_, Some(Stored::BF16)) => bf16::MIN_POSITIVE_SUBNORMAL.to_f64(),
            (Dtype::F64, Some(Stored::F32)) => f32::from_bits(1).into(),
            _ => 0.0,
        }
    }

    fn dtype(&self, name: &str) -> Option<Stored> {
        self.file.describe(name).map(|(dtype, _)| dtype)
    }

    /// How far, relatively, two recordings of one number may be apart: a rounding to the narrower of two storages.
    pub fn storage_difference(&self, one: &str, other: &str) -> f64 {
        match (self.dtype(one), self.dtype(other)) {
            (Some(one), Some(other)) if one != other => Dtype::F32.unit_roundoff(),
            _ => 0.0,
        }
    }
}

/// The index of the `j`-th entry, row-major.
pub(crate) fn unflatten(mut j: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for (i, &extent) in index.iter_mut().zip(shape).rev() {
        *i = j % extent.max(1);
        j /= extent.max(1);
    }
    index
}
