//! The oracle: traces and records, judged and replayed.

use crate::error::raised;
use gdstar::oracle::{self, CheckOptions, Ensemble, RunStatistics, replay};
use gdstar::tensor_file::{Tensor, TensorFile};
use gdstar::trace;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a check is asked for, as the command's options are called.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Asked {
    exact: bool,
    insist: bool,
    without_step: bool,
    level: Option<String>,
    ensemble: Vec<PathBuf>,
    runs: Vec<PathBuf>,
}

/// The report's text, the object that `--json` prints, and the exit code.
type Checked = (String, String, u8);
/// A tensor as NumPy makes an array of it: name, dtype, shape, bytes.
type Stored<'py> = (String, String, Vec<usize>, Bound<'py, PyBytes>);

/// Checks a file.
#[pyfunction]
pub fn check_file(py: Python, path: PathBuf, asked: Asked) -> PyResult<Checked> {
    py.detach(|| check(TensorFile::open_packed(&path)?, &asked)).map_err(raised)
}

/// Checks the content of a file that is called `name` in messages.
#[pyfunction]
pub fn check_bytes(py: Python, name: PathBuf, content: Vec<u8>, asked: Asked) -> PyResult<Checked> {
    py.detach(|| check(TensorFile::parse(&name, content)?, &asked)).map_err(raised)
}

fn check(file: TensorFile, asked: &Asked) -> gdstar::Result<Checked> {
    let options = CheckOptions {
        exact: asked.exact,
        insist: asked.insist,
        without_step: asked.without_step,
        reach: asked.level.as_deref().map(str::parse).transpose()?,
        ensemble: if asked.ensemble.is_empty() { None } else { Some(Ensemble::read(&asked.ensemble)?) },
        runs: RunStatistics::read_all(&asked.runs)?,
        ..CheckOptions::default()
    };
    let checked = oracle::check_file(file, &options, &|_, _| {})?;
    Ok((checked.to_string(), checked.to_json().to_string(), checked.verdict().exit_code()))
}

/// Replays the trace at `path` into the file `out`; what could not be computed, a line each.
#[pyfunction]
pub fn replay_file(py: Python, path: PathBuf, out: PathBuf) -> PyResult<Vec<String>> {
    py.detach(|| replay::replay(&path, &out, &mut |_, _| {})).map(|written| written.notes).map_err(raised)
}

/// Replays the content of a trace: the result's header, its tensors, and what could not be computed.
#[pyfunction]
pub fn replay_bytes<'py>(
    py: Python<'py>,
    name: PathBuf,
    content: Vec<u8>,
) -> PyResult<(String, Vec<Stored<'py>>, Vec<String>)> {
    let (header, tensors, notes) = py.detach(|| replayed(&name, content)).map_err(raised)?;
    let stored = tensors
        .into_iter()
        .map(|(name, tensor)| (name, format!("{:?}", tensor.dtype), tensor.shape, PyBytes::new(py, &tensor.bytes)));
    Ok((header, stored.collect(), notes))
}

fn replayed(name: &Path, content: Vec<u8>) -> gdstar::Result<(String, BTreeMap<String, Tensor>, Vec<String>)> {
    let opened = trace::of_file(TensorFile::parse(name, content)?)?;
    let mut tensors = BTreeMap::new();
    let (header, written) = replay::replay_opened(&opened, &mut tensors, &mut |_, _| {})?;
    Ok((header.to_string(), tensors, written.notes))
}
