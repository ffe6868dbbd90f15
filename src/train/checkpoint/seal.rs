//! A checkpoint's checksum: it stands in the header and is taken over all the rest of it and over every tensor, so that
//! no bit can change unseen.

use crate::checksum::Checksum;
use crate::error::{Error, Result};
use crate::tensor_file::{Tensor, TensorFile};
use safetensors::tensor::Dtype;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// The header with its checksum where it has [`Checksum::BLANK`]. Sorts the tensors by name.
///
/// # Errors
/// None: tensors in memory can be read.
pub(super) fn sealed(header: &str, tensors: &mut [(String, Tensor)]) -> Result<String> {
    tensors.sort_by(|(a, _), (b, _)| a.cmp(b));
    let checksum = checksum(header, tensors.iter().map(|(name, tensor)| Ok(SealedTensor::new(name, tensor))))?;
    Ok(header.replacen(&Checksum::BLANK.to_string(), &checksum.to_string(), 1))
}

/// Checks a file whose header, of this text, says that this is its checksum.
///
/// # Errors
/// [`Error::File`] if it is not; [`Error::Io`] if a tensor cannot be read.
pub(super) fn check(file: &TensorFile, header: &str, expected: Checksum) -> Result<()> {
    let blank = header.replacen(&expected.to_string(), &Checksum::BLANK.to_string(), 1);
    let found = checksum(&blank, file.names().map(|name| SealedTensor::of(file, name)))?;
    if found == expected {
        return Ok(());
    }
    let expected = format!("{expected}, as the file says");
    let found = format!("{found}: it is damaged; an earlier copy of it is needed, or a new run");
    Err(Error::file(file.path(), "SHA-256 of the content", expected, found))
}

/// A tensor as its checkpoint's checksum takes it.
struct SealedTensor<'a> {
    name: &'a str,
    dtype: Dtype,
    shape: &'a [usize],
    bytes: Cow<'a, [u8]>,
}

impl<'a> SealedTensor<'a> {
    fn new(name: &'a str, Tensor { dtype, shape, bytes }: &'a Tensor) -> Self {
        Self { name, dtype: *dtype, shape, bytes: bytes.into() }
    }

    fn of(file: &'a TensorFile, name: &'a str) -> Result<Self> {
        let bytes = file.raw(name)?;
        let (dtype, shape) = file.describe(name).unwrap_or((Dtype::U8, &[]));
        Ok(Self { name, dtype, shape, bytes })
    }
}

/// The checksum of a header in which [`Checksum::BLANK`] stands for it, and of tensors in the order of their names:
/// lengths before texts and bytes, so that no two checkpoints feed it the same.
fn checksum<'a>(header: &str, tensors: impl Iterator<Item = Result<SealedTensor<'a>>>) -> Result<Checksum> {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    part(header.as_bytes());
    for tensor in tensors {
        let SealedTensor { name, dtype, shape, bytes } = tensor?;
        part(name.as_bytes());
        part(format!("{dtype:?} {shape:?}").as_bytes());
        part(&bytes);
    }
    Ok(Checksum::of(&hash))
}
