//! Committed values of the generator of weights, inputs and labels ([`crate::nn::hashed`]), made in Python.
//!
//! | tensor | meaning |
//! |---|---|
//! | `parameter/<name>` | F32: the parameter of this name and shape |
//! | `input/<any>` | F32 `[n, c, h, w]`: a batch |
//! | `labels/<classes>` | I64 `[n]` |

use super::{Comparison, Mismatch};
use crate::error::{Error, Result};
use crate::nn::hashed;
use crate::tensor_file::TensorFile;
use std::path::Path;

/// Generates every tensor again.
pub(super) fn verify(path: &Path, comparison: &mut Comparison) -> Result<String> {
    let file = TensorFile::open(path)?;
    let bad = |name: &str, expected: &str| Error::file(path, format!("tensor `{name}`"), expected, "another");
    for name in file.names() {
        comparison.tensor(name);
        if let Some(classes) = name.strip_prefix("labels/") {
            let classes = classes.parse().map_err(|_| bad(name, "the number of classes"))?;
            let stored = file.read::<i64>(name, None)?;
            for (i, (&stored, label)) in stored.iter().zip(hashed::labels(stored.len(), classes)).enumerate() {
                let label = label as i64;
                comparison.number(stored == label, || Mismatch::at(name, vec![i], &stored, &label));
            }
            continue;
        }
        let stored = file.read::<f32>(name, None)?;
        let generated = match (name.split_once('/'), stored.shape()) {
            (Some(("parameter", parameter)), shape) => hashed::parameter::<f32>(parameter, shape),
            (Some(("input", _)), &[n, c, h, w]) => hashed::inputs(n, [c, h, w]),
            _ => return Err(bad(name, "`parameter/<name>`, or `input/<any>` of four axes")),
        };
        for (i, (stored, x)) in stored.iter().zip(&generated).enumerate() {
            comparison.number(stored.to_bits() == x.to_bits(), || Mismatch::at(name, vec![i], stored, x));
        }
    }
    Ok(format!("generated; all {} tensors follow, bit for bit", comparison.tensor_count()))
}
