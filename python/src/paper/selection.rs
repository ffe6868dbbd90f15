//! Section 3.2: quantiles, the threshold tau, and which weights are selected (Eq. 5 to 7, Alg. 5).

use super::chosen;
use crate::arrays::{Flags, Floats, Real, by_dtype};
use crate::error::raised;
use gdstar::paper::{quantile as quantiles, selection as paper, structured};
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// What Alg. 5 finds at the end of an epoch.
#[pyclass(frozen, module = "gdstar.paper")]
pub struct Selection {
    /// `q_c` of Eq. 6, one a chunk; empty where no threshold was taken.
    #[pyo3(get)]
    chunk_quantiles: Py<PyAny>,
    /// tau of Eq. 7; 0 where no threshold was taken.
    #[pyo3(get)]
    tau: f64,
    /// Eq. 5: True where a weight is selected, in the order of G.
    #[pyo3(get)]
    selected: Py<PyAny>,
    /// How many are.
    #[pyo3(get)]
    count: usize,
}

#[pymethods]
impl Selection {
    fn __repr__(&self) -> String {
        format!("Selection(tau={:?}, count={})", self.tau, self.count)
    }
}

/// `Quantile_alpha` of all values: the number at rank `alpha (N - 1)`, without a sort and without a copy.
///
/// `rule` is the open point `quantile`: `"linear"`, `"lower"`, `"higher"`, `"nearest"` or `"midpoint"`.
///
/// >>> import numpy as np, gdstar
/// >>> gdstar.paper.quantile(np.array([9.0, 1.0, 0.0, 4.0]), 0.5)
/// 2.5
#[pyfunction]
#[pyo3(signature = (values, alpha, *, rule = "linear"))]
pub fn quantile(py: Python, values: Floats, alpha: f64, rule: &str) -> PyResult<f64> {
    fn read<S: Real>(py: Python, values: &Floats, alpha: f64, rule: &str) -> PyResult<f64> {
        let (values, rule) = (S::slice(values)?, chosen(rule)?);
        py.detach(|| quantiles::quantile_selected(values, alpha, rule)).map(|q| q.to_f64()).map_err(raised)
    }
    by_dtype!(Floats, values, read(py, &values, alpha, rule))
}

/// The sizes of the C chunks that N weights are cut into (Eq. 6): `chunking` is `"near-equal"` or `"ceil"`.
///
/// >>> import gdstar
/// >>> gdstar.paper.chunk_sizes(5, 4)
/// [2, 1, 1, 1]
#[pyfunction]
#[pyo3(signature = (n, chunks, *, chunking = "near-equal"))]
pub fn chunk_sizes(n: usize, chunks: usize, chunking: &str) -> PyResult<Vec<usize>> {
    quantiles::chunk_sizes(n, chunks, chosen(chunking)?).map_err(raised)
}

/// Eq. 6: `q_c = Quantile_alpha(G of chunk c)`, an array `[C]`.
///
/// >>> import numpy as np, gdstar
/// >>> gdstar.paper.chunk_quantiles(np.array([0.0, 4.0, 2.0, 10.0, 6.0, 20.0]), 0.5, 2)
/// array([ 2., 10.])
#[pyfunction]
#[pyo3(signature = (g, alpha, chunks, *, chunking = "near-equal", rule = "linear"))]
pub fn chunk_quantiles<'py>(
    py: Python<'py>,
    g: Floats<'py>,
    alpha: f64,
    chunks: usize,
    chunking: &str,
    rule: &str,
) -> PyResult<Bound<'py, PyAny>> {
    fn cut<'py, S: Real>(
        py: Python<'py>,
        g: &Floats,
        (alpha, chunks): (f64, usize),
        (chunking, rule): (&str, &str),
    ) -> PyResult<Bound<'py, PyAny>> {
        let (g, chunking, rule) = (S::slice(g)?, chosen(chunking)?, chosen(rule)?);
        let found = py.detach(|| quantiles::chunk_quantiles(g, alpha, chunks, chunking, rule)).map_err(raised)?;
        Ok(PyArray1::from_vec(py, found).into_any())
    }
    by_dtype!(Floats, g, cut(py, &g, (alpha, chunks), (chunking, rule)))
}

/// Eq. 7: `tau = (1 / C) sum_c q_c`, wide and rounded once.
///
/// >>> import numpy as np, gdstar
/// >>> gdstar.paper.mean_of_quantiles(np.array([2.0, 10.0]))
/// 6.0
#[pyfunction]
pub fn mean_of_quantiles(quantiles: Floats) -> PyResult<f64> {
    fn mean<S: Real>(q: &Floats) -> PyResult<f64> {
        quantiles::mean_of_quantiles(S::slice(q)?).map(|tau| tau.to_f64()).map_err(raised)
    }
    by_dtype!(Floats, quantiles, mean(&quantiles))
}

