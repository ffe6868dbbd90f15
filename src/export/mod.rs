//! Pruned networks for other programs: dense with zeros, masks, and CSR for sparse inference.
//!
//! One folder of three files, as safetensors or as NumPy's npz, and `encoding.json` ([`Encoding`](crate::data::Encoding)),
//! which safetensors files have in their metadata too; of a network that was [shrunk](shrink()), the same of `network.json`
//! ([`Description`]):
//!
//! | file | tensors |
//! |---|---|
//! | `dense` | the `state_dict`, eliminated weights 0; PyTorch's `load_state_dict(.., strict=True)` takes it |
//! | `masks` | of each parameter `p` of W, under its name: U8, 1 alive and 0 eliminated |
//! | `csr` | of each parameter `p` of W: `p.indptr`, `p.indices` (I32), `p.values`, and `p.shape` (I64), its shape in the `state_dict`; every other tensor as in `dense` |
//!
//! [`Csr`] says what the three arrays mean.

mod csr;
mod files;
mod npz;
mod onnx;
pub(crate) mod protobuf;
mod shrink;

pub use csr::Csr;
pub use files::Format;
pub use onnx::onnx;
pub use shrink::{Narrowed, Shrunk, shrink};

use crate::choice::choice;
use crate::data::ENCODING_KEY;
use crate::error::{Error, Result};
use crate::nn::{Description, NETWORK_KEY, state_dict};
use crate::scalar::Scalar;
use crate::tensor_file::{Element, Tensor};
use crate::train::SavedNetwork;
use std::path::Path;

choice! {
    /// What a network is written as.
    Target, "format":
    /// Tensors for PyTorch, and any language that has a reader.
    Safetensors = "safetensors",
    /// Tensors for NumPy, uncompressed.
    Npz = "npz",
    /// The network itself, for ONNX Runtime and others: network.onnx, eliminated weights 0.
    Onnx = "onnx",
}

/// What was written, and how large it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Exported {
    pub dense: StoredFile,
    pub masks: StoredFile,
    pub csr: StoredFile,
    /// What gzip (level 6) makes of `dense`, in bytes.
    pub dense_gzip: u64,
    /// The share of eliminated weights, 0 to 1.
    pub sparsity: f64,
    /// The sparsity above which W's CSR arrays are smaller than W: about a half for F32, a third for F64, whose values
    /// are twice as long as an index.
    pub break_even: f64,
}

/// A file's name and its size on disk, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    pub name: String,
    pub bytes: u64,
}

/// Writes the files into the new folder `out`, which is there when it is complete and not before.
///
/// # Errors
/// [`Error::File`] if `out` is there already; [`Error::Io`].
pub fn export<S: Scalar + Element>(saved: &SavedNetwork<S>, format: Format, out: &Path) -> Result<Exported> {
    if out.exists() {
        return Err(Error::file(out, "export folder", "a folder that is not there yet", "one that is"));
    }
    let dense = state_dict::tensors(&saved.parameters, saved.batches);
    let (masks, csr) = sparse_tensors(saved, &dense)?;
    let mut folder = files::Folder::new(out)?;
    if let Some(encoding) = &saved.encoding {
        folder.describe(ENCODING_KEY, encoding)?;
    }
    if let Some(description) = Description::of(&saved.network) {
        folder.describe(NETWORK_KEY, &description)?;
    }
    let dense = folder.write("dense", format, &dense)?;
    let dense_gzip = folder.gzipped(&dense)?;
    let exported = Exported {
        dense,
        masks: folder.write("masks", format, &masks)?,
        csr: folder.write("csr", format, &csr)?,
        dense_gzip,
        sparsity: saved.sparsity(),
        break_even: break_even(saved),
    };
    folder.complete()?;
    Ok(exported)
}

type Tensors = Vec<(String, Tensor)>;

/// The masks, and `dense` with W's parameters as CSR.
fn sparse_tensors<S: Scalar + Element>(
    saved: &SavedNetwork<S>,
    dense: &[(String, Tensor)],
) -> Result<(Tensors, Tensors)> {
    let (mut masks, mut csr) = (Vec::new(), Vec::new());
    for segment in saved.weights.segments() {
        let parameter = &saved.parameters[segment.parameter];
        let alive = &saved.alive[segment.range.clone()];
        let bits: Vec<u8> = alive.iter().map(|&alive| alive.into()).collect();
        masks.push((parameter.name.clone(), Tensor::from_slice(parameter.value.shape(), &bits)));
        csr.extend(Csr::from_dense(&parameter.value, alive)?.tensors(&parameter.name));
    }
    let is_sparse = |name: &String| masks.iter().any(|(sparse, _)| sparse == name);
    csr.extend(dense.iter().filter(|(name, _)| !is_sparse(name)).cloned());
    Ok((masks, csr))
}

/// The sparsity at which W takes as many bytes as CSR: with N weights in R rows of T parameters, a value of s bytes and
/// indices of i, s N = (s + i) L + i (R + T) for L living weights.
fn break_even<S: Scalar + Element>(saved: &SavedNetwork<S>) -> f64 {
    let rows_and_ends = saved.weights.segments().iter().map(|segment| {
        let shape = saved.parameters[segment.parameter].value.shape();
        shape.first().copied().unwrap_or(1) + 1
    });
    let (n, value, index) = (saved.weights.len() as f64, S::SIZE as f64, i32::SIZE as f64);
    let living = (value * n - index * rows_and_ends.sum::<usize>() as f64) / (value + index);
    1.0 - living / n
}
