//! The one place that calls the checker.

use super::port::{Config, Trace, header, serialize};
use gdstar::oracle::{CheckOptions, Report, check};
use gdstar::tensor_file::{self, Tensor};
use std::collections::HashMap;
use std::path::Path;

/// A trace as a file.
pub fn write(path: &Path, header: &serde_json::Value, tensors: &[(String, Tensor)]) {
    let metadata = HashMap::from([("gdstar".to_string(), header.to_string())]);
    tensor_file::write(path, metadata, tensors).unwrap();
}

/// What the checker says of the trace that a port of settings `declared` claims.
pub fn verdict(declared: &Config, trace: &Trace) -> gdstar::Result<Report> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("port.safetensors");
    write(&path, &header(declared), &serialize(declared, trace));
    check(&path, &CheckOptions::default())
}
