//! Named attributes of an op, as read from a file: taken out one by one, with an error that names what is off.

use crate::error::{Error, Result};
use ndarray::ArrayD;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The attributes (numbers, flags, short lists) and integer tensors (labels, masks) of one op case.
#[derive(Debug, Clone, Default)]
pub struct Attributes {
    /// Attributes by name.
    pub values: Map<String, Value>,
    /// Integer inputs by name: `labels`, `mask`.
    pub integers: BTreeMap<String, ArrayD<i64>>,
}

impl Attributes {
    fn take<T>(
        &mut self,
        name: &str,
        expected: &str,
        default: Option<T>,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<T> {
        match self.values.remove(name) {
            Some(value) => read(&value).ok_or_else(|| Error::domain(format!("attribute `{name}`"), expected, &value)),
            None => default.ok_or_else(|| Error::domain(format!("attribute `{name}`"), expected, "nothing")),
        }
    }

    /// A non-negative integer.
    pub fn count(&mut self, name: &str, default: Option<usize>) -> Result<usize> {
        self.take(name, "a non-negative integer", default, as_count)
    }

    /// A finite number.
    pub fn number(&mut self, name: &str, default: Option<f64>) -> Result<f64> {
        self.take(name, "a finite number", default, Value::as_f64)
    }

    /// A flag.
    pub fn flag(&mut self, name: &str, default: Option<bool>) -> Result<bool> {
        self.take(name, "true or false", default, Value::as_bool)
    }

    /// Two non-negative integers, `[vertical, horizontal]`.
    pub fn pair(&mut self, name: &str, default: Option<[usize; 2]>) -> Result<[usize; 2]> {
        self.take(name, "two non-negative integers", default, as_pair)
    }

    /// A list of non-negative integers.
    pub fn counts(&mut self, name: &str) -> Result<Vec<usize>> {
        self.take(name, "a list of non-negative integers", None, |v| v.as_array()?.iter().map(as_count).collect())
    }

    /// A list of pairs, one per axis: `[[before, after], ..]`.
    pub fn pairs(&mut self, name: &str) -> Result<Vec<[usize; 2]>> {
        self.take(name, "a list of [before, after] pairs", None, |v| v.as_array()?.iter().map(as_pair).collect())
    }

    /// An integer tensor.
    pub fn integers(&mut self, name: &str) -> Result<ArrayD<i64>> {
        self.integers
            .remove(name)
            .ok_or_else(|| Error::domain(format!("input `{name}`"), "an integer tensor", "nothing"))
    }
}

fn as_count(value: &Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}

fn as_pair(value: &Value) -> Option<[usize; 2]> {
    match value.as_array()?.as_slice() {
        [a, b] => Some([as_count(a)?, as_count(b)?]),
        _ => None,
    }
}
