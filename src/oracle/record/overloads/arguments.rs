//! [`Arguments`]: the arguments of an aten call, by their places in the schema.

use super::super::rounding::Rounding;
use super::super::{Arg, AtenCall, Declared, Value};
use super::slips::Slip;
use crate::error::{Error, Result};
use ndarray::ArrayD;
use safetensors::Dtype;

/// The arguments of a call of one overload, each asked for by its position and name.
#[derive(Debug, Clone, Copy)]
pub(in crate::oracle::record) struct Arguments<'a> {
    /// `aten.<name>.<overload>`.
    pub overload: &'static str,
    pub call: &'a AtenCall<Value>,
    pub declared: &'a Declared,
    /// The mistake that is looked for; none in judging.
    pub slip: Option<Slip>,
}

impl<'a> Arguments<'a> {
    /// Whether this mistake is looked for.
    pub fn has(&self, slip: Slip) -> bool {
        self.slip == Some(slip)
    }

    fn at(&self, position: usize, name: &str) -> &'a Arg<Value> {
        self.call.argument(position, name).unwrap_or(&Arg::Null)
    }

    /// What does not fit the overload at an argument.
    pub fn refused(&self, name: &str, expected: impl Into<String>, found: impl Into<String>) -> Error {
        Error::shape(self.overload, format!("`{name}`"), expected, found)
    }

    fn wrong(&self, position: usize, name: &str, expected: &str) -> Error {
        let found = match self.at(position, name) {
            Arg::Null => "none",
            Arg::Bool(_) => "a truth value",
            Arg::Integer(_) => "an integer",
            Arg::Real(_) => "a number",
            Arg::Text(_) => "a text",
            Arg::List(_) => "a list",
            Arg::Tensor(_) => "a tensor",
        };
        self.refused(&format!("args/{position} ({name})"), expected, found)
    }

    pub fn tensor(&self, position: usize, name: &str) -> Result<&'a Value> {
        self.at(position, name).tensor().ok_or_else(|| self.wrong(position, name, "a tensor"))
    }

    pub fn array(&self, position: usize, name: &str) -> Result<&'a ArrayD<f64>> {
        Ok(&self.tensor(position, name)?.array)
    }

    /// The tensor, if there is one; none may also be one without elements.
    pub fn optional(&self, position: usize, name: &str) -> Result<Option<&'a ArrayD<f64>>> {
        match self.at(position, name) {
            Arg::Null => Ok(None),
            Arg::Tensor(tensor) if tensor.array.is_empty() => Ok(None),
            _ => self.array(position, name).map(Some),
        }
    }

    /// The tensors of a list.
    pub fn tensors(&self, position: usize, name: &str) -> Result<Vec<&'a Value>> {
        let list = self.at(position, name).list().filter(|list| !list.is_empty());
        let tensors = list.and_then(|list| list.iter().map(Arg::tensor).collect());
        tensors.ok_or_else(|| self.wrong(position, name, "a list of tensors"))
    }

    pub fn number(&self, position: usize, name: &str, default: Option<f64>) -> Result<f64> {
        match (self.at(position, name), default) {
            (Arg::Null, Some(default)) => Ok(default),
            (Arg::Bool(flag), _) => Ok(f64::from(u8::from(*flag))),
            (arg, _) => arg.number().ok_or_else(|| self.wrong(position, name, "a number")),
        }
    }

    pub fn integer(&self, position: usize, name: &str, default: Option<i64>) -> Result<i64> {
        match (self.at(position, name), default) {
            (Arg::Null, Some(default)) => Ok(default),
            (arg, _) => arg.integer().ok_or_else(|| self.wrong(position, name, "an integer")),
        }
    }

    /// An extent: an integer from 0.
    pub fn extent(&self, position: usize, name: &str, default: Option<usize>) -> Result<usize> {
        let integer = self.integer(position, name, default.map(|d| d as i64))?;
        usize::try_from(integer).map_err(|_| self.refused(name, "an integer from 0", integer.to_string()))
    }

    pub fn flag(&self, position: usize, name: &str, default: Option<bool>) -> Result<bool> {
        match (self.at(position, name), default) {
            (Arg::Null, Some(default)) => Ok(default),
            (arg, _) => arg.flag().ok_or_else(|| self.wrong(position, name, "true or false")),
        }
    }

    /// Which of the results are wanted.
    pub fn mask<const N: usize>(&self, position: usize, name: &str) -> Result<[bool; N]> {
        let flags =
            self.at(position, name).list().and_then(|list| list.iter().map(Arg::flag).collect::<Option<Vec<_>>>());
        let flags = flags.and_then(|flags| flags.try_into().ok());
        flags.ok_or_else(|| self.wrong(position, name, "a list of truth values, one a result"))
    }

    /// Whole numbers; `None` where they were left out.
    pub fn integers(&self, position: usize, name: &str) -> Result<Option<Vec<i64>>> {
        match self.at(position, name) {
            Arg::Null => Ok(None),
            Arg::Integer(i) => Ok(Some(vec![*i])),
            arg => match arg.integers() {
                Some(integers) => Ok(Some(integers)),
                None => Err(self.wrong(position, name, "a list of integers")),
            },
        }
    }

    pub fn extents(&self, position: usize, name: &str) -> Result<Vec<usize>> {
        let integers = self.integers(position, name)?.unwrap_or_default();
        let extents = integers.iter().map(|&i| usize::try_from(i).ok()).collect::<Option<Vec<_>>>();
        extents.ok_or_else(|| self.refused(name, "integers from 0", format!("{integers:?}")))
    }

    /// Two extents, vertical and horizontal; one stands for both, none for `default`.
    pub fn pair(&self, position: usize, name: &str, default: [usize; 2]) -> Result<[usize; 2]> {
        match self.extents(position, name)?.as_slice() {
            [] => Ok(default),
            &[both] => Ok([both, both]),
            &[vertical, horizontal] => Ok([vertical, horizontal]),
            more => Err(self.refused(name, "one or two integers", format!("{more:?}"))),
        }
    }

    /// An axis of an array of `rank` axes; negative ones count from the end.
    pub fn axis(&self, position: usize, name: &str, default: Option<i64>, rank: usize) -> Result<usize> {
        let axis = self.integer(position, name, default)?;
        self.placed(name, axis, rank)
    }

    /// The axes of a list, each once, in increasing order; all where the list is empty or left out.
    pub fn axes(&self, position: usize, name: &str, rank: usize) -> Result<Vec<usize>> {
        let listed = self.integers(position, name)?.unwrap_or_default();
        if listed.is_empty() {
            return Ok((0..rank).collect());
        }
        let mut axes = listed.iter().map(|&axis| self.placed(name, axis, rank)).collect::<Result<Vec<_>>>()?;
        axes.sort_unstable();
        axes.dedup();
        Ok(axes)
    }

    /// An axis from 0.
    pub fn placed(&self, name: &str, axis: i64, rank: usize) -> Result<usize> {
        // A number without axes is taken for one with one.
        let extent = rank.max(1) as i64;
        let from_start = if axis < 0 { axis + extent } else { axis };
        match usize::try_from(from_start) {
            Ok(placed) if from_start < extent => Ok(placed),
            _ => Err(self.refused(name, format!("an axis of {rank}"), axis.to_string())),
        }
    }

    /// The type of a result as it was recorded, or of the first operand where it was not.
    pub fn result_type(&self, result: usize) -> Dtype {
        let recorded = self.call.results.get(result).and_then(Option::as_ref);
        let of_operand = || self.call.operands().first().map_or(Dtype::F32, |operand| operand.dtype);
        recorded.map_or_else(of_operand, |value| value.dtype)
    }

    /// What the operations behind a result may be off by.
    pub fn rounding(&self, result: usize) -> Rounding {
        Rounding::of(self.declared, self.result_type(result))
    }
}
