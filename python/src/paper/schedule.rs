//! Section 3.2's prune rate (Eq. 8), and what chunks save (Eq. 10, 11).

use super::dtype;
use crate::error::raised;
use gdstar::paper::{EQUATIONS, cost, schedule};
use gdstar::scalar::{Dtype, Scalar};
use pyo3::prelude::*;

/// Eq. 8: `alpha_k = alpha_0 + (k / K) (alpha_K - alpha_0)`, the fraction of weights that epoch k targets, rounded once to
/// `precision`, `"f64"` or `"f32"`.
///
/// >>> import gdstar
/// >>> gdstar.paper.prune_rate(150, 300, 0.95, 0.25)
/// 0.6
#[pyfunction]
#[pyo3(signature = (k, epochs, alpha_0, alpha_end, *, precision = "f64"))]
pub fn prune_rate(k: usize, epochs: usize, alpha_0: f64, alpha_end: f64, precision: &str) -> PyResult<f64> {
    match dtype(precision)? {
        Dtype::F32 => schedule::prune_rate(k, epochs, f32::from_f64(alpha_0), f32::from_f64(alpha_end)).map(f64::from),
        Dtype::F64 => schedule::prune_rate(k, epochs, alpha_0, alpha_end),
    }
    .map_err(raised)
}

/// Eq. 10: `(1 - log(N / C) / log N) 100`, the percentage of a sort's comparisons that C chunks save.
///
/// >>> import gdstar
/// >>> gdstar.paper.computation_saving(16, 4)
/// 50.0
#[pyfunction]
pub fn computation_saving(n: usize, chunks: usize) -> PyResult<f64> {
    cost::computation_saving(n, chunks).map_err(raised)
}

/// Eq. 11: `(1 - 1 / C) 100`, the percentage of memory that C chunks save.
///
/// >>> import gdstar
/// >>> gdstar.paper.memory_saving(16)
/// 93.75
#[pyfunction]
pub fn memory_saving(chunks: usize) -> PyResult<f64> {
    cost::memory_saving(chunks).map_err(raised)
}

/// Every numbered equation and algorithm: its number in the paper, the function's name, and what it computes.
///
/// >>> import gdstar
/// >>> gdstar.paper.equations()[7]
/// ('Eq. 8', 'prune_rate', 'alpha_k = alpha_0 + (k/K)(alpha_K - alpha_0)')
#[pyfunction]
pub fn equations() -> Vec<(&'static str, &'static str, &'static str)> {
    let name = |path: &'static str| path.split_once("::").map_or(path, |(_, name)| name);
    EQUATIONS.iter().map(|equation| (equation.number, name(equation.function), equation.computes)).collect()
}
