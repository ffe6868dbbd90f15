//! Section 3.3: selected weights go back to their rewind values, decayed, and to zero below eps (Eq. 9, Alg. 6).

use super::{chosen, dtype};
use crate::arrays::{Flags, FlagsMut, Floats, FloatsMut, Real, by_dtype};
use crate::error::raised;
use gdstar::paper::decay::{self as paper, Decay};
use gdstar::scalar::{Dtype, Scalar};
use pyo3::prelude::*;

/// Line 2 of Alg. 6: the decay step t at the end of epoch k, `k - k*` by default; `rule` is the open point `decay_step`,
/// and `iteration` the number of optimizer steps so far.
///
/// >>> import gdstar
/// >>> gdstar.paper.decay_step(7, 5)
/// 2
#[pyfunction]
#[pyo3(signature = (k, k_star, *, rule = "k-k*", iteration = 0))]
pub fn decay_step(k: usize, k_star: usize, rule: &str, iteration: usize) -> PyResult<usize> {
    paper::decay_step(chosen(rule)?, k, k_star, iteration).map_err(raised)
}

/// `lambda^t` by squaring, wide and rounded once to `precision`, `"f64"` or `"f32"`.
///
/// >>> import gdstar
/// >>> gdstar.paper.decay_factor(0.75, 3)
/// 0.421875
#[pyfunction]
#[pyo3(signature = (lambda_, t, *, precision = "f64"))]
pub fn decay_factor(lambda_: f64, t: usize, precision: &str) -> PyResult<f64> {
    match dtype(precision)? {
        Dtype::F32 => paper::decay_factor::<f32>(lambda_, t).map(|power| f32::narrow(power).into()),
        Dtype::F64 => paper::decay_factor::<f64>(lambda_, t).map(f64::narrow),
    }
    .map_err(raised)
}

/// Eq. 9 for one weight: `w* lambda^t`, or 0 where its size is below eps; rounded once to `precision`, `"f64"` or `"f32"`.
///
/// >>> import gdstar
/// >>> gdstar.paper.decayed_weight(8.0, 0.5, 2, 1.0)
/// 2.0
/// >>> gdstar.paper.decayed_weight(2.0, 0.5, 2, 1.0)
/// 0.0
#[pyfunction]
#[pyo3(signature = (w_star, lambda_, t, eps, *, precision = "f64"))]
pub fn decayed_weight(w_star: f64, lambda_: f64, t: usize, eps: f64, precision: &str) -> PyResult<f64> {
    match dtype(precision)? {
        Dtype::F32 => paper::decayed_weight(f32::from_f64(w_star), lambda_, t, eps).map(f64::from),
        Dtype::F64 => paper::decayed_weight(w_star, lambda_, t, eps),
    }
    .map_err(raised)
}

/// Alg. 6, in place: every selected living weight becomes `w* lambda^t`, and those below eps are eliminated.
///
/// `weights` and `mask` (True: alive) are changed; `rewind` is W_k*, or None where it is the live weights themselves.
/// `threshold` is the open point: `"selected"` or `"all"`. Returns how many weights were rewound and how many eliminated.
///
/// >>> import numpy as np, gdstar
/// >>> w, mask = np.array([9.0, 9.0, 9.0]), np.array([True, True, True])
/// >>> w_star, selected = np.array([8.0, 2.0, 8.0]), np.array([True, True, False])
/// >>> gdstar.paper.rewind_decay(w, w_star, selected, mask, lambda_=0.5, t=2, eps=1.0)
/// (2, 1)
/// >>> w
/// array([2., 0., 9.])
/// >>> mask
/// array([ True, False,  True])
#[pyfunction]
#[pyo3(signature = (weights, rewind, selected, mask, *, lambda_, t, eps, threshold = "selected"))]
#[allow(clippy::too_many_arguments)]
pub fn rewind_decay(
    py: Python,
    mut weights: FloatsMut,
    rewind: Option<Floats>,
    selected: Flags,
    mut mask: FlagsMut,
    lambda_: f64,
    t: usize,
    eps: f64,
    threshold: &str,
) -> PyResult<(usize, usize)> {
    fn decayed<S: Real>(
        py: Python,
        weights: &mut FloatsMut,
        rewind: Option<&Floats>,
        selected: &Flags,
        mask: &mut FlagsMut,
        decay: &Decay,
    ) -> PyResult<(usize, usize)> {
        let (weights, rewind) = (S::slice_mut(weights)?, rewind.map(S::slice).transpose()?);
        let (selected, mask) = (selected.slice()?, mask.slice_mut()?);
        let counts = py.detach(|| paper::rewind_decay(weights, rewind, selected, mask, decay)).map_err(raised)?;
        Ok((counts.rewound, counts.eliminated))
    }
    let decay = Decay { lambda: lambda_, t, eps, threshold: chosen(threshold)? };
    by_dtype!(FloatsMut, weights, decayed(py, &mut weights, rewind.as_ref(), &selected, &mut mask, &decay))
}
