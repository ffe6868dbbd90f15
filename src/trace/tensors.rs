//! [`Tensors`]: the tensors of a trace by name, read when they are needed.

use super::unflatten;
use crate::error::{Error, Result};
use crate::scalar::Dtype;
use crate::tensor_file::TensorFile;
use half::{bf16, f16};
use safetensors::Dtype as Stored;
use std::borrow::Cow;
use std::path::Path;

/// The tensors of a trace.
pub struct Tensors {
    file: TensorFile,
    /// In what the port computed.
    port: Dtype,
}

impl Tensors {
    pub(super) fn new(file: TensorFile, port: Dtype) -> Self {
        Self { file, port }
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// The names of all tensors.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.file.names()
    }

    /// Whether a tensor of this name is there.
    pub fn has(&self, name: &str) -> bool {
        self.file.describe(name).is_some()
    }

    /// The shape of a tensor that is there.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.file.describe(name).map(|(_, shape)| shape)
    }

    /// A tensor of floats, exactly, if it is there.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read.
    pub fn floats(&self, name: &str) -> Result<Option<Vec<f64>>> {
        if !self.has(name) {
            return Ok(None);
        }
        Ok(Some(self.file.read_floats(name, None)?.into_raw_vec_and_offset().0))
    }

    /// A mask, if it is there: true for 1.
    ///
    /// # Errors
    /// [`Error::File`] for a value above 1; [`Error::Io`].
    pub fn flags(&self, name: &str) -> Result<Option<Vec<bool>>> {
        if !self.has(name) {
            return Ok(None);
        }
        let values = self.file.read::<u8>(name, None)?.into_raw_vec_and_offset().0;
        match values.iter().position(|&value| value > 1) {
            None => Ok(Some(values.into_iter().map(|value| value == 1).collect())),
            Some(j) => {
                let index = unflatten(j, self.shape(name).unwrap_or_default());
                let place = format!("tensor `{name}`, index {index:?}");
                Err(Error::file(self.file.path(), place, "0 or 1", values[j]))
            }
        }
    }

    /// The bytes of a tensor that is there.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn bytes(&self, name: &str) -> Result<Cow<'_, [u8]>> {
        self.file.raw(name)
    }

    /// A tensor of integers, if it is there.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn integers(&self, name: &str) -> Result<Option<Vec<i64>>> {
        if !self.has(name) {
            return Ok(None);
        }
        Ok(Some(self.file.read::<i64>(name, None)?.into_raw_vec_and_offset().0))
    }

    /// The unit roundoff of a tensor's storage where that is narrower than the arithmetic, else 0: how far what is
    /// recorded may be from what the port went on with.
    pub fn storage_error(&self, name: &str) -> f64 {
        match (self.port, self.dtype(name)) {
            (_, Some(Stored::BF16)) => 1.0 / 256.0,
            (_, Some(Stored::F16)) => 1.0 / 2048.0,
            (Dtype::F64, Some(Stored::F32)) => Dtype::F32.unit_roundoff(),
            _ => 0.0,
        }
    }

    /// The smallest subnormal number of a storage that is narrower than the arithmetic, else 0.
    pub fn storage_underflow(&self, name: &str) -> f64 {
        match (self.port, self.dtype(name)) {
            (_, Some(Stored::F16)) => f16::MIN_POSITIVE_SUBNORMAL.to_f64(),
            (_, Some(Stored::BF16)) => bf16::MIN_POSITIVE_SUBNORMAL.to_f64(),
            (Dtype::F64, Some(Stored::F32)) => f32::from_bits(1).into(),
            _ => 0.0,
        }
    }

    /// How a tensor that is there is stored.
    fn dtype(&self, name: &str) -> Option<Stored> {
        self.file.describe(name).map(|(dtype, _)| dtype)
    }

    /// How far, relatively, two recordings of one number may be apart: a rounding to the narrower of two storages.
    pub fn storage_difference(&self, one: &str, other: &str) -> f64 {
        match (self.dtype(one), self.dtype(other)) {
            (Some(one), Some(other)) if one != other => Dtype::F32.unit_roundoff(),
            _ => 0.0,
        }
    }
}
