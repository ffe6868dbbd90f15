//! Results without rounding: the numbers they are computed in, and the cases of golden files that they belong to.
//!
//! Beside each exact result stands what [`crate::paper`] makes of the same inputs: every decision must be the same, and
//! every real quantity within 1 ulp.

pub mod case;
pub mod dyadic;

use crate::error::Result;
use case::{Reals, Value};
use dyadic::{Dyadic, Format};

/// Exact numbers, rounded to both formats.
pub(crate) fn rounded(exact: &[Dyadic], reference: Vec<f64>) -> Value {
    let to = |format| exact.iter().map(move |x| x.rounded(format));
    let f32 = to(Format::F32).map(|x| x as f32).collect();
    Value::Reals(Reals { f64: to(Format::F64).collect(), f32: Some(f32), reference })
}

pub(crate) fn exact(values: &[f64]) -> Result<Vec<Dyadic>> {
    values.iter().map(|&x| Dyadic::new(x)).collect()
}

pub(crate) fn sum(terms: impl IntoIterator<Item = Dyadic>) -> Dyadic {
    terms.into_iter().fold(Dyadic::ZERO, |sum, term| sum.plus(&term))
}
