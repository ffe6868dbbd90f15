//! The equations over NumPy arrays: [`gdstar::paper`] function by function, under the same names.
//!
//! A sum or another single number of float32 arrays is computed as float32 and returned as a Python float, which holds it
//! exactly; arrays come back in the dtype that they were given in.

pub mod decay;
pub mod gradient_norm;
pub mod rewind;
pub mod schedule;
pub mod selection;

use crate::error::raised;
use gdstar::choice::Choice;
use gdstar::paper::reading::Reading;
use gdstar::scalar::Dtype;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// A choice by its name in files; the error lists all of them.
fn chosen<T: Choice>(name: &str) -> PyResult<T> {
    name.parse().map_err(raised)
}

/// The number system of single numbers: `f32` or `f64`.
fn dtype(name: &str) -> PyResult<Dtype> {
    chosen(name)
}

/// The choices for the paper's open points, as a trace's header has them.
fn reading(choices: Option<&Bound<PyDict>>) -> PyResult<Reading> {
    let Some(choices) = choices else { return Ok(Reading::default()) };
    let json = choices.py().import("json")?.call_method1("dumps", (choices,))?;
    let bad = |found| gdstar::Error::domain("reading", "the open points' keys and choices", found);
    serde_json::from_str(json.extract::<&str>()?).map_err(|error| raised(bad(error.to_string())))
}
