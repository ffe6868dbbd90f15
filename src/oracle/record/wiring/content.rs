//! [`Contents`]: tensors known again by their bits.

use super::super::{Reference, unit_roundoff};
use crate::error::Result;
use crate::tensor_file::TensorFile;
use safetensors::Dtype;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// What a tensor holds, whatever its name and shape: of floating-point numbers their type and bits, of integers and truth
/// values the values.
pub(super) type Content = usize;

/// A tensor's content, and what can be said of it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) content: Content,
    pub(super) len: usize,
    pub(super) is_float: bool,
    pub(super) fill: Option<Fill>,
}

/// A tensor that tells nothing of where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fill {
    /// No elements.
    Nothing,
    /// All 0, of either sign.
    Zeros,
    Ones,
}

/// The contents of a file's tensors, each read once.
pub(super) struct Contents<'a> {
    file: &'a TensorFile,
    by_name: HashMap<String, Known>,
    numbers: HashMap<(bool, [u8; 32]), Content>,
}

impl<'a> Contents<'a> {
    pub(super) fn of(file: &'a TensorFile) -> Self {
        Self { file, by_name: HashMap::new(), numbers: HashMap::new() }
    }

    /// What a reference's tensor holds.
    pub(super) fn know(&mut self, reference: &Reference) -> Result<Known> {
        if let Some(known) = self.by_name.get(&reference.tensor) {
            return Ok(*known);
        }
        let is_float = unit_roundoff(reference.dtype).is_some();
        let mut hash = Sha256::new();
        let fill = if is_float {
            let bytes = self.file.raw(&reference.tensor)?;
            hash.update(format!("{:?}", reference.dtype));
            hash.update(&*bytes);
            float_fill(&bytes, reference.dtype)
        } else {
            let integers = self.file.read_integers(&reference.tensor, None)?;
            integers.iter().for_each(|i| hash.update(i.to_le_bytes()));
            fill(integers.iter().map(|&i| (i == 0, i == 1)))
        };
        let next = self.numbers.len();
        let content = *self.numbers.entry((is_float, hash.finalize().into())).or_insert(next);
        let known = Known { content, len: reference.len(), is_float, fill };
        self.by_name.insert(reference.tensor.clone(), known);
        Ok(known)
    }
}

/// What all of these numbers are, each of which is 0, 1 or neither.
fn fill(mut numbers: impl Iterator<Item = (bool, bool)>) -> Option<Fill> {
    match numbers.next() {
        None => Some(Fill::Nothing),
        Some((true, _)) => numbers.all(|(zero, _)| zero).then_some(Fill::Zeros),
        Some((_, true)) => numbers.all(|(_, one)| one).then_some(Fill::Ones),
        Some(_) => None,
    }
}

/// The same of floating-point numbers, by their bits.
fn float_fill(bytes: &[u8], dtype: Dtype) -> Option<Fill> {
    let one: &[u8] = match dtype {
        Dtype::F64 => &[0, 0, 0, 0, 0, 0, 0xf0, 0x3f],
        Dtype::F32 => &[0, 0, 0x80, 0x3f],
        Dtype::F16 => &[0, 0x3c],
        // BF16, the only other that has a unit roundoff.
        _ => &[0x80, 0x3f],
    };
    let is_zero = |number: &[u8]| match number.split_last() {
        Some((last, rest)) => last & 0x7f == 0 && rest.iter().all(|&byte| byte == 0),
        None => false,
    };
    fill(bytes.chunks_exact(one.len()).map(|number| (is_zero(number), number == one)))
}
