//! Traces in memory, for the proofs of replay and check.

use gdstar::tensor_file::{Tensor, TensorFile};
use gdstar::trace::{KEY, Trace};
use safetensors::tensor::TensorView;
use std::collections::BTreeMap;
use std::path::Path;

/// Tensors by name.
pub type Tensors = BTreeMap<String, Tensor>;

/// A trace's bytes.
pub fn bytes(header: &serde_json::Value, tensors: &Tensors) -> Vec<u8> {
    let views: Vec<_> =
        tensors.iter().map(|(name, t)| (name, TensorView::new(t.dtype, t.shape.clone(), &t.bytes).unwrap())).collect();
    safetensors::serialize(views, Some([(KEY.to_string(), header.to_string())].into_iter().collect())).unwrap()
}

/// The trace with these tensors.
pub fn open(header: &serde_json::Value, tensors: &Tensors) -> gdstar::Result<Trace> {
    Trace::new(TensorFile::parse(Path::new("trace.safetensors"), bytes(header, tensors))?)
}

/// A tensor's numbers.
pub fn floats(tensors: &Tensors, name: &str) -> Vec<f64> {
    tensors.get(name).unwrap_or_else(|| panic!("no `{name}`")).numbers()
}

/// A tensor's one number.
pub fn scalar(tensors: &Tensors, name: &str) -> f64 {
    floats(tensors, name)[0]
}
