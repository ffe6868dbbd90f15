//! NumPy arrays as slices, without a copy.
//!
//! An array is taken where its memory is what the equations read: float32 or float64 (or bool) of this machine's byte order,
//! in row-major order, aligned. Any other is refused with a line that says what it is: a silent copy would hide what a port
//! feeds in, and what is changed in place would be lost.

use gdstar::scalar::Scalar;
use numpy::{
    Element, PyArrayDyn, PyReadonlyArrayDyn, PyReadwriteArrayDyn, PyUntypedArray, PyUntypedArrayMethods, prelude::*,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

/// An array of either floating-point type that only its own elements are read of.
pub enum Floats<'py> {
    F32(PyReadonlyArrayDyn<'py, f32>),
    F64(PyReadonlyArrayDyn<'py, f64>),
}

/// The same, to be changed in place.
pub enum FloatsMut<'py> {
    F32(PyReadwriteArrayDyn<'py, f32>),
    F64(PyReadwriteArrayDyn<'py, f64>),
}

/// One truth value for each weight.
pub struct Flags<'py>(PyReadonlyArrayDyn<'py, bool>);

/// The same, to be changed in place.
pub struct FlagsMut<'py>(PyReadwriteArrayDyn<'py, bool>);

/// A number system that arrays have, and the arrays that have it.
pub trait Real: Scalar + Element {
    /// The elements in row-major order.
    fn slice<'a>(floats: &'a Floats) -> PyResult<&'a [Self]>;
    /// The same, to be changed.
    fn slice_mut<'a>(floats: &'a mut FloatsMut) -> PyResult<&'a mut [Self]>;
    /// The array itself.
    fn array<'a, 'py>(floats: &'a Floats<'py>) -> PyResult<&'a PyReadonlyArrayDyn<'py, Self>>;
}

macro_rules! real {
    ($($T:ty = $Variant:ident, $name:literal);+) => { $(
        impl Real for $T {
            fn slice<'a>(floats: &'a Floats) -> PyResult<&'a [Self]> {
                Ok(Self::array(floats)?.as_slice()?)
            }
            fn slice_mut<'a>(floats: &'a mut FloatsMut) -> PyResult<&'a mut [Self]> {
                match floats {
                    FloatsMut::$Variant(array) => Ok(array.as_slice_mut()?),
                    _ => Err(mixed($name)),
                }
            }
            fn array<'a, 'py>(floats: &'a Floats<'py>) -> PyResult<&'a PyReadonlyArrayDyn<'py, Self>> {
                match floats {
                    Floats::$Variant(array) => Ok(array),
                    _ => Err(mixed($name)),
                }
            }
        }
    )+ };
}
real!(f32 = F32, "float32"; f64 = F64, "float64");

fn mixed(expected: &str) -> PyErr {
    PyTypeError::new_err(format!("expected arrays of one dtype, {expected} as the first has, found the other"))
}

/// The slices of several arrays.
pub fn slices<'a, S: Real>(arrays: &'a [Floats]) -> PyResult<Vec<&'a [S]>> {
    arrays.iter().map(S::slice).collect()
}

/// Calls a function that is generic over [`Real`] for the number system of an array.
macro_rules! by_dtype {
    ($Kind:ident, $floats:expr, $function:ident($($argument:expr),* $(,)?)) => {
        match $floats {
            $crate::arrays::$Kind::F32(_) => $function::<f32>($($argument),*),
            $crate::arrays::$Kind::F64(_) => $function::<f64>($($argument),*),
        }
    };
}
pub(crate) use by_dtype;

impl Flags<'_> {
    pub fn slice(&self) -> PyResult<&[bool]> {
        Ok(self.0.as_slice()?)
    }
}

impl FlagsMut<'_> {
    pub fn slice_mut(&mut self) -> PyResult<&mut [bool]> {
        Ok(self.0.as_slice_mut()?)
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Floats<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        check_plain(object, FLOATS)?;
        if let Ok(array) = object.cast::<PyArrayDyn<f32>>() {
            return Ok(Self::F32(array.try_readonly()?));
        }
        match object.cast::<PyArrayDyn<f64>>() {
            Ok(array) => Ok(Self::F64(array.try_readonly()?)),
            Err(_) => Err(wrong_dtype(object, FLOATS)),
        }
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for FloatsMut<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        check_plain(object, FLOATS)?;
        if let Ok(array) = object.cast::<PyArrayDyn<f32>>() {
            return Ok(Self::F32(array.try_readwrite()?));
        }
        match object.cast::<PyArrayDyn<f64>>() {
            Ok(array) => Ok(Self::F64(array.try_readwrite()?)),
            Err(_) => Err(wrong_dtype(object, FLOATS)),
        }
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Flags<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        check_plain(object, FLAGS)?;
        let array = object.cast::<PyArrayDyn<bool>>().map_err(|_| wrong_dtype(object, FLAGS))?;
        Ok(Self(array.try_readonly()?))
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for FlagsMut<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        check_plain(object, FLAGS)?;
        let array = object.cast::<PyArrayDyn<bool>>().map_err(|_| wrong_dtype(object, FLAGS))?;
        Ok(Self(array.try_readwrite()?))
    }
}

const FLOATS: &str = "float32 or float64";
const FLAGS: &str = "bool";

/// Whether an object is an array whose memory can be taken as it is.
fn check_plain(object: Borrowed<'_, '_, PyAny>, expected: &str) -> PyResult<()> {
    let Ok(array) = object.cast::<PyUntypedArray>() else {
        return Err(refused(expected, object.get_type().name()?.to_string()));
    };
    if array.is_c_contiguous() && array.is_aligned() {
        return Ok(());
    }
    Err(refused(expected, "one that is not row-major and aligned: numpy.ascontiguousarray makes it so".to_string()))
}

/// An array of another dtype, which may be of another byte order.
fn wrong_dtype(object: Borrowed<'_, '_, PyAny>, expected: &str) -> PyErr {
    let found = object.getattr("dtype").and_then(|dtype| dtype.str()).map(|dtype| format!("dtype {dtype}"));
    refused(expected, found.unwrap_or_else(|_| "another dtype".to_string()))
}

fn refused(expected: &str, found: String) -> PyErr {
    PyTypeError::new_err(format!("expected a NumPy array of {expected}, found {found}"))
}
