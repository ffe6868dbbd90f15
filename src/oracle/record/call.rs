//! [`Call`]: one op as a port carried it out.

use super::{Arg, Declared, Reference, Value};
use crate::choice::choice;
use crate::error::Result;
use crate::tensor_file::TensorFile;
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

choice! {
    /// The part of a training step that a call belongs to.
    Phase, "phase":
    Forward = "forward",
    Backward = "backward",
}

/// One op as a port carried it out: operands as they were before it, results as they were after it. `T` is a tensor, by
/// [`Reference`] in a file that is open or as a [`Value`] with its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Call<T> {
    /// Its name in the record; no other call of its step has it.
    pub name: String,
    /// `aten.<name>.<overload>`, or the name of an op of [`crate::ops`].
    pub op: String,
    /// The path of the module that it was made in.
    pub module: Option<String>,
    pub phase: Option<Phase>,
    /// Of a backward call, the name of the forward call whose derivative it is part of.
    pub of: Option<String>,
    pub declared: Declared,
    pub carried: Carried<T>,
}

/// What went in and what came out.
#[derive(Debug, Clone, PartialEq)]
pub enum Carried<T> {
    Aten(AtenCall<T>),
    Op(OpCall<T>),
}

/// An aten call, in its schema's order.
#[derive(Debug, Clone, PartialEq)]
pub struct AtenCall<T> {
    /// Fewer than the schema has where those left out have its defaults.
    pub args: Vec<Arg<T>>,
    pub kwargs: BTreeMap<String, Arg<T>>,
    /// `None` for a result that there is none of, or that was not recorded.
    pub results: Vec<Option<T>>,
    /// Arguments that the call changed, with what they held after it.
    pub writes: BTreeMap<Changed, T>,
}

/// Which argument a call changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Changed {
    /// The one at this position, from 0.
    Position(usize),
    /// The keyword argument of this name.
    Keyword(String),
}

/// An op case: one of [`crate::ops`], forward and, as far as its results are there, backward.
#[derive(Debug, Clone, PartialEq)]
pub struct OpCall<T> {
    /// The op's attributes, as the file has them; checked against the op when the call is loaded.
    pub attributes: Map<String, Json>,
    /// By name, in the op's order, `labels` and `mask` among them.
    pub inputs: Vec<(String, T)>,
    /// Upstream gradients by the name of the output.
    pub upstream: Vec<(String, T)>,
    /// By name, in the op's order; `None` was not recorded.
    pub outputs: Vec<(String, Option<T>)>,
    /// Gradients of the inputs that the case asks for, by name; `None` was not recorded.
    pub gradients: Vec<(String, Option<T>)>,
}

impl<T> AtenCall<T> {
    /// The argument at a place of the schema, by its position or by its name; `None` where it was left out.
    pub fn argument(&self, position: usize, name: &str) -> Option<&Arg<T>> {
        self.args.get(position).or_else(|| self.kwargs.get(name))
    }

    /// Every tensor among the arguments, in order: what the call read.
    pub fn operands(&self) -> Vec<&T> {
        self.args.iter().chain(self.kwargs.values()).flat_map(Arg::tensors).collect()
    }
}

impl Call<Reference> {
    /// The call with its numbers.
    ///
    /// # Errors
    /// As [`Reference::load`].
    pub fn load(&self, file: &TensorFile) -> Result<Call<Value>> {
        let carried = match &self.carried {
            Carried::Aten(call) => Carried::Aten(call.try_map(&mut |reference| reference.load(file))?),
            Carried::Op(call) => Carried::Op(call.try_map(&mut |reference| reference.load(file))?),
        };
        Ok(Call {
            name: self.name.clone(),
            op: self.op.clone(),
            module: self.module.clone(),
            phase: self.phase,
            of: self.of.clone(),
            declared: self.declared,
            carried,
        })
    }
}

impl<T> AtenCall<T> {
    fn try_map<U>(&self, with: &mut dyn FnMut(&T) -> Result<U>) -> Result<AtenCall<U>> {
        let args = self.args.iter().map(|arg| arg.try_map(with)).collect::<Result<_>>()?;
        let kwargs = self.kwargs.iter().map(|(name, arg)| Ok((name.clone(), arg.try_map(with)?)));
        let kwargs = kwargs.collect::<Result<_>>()?;
        let results = self.results.iter().map(|result| result.as_ref().map(&mut *with).transpose());
        let results = results.collect::<Result<_>>()?;
        let writes = self.writes.iter().map(|(place, tensor)| Ok((place.clone(), with(tensor)?)));
        Ok(AtenCall { args, kwargs, results, writes: writes.collect::<Result<_>>()? })
    }
}

impl<T> OpCall<T> {
    fn try_map<U>(&self, with: &mut dyn FnMut(&T) -> Result<U>) -> Result<OpCall<U>> {
        let mut given = |named: &[(String, T)]| -> Result<Vec<(String, U)>> {
            named.iter().map(|(name, tensor)| Ok((name.clone(), with(tensor)?))).collect()
        };
        let (inputs, upstream) = (given(&self.inputs)?, given(&self.upstream)?);
        let mut results = |named: &[(String, Option<T>)]| -> Result<Vec<(String, Option<U>)>> {
            let tensor = |tensor: &Option<T>| tensor.as_ref().map(&mut *with).transpose();
            let mut tensor = tensor;
            named.iter().map(|(name, result)| Ok((name.clone(), tensor(result)?))).collect()
        };
        let (outputs, gradients) = (results(&self.outputs)?, results(&self.gradients)?);
        Ok(OpCall { attributes: self.attributes.clone(), inputs, upstream, outputs, gradients })
    }
}
