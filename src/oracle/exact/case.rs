//! A case of a method golden: its inputs, and the results that follow from them.

use crate::error::{Error, Result};
use crate::paper::reading::Reading;
use ndarray::ArrayD;
use std::collections::BTreeMap;

/// An input.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    Floats(ArrayD<f64>),
    Integers(Vec<i64>),
    Flags(Vec<bool>),
}

/// Real results: rounded to F64 and, where it is defined, F32; and what the reference computes in `f64`.
#[derive(Debug, Clone, PartialEq)]
pub struct Reals {
    pub f64: Vec<f64>,
    pub f32: Option<Vec<f32>>,
    pub reference: Vec<f64>,
}

/// A result.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Reals(Reals),
    Integers(Vec<i64>),
    Flags(Vec<bool>),
}

/// One case's inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    pub name: String,
    pub reading: Reading,
    pub inputs: BTreeMap<String, Input>,
}

impl Case {
    pub fn has(&self, name: &str) -> bool {
        self.inputs.contains_key(name)
    }

    fn bad(&self, name: &str, expected: &str) -> Error {
        Error::domain(format!("{}/in/{name}", self.name), expected, "something else")
    }

    /// An input of floats, flat.
    pub(crate) fn floats(&self, name: &str) -> Result<Vec<f64>> {
        match self.inputs.get(name) {
            Some(Input::Floats(values)) => Ok(values.iter().copied().collect()),
            _ => Err(self.bad(name, "F64 numbers")),
        }
    }

    /// An input of floats `[rows, n]`, by rows.
    pub(crate) fn rows(&self, name: &str) -> Result<Vec<Vec<f64>>> {
        match self.inputs.get(name) {
            Some(Input::Floats(values)) if values.ndim() == 2 => {
                Ok(values.outer_iter().map(|row| row.iter().copied().collect()).collect())
            }
            _ => Err(self.bad(name, "F64 numbers with two axes")),
        }
    }

    pub(crate) fn float(&self, name: &str) -> Result<f64> {
        self.floats(name)?.first().copied().ok_or_else(|| self.bad(name, "one F64 number"))
    }

    pub(crate) fn counts(&self, name: &str) -> Result<Vec<usize>> {
        match self.inputs.get(name) {
            Some(Input::Integers(values)) => {
                let counts: Option<Vec<usize>> = values.iter().map(|&value| usize::try_from(value).ok()).collect();
                counts.ok_or_else(|| self.bad(name, "counts"))
            }
            _ => Err(self.bad(name, "I64 numbers")),
        }
    }

    pub(crate) fn count(&self, name: &str) -> Result<usize> {
        self.counts(name)?.first().copied().ok_or_else(|| self.bad(name, "one I64 number"))
    }

    pub(crate) fn flags(&self, name: &str) -> Result<Vec<bool>> {
        match self.inputs.get(name) {
            Some(Input::Flags(flags)) => Ok(flags.clone()),
            _ => Err(self.bad(name, "U8 flags")),
        }
    }

    /// Whether a port in `f32` can start from the very same inputs.
    pub(crate) fn fits_f32(&self) -> bool {
        let fits = |x: &f64| f64::from(*x as f32) == *x;
        self.inputs.values().all(|input| match input {
            Input::Floats(values) => values.iter().all(fits),
            Input::Integers(_) | Input::Flags(_) => true,
        })
    }
}

/// Results by name.
pub type Results = Vec<(&'static str, Value)>;

/// How an equation's results follow from a case's inputs, without rounding until the end.
pub type Derive = fn(&Case) -> Result<Results>;
