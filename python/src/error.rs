//! The library's errors as Python's.

use pyo3::prelude::*;

mod python {
    pyo3::import_exception!(gdstar._error, Error);
}

/// `gdstar.Error` with the error's one line.
pub fn raised(error: gdstar::Error) -> PyErr {
    python::Error::new_err(error.to_string())
}
