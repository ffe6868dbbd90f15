//! The input's numbers and what follows from them, each finite or an error that names its place.

use crate::error::{Error, Result};
use crate::trace::{Trace, TracedParameter};

/// A tensor of the input, every number finite.
pub(super) fn read_finite(trace: &Trace, name: &str, parameter: &TracedParameter) -> Result<Vec<f64>> {
    let Some(values) = trace.floats(name)? else {
        return Err(Error::file(trace.path(), format!("tensor `{name}`"), "to be present", "nothing"));
    };
    for (j, &value) in values.iter().enumerate() {
        finite(trace, || name.to_string(), (parameter, j), value)?;
    }
    Ok(values)
}

/// `value`, or the error that it is not finite.
pub(super) fn finite(
    trace: &Trace,
    name: impl Fn() -> String,
    (parameter, j): (&TracedParameter, usize),
    value: f64,
) -> Result<f64> {
    if value.is_finite() {
        return Ok(value);
    }
    let place = format!("tensor `{}`, index {:?}", name(), parameter.index(j));
    Err(Error::file(trace.path(), place, "a finite number", value))
}
