//! Section 3.1: the size of an epoch's gradients (Eq. 1 to 4).

use super::{chosen, dtype};
use crate::arrays::{Flags, Floats, FloatsMut, Real, by_dtype, slices};
use crate::error::raised;
use gdstar::kernel::Kernel;
use gdstar::paper::gradient_norm as paper;
use gdstar::scalar::{Dtype, Scalar};
use numpy::PyArray1;
use pyo3::prelude::*;

/// Eq. 1: `S_abs = sum_i sum_j |g_ij|`, the L1 norms of an epoch's gradients added up; the sum is wide and rounded once.
///
/// `batches`: one array a batch, each the gradient of all weights; any shape, row-major.
///
/// >>> import numpy as np, gdstar
/// >>> gdstar.paper.sum_of_l1_norms([np.array([0.5, -0.5, 1.0]), np.array([-2.0, 0.0, 3.0])])
/// 7.0
#[pyfunction]
pub fn sum_of_l1_norms(py: Python, batches: Vec<Floats>) -> PyResult<f64> {
    fn sum<S: Real>(py: Python, batches: &[Floats]) -> PyResult<f64> {
        let batches = slices::<S>(batches)?;
        Ok(py.detach(|| paper::sum_of_l1_norms(&batches)).to_f64())
    }
    let Some(first) = batches.first() else { return Ok(0.0) };
    by_dtype!(Floats, first, sum(py, &batches))
}

/// Eq. 2: `G_j = sum_i g_ij^2` over an epoch's batches, each sum wide and rounded once; a new array `[N]`.
///
/// >>> import numpy as np, gdstar
/// >>> gdstar.paper.accumulated_squares([np.array([3.0, -1.0]), np.array([4.0, 2.0])])
/// array([25.,  5.])
#[pyfunction]
pub fn accumulated_squares<'py>(py: Python<'py>, batches: Vec<Floats<'py>>) -> PyResult<Bound<'py, PyAny>> {
    fn squares<'py, S: Real>(py: Python<'py>, batches: &[Floats]) -> PyResult<Bound<'py, PyAny>> {
        let batches = slices::<S>(batches)?;
        let g = py.detach(|| paper::accumulated_squares(&batches)).map_err(raised)?;
        Ok(PyArray1::from_vec(py, g).into_any())
    }
    match batches.first() {
        Some(first) => by_dtype!(Floats, first, squares(py, &batches)),
        None => squares::<f64>(py, &batches),
    }
}

/// Eq. 2, one batch, in place: `G_j <- G_j + g_j^2` in the precision of `g`, rounded at every batch.
///
/// >>> import numpy as np, gdstar
/// >>> g = np.zeros(2)
/// >>> for gradient in np.array([[3.0, -1.0], [4.0, 2.0]]):
/// ...     gdstar.paper.accumulate_squares(g, gradient)
/// >>> g
/// array([25.,  5.])
#[pyfunction]
pub fn accumulate_squares(py: Python, mut g: FloatsMut, gradient: Floats) -> PyResult<()> {
    fn add<S: Real>(py: Python, g: &mut FloatsMut, gradient: &Floats) -> PyResult<()> {
        let (g, gradient) = (S::slice_mut(g)?, S::slice(gradient)?);
        py.detach(|| paper::accumulate_squares(Kernel::Fast, g, gradient)).map_err(raised)
    }
    by_dtype!(FloatsMut, g, add(py, &mut g, &gradient))
}

/// Eq. 3: `S_sq = sum_j G_j`, wide and rounded once.
///
/// >>> import numpy as np, gdstar
/// >>> gdstar.paper.sum_of_squares(np.array([25.0, 5.0]))
/// 30.0
#[pyfunction]
pub fn sum_of_squares(py: Python, g: Floats) -> PyResult<f64> {
    fn sum<S: Real>(py: Python, g: &Floats) -> PyResult<f64> {
        let g = S::slice(g)?;
        Ok(py.detach(|| paper::sum_of_squares(g)).to_f64())
    }
    by_dtype!(Floats, g, sum(py, &g))
}

/// Eq. 3's right-hand side: `sum_i ||g_i||_F^2` over an epoch's batches, wide and rounded once.
///
/// >>> import numpy as np, gdstar
/// >>> gdstar.paper.sum_of_squared_norms([np.array([3.0, -1.0]), np.array([4.0, 2.0])])
/// 30.0
#[pyfunction]
pub fn sum_of_squared_norms(py: Python, batches: Vec<Floats>) -> PyResult<f64> {
    fn sum<S: Real>(py: Python, batches: &[Floats]) -> PyResult<f64> {
        let batches = slices::<S>(batches)?;
        Ok(py.detach(|| paper::sum_of_squared_norms(&batches)).to_f64())
    }
    let Some(first) = batches.first() else { return Ok(0.0) };
    by_dtype!(Floats, first, sum(py, &batches))
}

/// Eq. 4: `S_F = sqrt(S_sq)`; `precision` is that of the numbers, `"f64"` or `"f32"`.
///
/// >>> import gdstar
/// >>> gdstar.paper.frobenius_norm(25.0)
/// 5.0
#[pyfunction]
#[pyo3(signature = (s_sq, *, precision = "f64"))]
pub fn frobenius_norm(s_sq: f64, precision: &str) -> PyResult<f64> {
    match dtype(precision)? {
        Dtype::F32 => paper::frobenius_norm(f32::from_f64(s_sq)).map(f64::from),
        Dtype::F64 => paper::frobenius_norm(s_sq),
    }
    .map_err(raised)
}

/// Open point 7, in place: the gradient (or G) of eliminated weights, kept under `"dense"`, 0 under `"zero"` and
/// `"excluded"`. `mask`: True where a weight is alive.
///
/// >>> import numpy as np, gdstar
/// >>> g = np.array([4.0, 9.0])
/// >>> gdstar.paper.mask_gradient(g, np.array([True, False]), "zero")
/// >>> g
/// array([4., 0.])
#[pyfunction]
pub fn mask_gradient(py: Python, mut gradient: FloatsMut, mask: Flags, treatment: &str) -> PyResult<()> {
    fn hold<S: Real>(py: Python, gradient: &mut FloatsMut, mask: &Flags, treatment: &str) -> PyResult<()> {
        let (gradient, mask, treatment) = (S::slice_mut(gradient)?, mask.slice()?, chosen(treatment)?);
        py.detach(|| paper::mask_gradient(gradient, mask, treatment)).map_err(raised)
    }
    by_dtype!(FloatsMut, gradient, hold(py, &mut gradient, &mask, treatment))
}
