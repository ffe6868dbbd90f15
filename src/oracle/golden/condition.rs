//! The scale of rounding errors: for every result of an op case a [magnitude](crate::ops::Magnitude), the size of what is
//! added up to make it. One rounding of relative size u anywhere in the op's formula changes the result by about u times its
//! magnitude, so `cond = magnitude / |result|` is its condition number and `gamma(n) * magnitude` bounds n roundings.
//!
//! How an op's magnitudes are found, and how it adds up, it says itself ([`Catalogued`](crate::ops::Catalogued)).

use crate::error::Result;
use crate::kernel::Kernel;
use crate::op::Evaluation;
use crate::ops::{Care, Example, Summation, cases::OpCase};
use crate::scalar::{DoubleDouble, Scalar};
use ndarray::ArrayD;

/// No element of a result is made of more terms than this: every sum runs over distinct elements of one tensor.
pub fn longest_sum(case: &OpCase) -> usize {
    if case.op.sums() == Summation::None {
        return 0;
    }
    let lengths = case.inputs.iter().map(|(_, x)| x.len()).chain(case.upstream.iter().flatten().map(ArrayD::len));
    lengths.max().unwrap_or(0)
}

/// The case in DoubleDouble arithmetic: about 31 digits, against which all else is measured.
///
/// # Errors
/// None for a case from a file, which has been checked.
pub fn truth(case: &OpCase) -> Result<Evaluation<DoubleDouble>> {
    case.evaluate(Kernel::Literal)
}

/// `abs(result - truth)`, element by element, for a result in f64 (f32 is exact in it).
pub fn error(result: f64, truth: DoubleDouble) -> f64 {
    (DoubleDouble::from_f64(result) - truth).to_f64().abs()
}

/// The magnitude of every output and gradient, as computed with this care.
///
/// # Errors
/// None for a case from a file, which has been checked.
pub fn magnitude(case: &OpCase, care: Care) -> Result<Evaluation<f64>> {
    let inputs = case.inputs.iter().map(|(_, x)| x.clone()).collect();
    let example = Example { inputs, upstream: case.upstream.clone(), wanted: case.wanted.clone() };
    case.op.magnitude(&example, care)
}
