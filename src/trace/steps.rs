//! [`StepTrace`]: a trace of a method that acts on steps, `step/<t>/<quantity>/<p>`.

mod header;
mod layout;

pub use header::StepHeader;

use super::{StepMethod, Tensors, TracedParameter};
use crate::error::{Error, Result};
use crate::tensor_file::TensorFile;
use layout::Layout;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

/// An open trace.
pub struct StepTrace {
    tensors: Tensors,
    pub header: StepHeader,
    /// Those of W in the header's order, then all others, by name.
    parameters: Vec<TracedParameter>,
    prunable: usize,
    steps: BTreeSet<usize>,
    /// Of `lmc` the parameters, of `sdgp` the layers, of every step that has a tensor with its name.
    members: BTreeMap<usize, BTreeSet<String>>,
    unknown: Vec<String>,
}

impl StepTrace {
    /// The trace that a file holds.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::File`] naming the file, the tensor or the header's key, what was expected and what was
    /// found.
    pub(super) fn new(file: TensorFile, method: StepMethod) -> Result<Self> {
        let header = StepHeader::read(&file, method)?;
        let Layout { mut shapes, lists, steps, members, unknown } = layout::read(&file, &header)?;
        // Of a layer of which only what its input channels come to is there.
        for (name, channels) in lists {
            shapes.entry(name).or_insert_with(|| vec![0, channels]);
        }
        let mut parameters: Vec<TracedParameter> = Vec::with_capacity(shapes.len());
        let mut end = 0;
        let others = shapes.keys().filter(|name| !header.params.contains(name));
        for name in header.params.iter().chain(others) {
            let Some(shape) = shapes.get(name) else {
                return Err(header.bad_params(file.path(), name));
            };
            let len: usize = shape.iter().product();
            let range = end..end + len;
            parameters.push(TracedParameter { name: name.clone(), shape: shape.clone(), range, coordinates: None });
            end += len;
        }
        let tensors = Tensors::new(file, header.arithmetic.dtype);
        Ok(Self { prunable: header.params.len(), tensors, header, parameters, steps, members, unknown })
    }

    /// All parameters: those of W in the header's order, then the others by name.
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

    /// The steps that have tensors, ascending.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = usize> + Clone {
        self.steps.iter().copied()
    }

    /// The parameters of `lmc`, or the layers of `sdgp`, that step `t` has tensors of.
    pub fn members(&self, t: usize) -> impl Iterator<Item = &str> {
        self.members.get(&t).into_iter().flatten().map(String::as_str)
    }

    /// Tensor names that the format does not have, sorted.
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// The error of a tensor that is not as it should be.
    pub(crate) fn bad(&self, tensor: &str, expected: impl Into<String>, found: impl ToString) -> Error {
        Error::file(self.path(), format!("tensor `{tensor}`"), expected, found)
    }

    /// The error of a header's value that is not as it should be.
    pub(crate) fn bad_header(&self, key: &str, expected: impl Into<String>, found: impl ToString) -> Error {
        Error::file(self.path(), format!("metadata `{}`: {key}", super::KEY), expected, found)
    }
}

/// A trace is a file of tensors, and what they mean.
impl Deref for StepTrace {
    type Target = Tensors;

    fn deref(&self) -> &Tensors {
        &self.tensors
    }
}