/// Eq. 5: True where `G_j < tau`, strictly; tau in the precision of G.
///
/// >>> import numpy as np, gdstar
/// >>> gdstar.paper.below_threshold(np.array([0.0, 2.0, 3.0, 1.0]), 2.0)
/// array([ True, False, False,  True])
#[pyfunction]
pub fn below_threshold<'py>(py: Python<'py>, g: Floats<'py>, tau: f64) -> PyResult<Bound<'py, PyArray1<bool>>> {
    fn below<'py, S: Real>(py: Python<'py>, g: &Floats, tau: f64) -> PyResult<Bound<'py, PyArray1<bool>>> {
        let g = S::slice(g)?;
        Ok(PyArray1::from_vec(py, py.detach(|| paper::below_threshold(g, S::from_f64(tau)))))
    }
    by_dtype!(Floats, g, below(py, &g, tau))
}

/// Alg. 5: chunk quantiles of G, their mean tau, and the weights below it.
///
/// `g` and `mask` (True: alive) `[N]`, in the order of the parameter list. `reading`: the open points on which the run
/// departs from the defaults, as a trace's header has them.
///
/// >>> import numpy as np, gdstar
/// >>> g = np.array([0.0, 4.0, 2.0, 10.0, 6.0, 20.0])
/// >>> found = gdstar.paper.select_weights(g, np.ones(6, bool), alpha=0.5, chunks=2)
/// >>> found.tau, found.selected
/// (6.0, array([ True,  True,  True, False, False, False]))
/// >>> gdstar.paper.select_weights(g, np.ones(6, bool), 0.5, 2, reading={"quantile": "higher"})
/// Selection(tau=6.0, count=3)
#[pyfunction]
#[pyo3(signature = (g, mask, alpha, chunks = 1, *, reading = None))]
pub fn select_weights(
    py: Python,
    g: Floats,
    mask: Flags,
    alpha: f64,
    chunks: usize,
    reading: Option<&Bound<PyDict>>,
) -> PyResult<Selection> {
    fn select<S: Real>(
        py: Python,
        (g, mask): (&Floats, &Flags),
        (alpha, chunks): (f64, usize),
        choices: Option<&Bound<PyDict>>,
    ) -> PyResult<Selection> {
        let (g, mask, reading) = (S::slice(g)?, mask.slice()?, super::reading(choices)?);
        let found = py.detach(|| paper::select_weights(g, mask, alpha, chunks, &reading)).map_err(raised)?;
        Ok(selection(py, found))
    }
    by_dtype!(Floats, g, select(py, (&g, &mask), (alpha, chunks), reading))
}

/// Alg. 5 over groups: blocks (`"4x4"`), output channels (`"channels"`) or a pattern (`"2:4"`) of parameters of `shapes`,
/// one after the other; `score` is `"max"`, `"mean"` or `"norm"`.
///
/// >>> import numpy as np, gdstar
/// >>> g = np.array([1.0, 5.0, 4.0, 4.0, 0.0, 0.0])
/// >>> mean = gdstar.paper.select_structured(g, np.ones(6, bool), [(3, 2)], "channels", 0.5, score="mean")
/// >>> mean.selected
/// array([False, False, False, False,  True,  True])
#[pyfunction]
#[pyo3(signature = (g, mask, shapes, structure, alpha, chunks = 1, *, score = "max", reading = None))]
#[allow(clippy::too_many_arguments)]
pub fn select_structured(
    py: Python,
    g: Floats,
    mask: Flags,
    shapes: Vec<Vec<usize>>,
    structure: &str,
    alpha: f64,
    chunks: usize,
    score: &str,
    reading: Option<&Bound<PyDict>>,
) -> PyResult<Selection> {
    fn select<S: Real>(
        py: Python,
        (g, mask, shapes): (&Floats, &Flags, &[Vec<usize>]),
        groups: (structured::Structure, structured::GroupScore),
        (alpha, chunks): (f64, usize),
        choices: Option<&Bound<PyDict>>,
    ) -> PyResult<Selection> {
        let (g, mask, reading) = (S::slice(g)?, mask.slice()?, super::reading(choices)?);
        let shapes: Vec<&[usize]> = shapes.iter().map(Vec::as_slice).collect();
        let select = || structured::select_structured(g, mask, &shapes, groups, alpha, chunks, &reading);
        Ok(selection(py, py.detach(select).map_err(raised)?))
    }
    let groups = (structure.parse().map_err(raised)?, chosen(score)?);
    by_dtype!(Floats, g, select(py, (&g, &mask, &shapes), groups, (alpha, chunks), reading))
}

fn selection<S: Real>(py: Python, found: paper::Selection<S>) -> Selection {
    let (tau, count) = (found.tau.to_f64(), found.count());
    Selection {
        chunk_quantiles: PyArray1::from_vec(py, found.chunk_quantiles).into_any().unbind(),
        tau,
        selected: PyArray1::from_vec(py, found.selected).into_any().unbind(),
        count,
    }
}
