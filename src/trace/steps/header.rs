//! [`StepHeader`]: what the producer of a trace by steps says about itself.

use crate::error::{Error, Result};
use crate::tensor_file::TensorFile;
use crate::trace::header::{Common, object};
use crate::trace::{Arithmetic, FORMAT, KEY, Optimizer, StepMethod};
use serde_json::{Map, Value, json};
use std::path::Path;

/// The header; of `hyper` and `reading` the method says what they may hold.
#[derive(Debug, Clone, PartialEq)]
pub struct StepHeader {
    pub method: StepMethod,
    pub producer: String,
    pub arithmetic: Arithmetic,
    /// Whether `arithmetic` declares `u_in`, `u_out`: what makes storage narrower than the dtype legitimate.
    pub declares_rounding: bool,
    pub hyper: Map<String, Value>,
    pub reading: Map<String, Value>,
    pub optimizer: Optimizer,
    pub model: Option<String>,
    pub dataset: Option<String>,
    /// The parameters of W in flattening order; the layers of `amc`; none of methods without W.
    pub params: Vec<String>,
    pub not_prunable: Vec<String>,
    /// Whether a replay computed it.
    pub replayed: bool,
    /// Keys that the format does not have.
    pub unknown: Vec<String>,
}

impl StepHeader {
    pub(super) fn read(file: &TensorFile, method: StepMethod) -> Result<Self> {
        let mut header = object(file)?;
        header.entries.remove("method");
        let has_w = !matches!(method, StepMethod::Lmc | StepMethod::Sdgp | StepMethod::LayerDrop);
        let common = header.common(has_w)?;
        // What a step selects, it selects among all weights.
        for key in ["masks", "sample", "shapes"] {
            if let Some(value) = header.entries.get(key) {
                return Err(header.bad(key, "nothing: a trace by steps is kept whole", value));
            }
        }
        let Some(hyper) = header.object("hyper")? else {
            return Err(header.bad("hyper", "an object of hyper-parameters", &Value::Null));
        };
        let hyper = hyper.entries;
        let reading = header.object("reading")?.map(|reading| reading.entries).unwrap_or_default();
        let Common {
            producer,
            arithmetic,
            declares_rounding,
            optimizer,
            model,
            dataset,
            params,
            not_prunable,
            replayed,
        } = common;
        Ok(Self {
            method,
            producer,
            arithmetic,
            declares_rounding,
            hyper,
            reading,
            optimizer,
            model,
            dataset,
            params: if has_w { params } else { Vec::new() },
            not_prunable,
            replayed,
            unknown: header.entries.keys().cloned().collect(),
        })
    }

    /// As files hold it.
    pub fn to_json(&self) -> Value {
        let mut header = json!({
            "format": FORMAT,
            "producer": self.producer,
            "method": self.method,
            "dtype": self.arithmetic.dtype,
            "hyper": self.hyper,
            "reading": self.reading,
            "model": self.model, "dataset": self.dataset, "params": self.params,
        });
        if !self.not_prunable.is_empty() {
            header["not_prunable"] = json!(self.not_prunable);
        }
        if self.replayed {
            header["replayed"] = json!(true);
        }
        self.optimizer.put(&mut header);
        header
    }

    pub(super) fn bad_params(&self, path: &Path, name: &str) -> Error {
        let place = format!("metadata `{KEY}`: params: `{name}`");
        Error::file(path, place, "a parameter with tensors in this file", "none")
    }
}
