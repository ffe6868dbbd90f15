//! A trace as it is written: a header and tensors, each of which may be changed.

use gdstar::oracle::{CheckOptions, Report, check};
use gdstar::tensor_file::{Element, Tensor, write};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

#[derive(Debug, Clone)]
pub struct Written {
    pub header: Value,
    pub tensors: BTreeMap<String, Tensor>,
}

impl Written {
    /// A trace of f64 numbers of a port of this method.
    pub fn of(method: &str, params: &[&str], hyper: Value, reading: Value) -> Self {
        let header = json!({
            "format": "gdstar-trace/1", "producer": "by hand", "dtype": "f64", "method": method, "params": params,
            "hyper": hyper, "reading": reading,
        });
        Self { header, tensors: BTreeMap::new() }
    }

    pub fn with<T: Element>(mut self, name: &str, shape: &[usize], values: &[T]) -> Self {
        self.tensors.insert(name.to_string(), Tensor::from_slice(shape, values));
        self
    }

    pub fn real(self, name: &str, values: &[f64]) -> Self {
        let shape = shape(name, values.len());
        self.with(name, &shape, values)
    }

    pub fn count(self, name: &str, values: &[i64]) -> Self {
        self.with(name, &[values.len()], values)
    }

    pub fn flags(self, name: &str, values: &[u8]) -> Self {
        let shape = shape(name, values.len());
        self.with(name, &shape, values)
    }

    /// The same without a tensor.
    pub fn without(mut self, name: &str) -> Self {
        self.tensors.remove(name).unwrap_or_else(|| panic!("no `{name}`"));
        self
    }

    /// The same with another number in one place.
    pub fn changed(mut self, name: &str, index: usize, value: f64) -> Self {
        let tensor = self.tensors.remove(name).unwrap_or_else(|| panic!("no `{name}`"));
        let mut values = tensor.numbers();
        assert_ne!(values[index], value, "`{name}` is that already");
        values[index] = value;
        match tensor.dtype {
            safetensors::Dtype::F64 => self.with(name, &tensor.shape, &values),
            safetensors::Dtype::I64 => {
                self.with(name, &tensor.shape, &values.iter().map(|&x| x as i64).collect::<Vec<_>>())
            }
            _ => self.with(name, &tensor.shape, &values.iter().map(|&x| x as u8).collect::<Vec<_>>()),
        }
    }

    /// The same with another value in the header.
    pub fn declared(mut self, part: &str, key: &str, value: Value) -> Self {
        match (part, value) {
            ("", value) => self.header[key] = value,
            (part, Value::Null) => {
                self.header[part].as_object_mut().unwrap().remove(key);
            }
            (part, value) => self.header[part][key] = value,
        }
        self
    }

    pub fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join("trace.safetensors");
        let metadata = HashMap::from([("gdstar".to_string(), self.header.to_string())]);
        let tensors: Vec<(String, Tensor)> =
            self.tensors.iter().map(|(name, tensor)| (name.clone(), tensor.clone())).collect();
        write(&path, metadata, &tensors).unwrap();
        path
    }

    pub fn check(&self) -> gdstar::Result<Report> {
        let folder = tempfile::tempdir().unwrap();
        check(&self.write(folder.path()), &CheckOptions::default())
    }

    /// The report of a trace that can be read.
    pub fn report(&self) -> Report {
        self.check().unwrap_or_else(|error| panic!("{error}"))
    }
}

/// A parameter of four weights is a square; everything else is a list.
fn shape(name: &str, len: usize) -> Vec<usize> {
    if name.ends_with("/fc") && len == 4 { vec![2, 2] } else { vec![len] }
}
