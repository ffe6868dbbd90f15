//! Masks in files of their own.

use crate::error::Result;
use crate::scalar::Scalar;
use crate::tensor_file::{self, Tensor};
use crate::weights::Weights;
use std::collections::HashMap;
use std::path::Path;

/// A mask's file: `mask/<p>`, U8, 1 where a weight lives.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io).
pub(super) fn write<S: Scalar>(path: &Path, mask: &[bool], weights: &Weights<S>) -> Result<()> {
    let tensors: Vec<(String, Tensor)> = weights
        .set()
        .segments()
        .iter()
        .map(|segment| {
            let parameter = &weights.parameters[segment.parameter];
            let flags: Vec<u8> = mask[segment.range.clone()].iter().map(|&alive| alive.into()).collect();
            (format!("mask/{}", parameter.name), Tensor::from_slice(parameter.value.shape(), &flags))
        })
        .collect();
    tensor_file::write(path, HashMap::new(), &tensors)
}
