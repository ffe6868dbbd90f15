//! NumPy's `npz`: a zip archive, nothing compressed, with an `.npy` file per array.
//!
//! An `.npy` file (version 1.0 of the format, `numpy.lib.format`) is a magic number, the length of a Python dictionary
//! in two bytes, the dictionary, and the numbers. Spaces before the dictionary's line feed align the numbers.

use crate::tensor_file::Tensor;
use safetensors::tensor::Dtype;
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The magic number, and the version 1.0.
const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";
/// Where the numbers begin: at a multiple of so many bytes.
const ALIGNMENT: usize = 64;

/// The archive's bytes.
///
/// # Errors
/// A message that names the tensor, if its type is none of NumPy's or the archive cannot hold it.
pub(super) fn archive(tensors: &[(String, Tensor)]) -> Result<Vec<u8>, String> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, tensor) in tensors {
        let trouble = |found: &dyn std::fmt::Display| format!("`{name}`: {found}");
        let header = header(tensor).map_err(|found| trouble(&found))?;
        archive.start_file(format!("{name}.npy"), stored).map_err(|e| trouble(&e))?;
        archive.write_all(&header).and_then(|()| archive.write_all(&tensor.bytes)).map_err(|e| trouble(&e))?;
    }
    archive.finish().map(Cursor::into_inner).map_err(|e| e.to_string())
}

/// What stands before a tensor's bytes, which are little-endian and row-major already.
fn header(tensor: &Tensor) -> Result<Vec<u8>, String> {
    let descr = match tensor.dtype {
        Dtype::F32 => "<f4",
        Dtype::F64 => "<f8",
        Dtype::I32 => "<i4",
        Dtype::I64 => "<i8",
        Dtype::U8 => "|u1",
        other => return Err(format!("numbers of {other:?}")),
    };
    let axes: Vec<String> = tensor.shape.iter().map(usize::to_string).collect();
    // Python's tuple of one has a comma behind it.
    let comma = if axes.len() == 1 { "," } else { "" };
    let shape = axes.join(", ");
    let mut dictionary = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}{comma})}}");
    let before = MAGIC.len() + size_of::<u16>();
    let unpadded = before + dictionary.len() + 1;
    dictionary += &" ".repeat(ALIGNMENT - unpadded % ALIGNMENT);
    dictionary.push('\n');
    let length = u16::try_from(dictionary.len()).map_err(|_| format!("{} axes", tensor.shape.len()))?;
    Ok([MAGIC, &length.to_le_bytes(), dictionary.as_bytes()].concat())
}
