//! [`Reference`] and [`Value`]: a tensor of a record by name, and its numbers.

use crate::error::{Error, Result};
use crate::tensor_file::TensorFile;
use ndarray::ArrayD;
use safetensors::Dtype;

/// A tensor of the file, seen in a shape of as many elements: views of the same numbers are one stored tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The tensor's name in the file.
    pub tensor: String,
    pub dtype: Dtype,
    /// Row-major, whatever the port's strides were.
    pub shape: Vec<usize>,
}

/// A tensor's numbers, each exactly.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// Its name in the file, for findings.
    pub tensor: String,
    /// In what it was stored, and so how its numbers were rounded.
    pub dtype: Dtype,
    /// Every floating-point type, integers up to 2^53 and truth values (0 and 1) as f64, which holds them exactly.
    pub array: ArrayD<f64>,
}

/// The largest relative error of one rounding to nearest in a floating-point type: half the distance from 1 to the next
/// number, 2^-p for a significand of p binary digits; `None` for a type that is not one of F64, F32, F16, BF16.
#[must_use]
pub fn unit_roundoff(dtype: Dtype) -> Option<f64> {
    let digits = match dtype {
        Dtype::F64 => 53,
        Dtype::F32 => 24,
        Dtype::F16 => 11,
        Dtype::BF16 => 8,
        _ => return None,
    };
    Some(crate::scalar::power_of_two(-digits))
}

/// The largest integer up to which every integer is an f64.
const LARGEST_INTEGER: i64 = 1 << 53;

impl Value {
    /// Whether its numbers are floating-point, and so may have been rounded.
    pub fn is_float(&self) -> bool {
        unit_roundoff(self.dtype).is_some()
    }
}

impl Reference {
    /// How many elements the tensor has.
    pub fn len(&self) -> usize {
        // As many as the stored tensor's, whose bytes are in the file.
        self.shape.iter().product()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The tensor's numbers, in the reference's shape.
    ///
    /// # Errors
    /// [`Error::File`] for an integer beyond 2^53 or a truth value above 1; [`Error::Io`].
    pub fn load(&self, file: &TensorFile) -> Result<Value> {
        let bad =
            |expected: &str, found| Error::file(file.path(), format!("tensor `{}`", self.tensor), expected, found);
        let array = match unit_roundoff(self.dtype) {
            Some(_) => file.read_floats(&self.tensor, None)?,
            None => {
                let integers = file.read_integers(&self.tensor, None)?;
                let most = if self.dtype == Dtype::BOOL { 1 } else { LARGEST_INTEGER };
                let beyond = |&&i: &&i64| !(-most..=most).contains(&i);
                if let Some(found) = integers.iter().find(beyond) {
                    let expected = if most == 1 { "truth values, 0 or 1" } else { "integers of size 2^53 at most" };
                    return Err(bad(expected, found.to_string()));
                }
                integers.mapv(|i| i as f64)
            }
        };
        let shaped = array.into_shape_with_order(self.shape.as_slice());
        let array = shaped.map_err(|e| bad(&format!("shape {:?}", self.shape), e.to_string()))?;
        Ok(Value { tensor: self.tensor.clone(), dtype: self.dtype, array })
    }
}

/// How far a number of a tensor is from the nearest that it may be, in units in the last place that this has in the
/// tensor's type; of integers in ones.
pub(crate) fn ulps(file: &TensorFile, tensor: &str, got: f64, nearest: f64) -> f64 {
    let unit = file.describe(tensor).and_then(|(dtype, _)| unit_roundoff(dtype));
    let Some(unit) = unit else { return (got - nearest).abs() };
    let (_, exponent) = libm::frexp(nearest.abs().max(f64::MIN_POSITIVE));
    (got - nearest).abs() / libm::ldexp(2.0 * unit, exponent - 1)
}
