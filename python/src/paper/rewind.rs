//! Section 3.1, Alg. 4: the rewind point k* and its weights W_k*.

use crate::arrays::{Floats, Real};
use crate::error::raised;
use gdstar::paper::reading::RewindCopy;
use gdstar::paper::rewind as paper;
use gdstar::scalar::Scalar;
use numpy::PyArrayDyn;
use numpy::ndarray::ArrayViewD;
use pyo3::prelude::*;

/// Alg. 4: the smallest Frobenius norm so far, the epoch k* that set it, and W_k*.
///
/// `initial`: W_0, one array a parameter, of any shapes. With `alias`, W_k* is the live weights themselves, and nothing is
/// stored (open point 9).
///
/// >>> import numpy as np, gdstar
/// >>> point = gdstar.paper.RewindPoint([np.array([0.0])])
/// >>> [point.observe(k, norm, [np.array([float(k)])]) for k, norm in enumerate([5.0, 7.0, 4.0, 4.0])]
/// [True, False, True, False]
/// >>> point.minimum, point.k_star, point.weights()
/// (4.0, 2, [array([2.])])
#[pyclass(module = "gdstar.paper")]
pub struct RewindPoint(State);

enum State {
    F32(paper::RewindPoint<f32>),
    F64(paper::RewindPoint<f64>),
}

macro_rules! either {
    ($state:expr, $point:ident => $value:expr) => {
        match $state {
            State::F32($point) => $value,
            State::F64($point) => $value,
        }
    };
}

#[pymethods]
impl RewindPoint {
    #[new]
    #[pyo3(signature = (initial, *, alias = false))]
    fn new(initial: Vec<Floats>, alias: bool) -> PyResult<Self> {
        let copy = if alias { RewindCopy::Alias } else { RewindCopy::Copy };
        Ok(Self(match initial.first() {
            Some(Floats::F32(_)) => State::F32(paper::RewindPoint::new(copy, &views(&initial)?)),
            Some(Floats::F64(_)) | None => State::F64(paper::RewindPoint::new(copy, &views(&initial)?)),
        }))
    }

    /// The end of epoch k: if its Frobenius norm is smaller than any before, k* and W_k* are this epoch's. Returns whether
    /// they are.
    fn observe(&mut self, k: usize, frobenius: f64, weights: Vec<Floats>) -> PyResult<bool> {
        match &mut self.0 {
            State::F32(point) => point.observe(k, f32::from_f64(frobenius), &views(&weights)?),
            State::F64(point) => point.observe(k, frobenius, &views(&weights)?),
        }
        .map_err(raised)
    }

    /// k* and W_k* are those of epoch k, whatever the norm: what *random rewind* does.
    fn move_to(&mut self, k: usize, weights: Vec<Floats>) -> PyResult<()> {
        match &mut self.0 {
            State::F32(point) => point.move_to(k, &views(&weights)?),
            State::F64(point) => point.move_to(k, &views(&weights)?),
        }
        .map_err(raised)
    }

    /// m: the smallest norm seen, inf before the first.
    #[getter]
    fn minimum(&self) -> f64 {
        either!(&self.0, point => point.minimum().to_f64())
    }

    /// k*: the epoch that W_k* is from.
    #[getter]
    fn k_star(&self) -> usize {
        either!(&self.0, point => point.k_star())
    }

    /// A copy of W_k*, one array a parameter; None where it is the live weights.
    fn weights<'py>(&self, py: Python<'py>) -> Option<Vec<Bound<'py, PyAny>>> {
        either!(&self.0, point => point
            .weights()
            .map(|weights| weights.iter().map(|w| PyArrayDyn::from_array(py, w).into_any()).collect()))
    }
}

fn views<'a, S: Real>(arrays: &'a [Floats]) -> PyResult<Vec<ArrayViewD<'a, S>>> {
    arrays.iter().map(|array| Ok(S::array(array)?.as_array())).collect()
}
