//! Reading traces (format `gdstar-trace/1`): what a training run did, epoch by epoch, in the paper's own quantities.
//!
//! Everything that can be checked without the numbers themselves is checked when a trace is opened: header, names,
//! dtypes, shapes. Tensors are read when an equation needs them, so that a trace may be larger than memory.

mod arithmetic;
mod header;
mod kept;
mod layout;
mod method;
pub mod names;
mod number;
mod object;
mod optimizer;
mod parameter;
mod sample;
mod steps;
mod tensors;

pub use arithmetic::Arithmetic;
pub use header::{Header, RewindsAt, SgdHyperparameters};
pub use kept::{Kept, MaskForm};
pub use method::{StepMethod, TracedMethod};
pub use number::hex_float;
pub(crate) use number::parse as number_of;
pub(crate) use object::Object;
pub use optimizer::{Clip, Optimizer, OptimizerRule, Schedule};
pub use parameter::TracedParameter;
pub(crate) use parameter::unflatten;
pub use sample::Sample;
pub use steps::{StepHeader, StepTrace};
pub use tensors::Tensors;

use crate::choice::Choice;
use crate::error::{Error, Result};
use crate::tensor_file::TensorFile;
use layout::Layout;
use parameter::coordinates;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

/// The format's name and version.
pub const FORMAT: &str = "gdstar-trace/1";
/// The metadata key of the header.
pub const KEY: &str = "gdstar";

/// A trace of either kind.
pub enum Opened {
    /// Of GDSTAR and its relatives: an event is an epoch.
    Epochs(Box<Trace>),
    /// Of another method: an event is an optimizer's step, a level, a candidate or an episode.
    Steps(Box<StepTrace>),
}

/// Opens a trace, whosever rules it follows; gzip may have compressed the file.
///
/// # Errors
/// As [`Trace::open`].
pub fn open(path: &Path) -> Result<Opened> {
    of_file(TensorFile::open_packed(path)?)
}

/// The trace that a file holds, whosever rules it follows.
///
/// # Errors
/// As [`Trace::open`].
pub fn of_file(file: TensorFile) -> Result<Opened> {
    let mut object = header::object(&file)?;
    let Some(value) = object.entries.remove(TracedMethod::KEY) else { return Trace::new(file).map(epochs) };
    let name = value.as_str().unwrap_or_default();
    match name.parse::<StepMethod>() {
        Ok(method) => StepTrace::new(file, method).map(|trace| Opened::Steps(Box::new(trace))),
        Err(_) if TracedMethod::NAMES.contains(&name) => Trace::new(file).map(epochs),
        Err(_) => {
            let names = [TracedMethod::NAMES, StepMethod::NAMES].concat().join(" | ");
            Err(object.bad(TracedMethod::KEY, names, &value))
        }
    }
}

fn epochs(trace: Trace) -> Opened {
    Opened::Epochs(Box::new(trace))
}

/// An open trace.
#[derive(Clone)]
pub struct Trace {
    tensors: Arc<Tensors>,
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
            // Each shape fits a tensor that is in the file, or is of a header whose shapes are checked, so its product does
            // not overflow; nor does any sum of them over distinct parameters.
            let coordinates = coordinates(&file, &header, name, shape.iter().product())?;
            let len = coordinates.as_ref().map_or(shape.iter().product(), Vec::len);
            let range = end..end + len;
            parameters.push(TracedParameter { name: name.clone(), shape: shape.clone(), range, coordinates });
            end += len;
        }
        let tensors = Arc::new(Tensors::new(file, header.arithmetic.dtype));
        let trace =
            Self { prunable: header.params.len(), tensors, header, parameters, epochs, within, unknown, beyond };
        trace.check_chunks()?;
        Ok(trace)
    }

    fn check_chunks(&self) -> Result<()> {
        let (chunks, n) = (self.header.hyper.chunks, self.weights());
        if chunks <= n {
            return Ok(());
        }
        let place = format!("metadata `{KEY}`: hyper: chunks");
        Err(Error::file(self.path(), place, format!("at most N = {n}, the weights of `params`"), chunks))
    }

    /// The same file as if its header declared this.
    pub(crate) fn declaring(&self, header: Header) -> Self {
        Self { header, ..self.clone() }
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

    /// N: how many weights W has, kept or not.
    pub fn weights(&self) -> usize {
        self.prunable().iter().map(TracedParameter::size).sum()
    }

    /// How many entries all parameters have, kept or not.
    pub fn entries(&self) -> usize {
        self.parameters.iter().map(TracedParameter::size).sum()
    }

    /// Which coordinates are kept; `None`: all.
    pub fn sample(&self) -> Option<Sample> {
        self.header.kept.sample
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

    /// The flags of a parameter's entries that are kept, if they are there.
    ///
    /// # Errors
    /// [`Error::File`] for a byte above 1, or a bit that is set after the last flag; [`Error::Io`].
    pub fn mask(&self, name: &str, parameter: &TracedParameter) -> Result<Option<Vec<bool>>> {
        let Some(flags) = self.stored_mask(name, parameter)? else { return Ok(None) };
        let of_all = self.sample().is_none_or(|sample| sample.has_whole_masks);
        Ok(Some(match &parameter.coordinates {
            Some(coordinates) if of_all => coordinates.iter().map(|&j| flags[j]).collect(),
            _ => flags,
        }))
    }

    /// The flags of all of a parameter's entries, if they are there.
    ///
    /// # Errors
    /// As [`Trace::mask`].
    pub fn whole_mask(&self, name: &str, parameter: &TracedParameter) -> Result<Option<Vec<bool>>> {
        match self.sample().is_none_or(|sample| sample.has_whole_masks) {
            true => self.stored_mask(name, parameter),
            false => Ok(None),
        }
    }

    /// As the file has them.
    fn stored_mask(&self, name: &str, parameter: &TracedParameter) -> Result<Option<Vec<bool>>> {
        if self.header.kept.masks == MaskForm::Bytes {
            return self.flags(name);
        }
        if !self.has(name) {
            return Ok(None);
        }
        let is_whole = self.sample().is_none_or(|sample| sample.has_whole_masks);
        let len = if is_whole { parameter.size() } else { parameter.range.len() };
        let flags = kept::unpacked(&self.tensors.bytes(name)?, len);
        flags.map(Some).map_err(|beyond| {
            let place = format!("tensor `{name}`, bit {beyond}");
            Error::file(self.path(), place, format!("0, as after the last of {len} flags"), 1)
        })
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
}

/// A trace is a file of tensors, and what they mean.
impl Deref for Trace {
    type Target = Tensors;

    fn deref(&self) -> &Tensors {
        &self.tensors
    }
}
