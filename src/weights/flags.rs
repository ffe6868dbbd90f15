//! Flags of every weight, in a file.

use super::WeightSet;
use crate::error::{Error, Result};
use crate::nn::Parameters;
use crate::scalar::Scalar;
use crate::tensor_file::TensorFile;

/// Flags flattened over W: the tensors `<name>/<p>`.
///
/// # Errors
/// [`Error::File`] if one is missing, of another shape, or holds anything but 0 and 1.
pub fn read_flags<S: Scalar>(
    file: &TensorFile,
    name: &str,
    parameters: &Parameters<S>,
    set: &WeightSet,
) -> Result<Vec<bool>> {
    let mut flags = Vec::new();
    for segment in set.segments() {
        let parameter = &parameters[segment.parameter];
        let name = format!("{name}/{}", parameter.name);
        for &bit in &file.read::<u8>(&name, Some(parameter.value.shape()))? {
            match bit {
                0 | 1 => flags.push(bit == 1),
                _ => return Err(Error::file(file.path(), format!("tensor `{name}`"), "0 or 1", bit)),
            }
        }
    }
    Ok(flags)
}
