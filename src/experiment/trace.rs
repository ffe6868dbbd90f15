//! The header of an experiment's trace.

use crate::method::options::{Length, Part};
use crate::method::{Entry, Options};
use crate::scalar::Scalar;
use crate::trace::{FORMAT, KEY};
use crate::train::Config;
use serde_json::{Map, Value, json};

/// The `__metadata__` of the trace of a method that is made of runs of this configuration: its options as a run of this length
/// has them, and the parameters of W.
pub(super) fn metadata<S: Scalar>(
    entry: &Entry,
    options: &Options,
    (config, length): (&Config, Length),
    params: &[&str],
) -> Map<String, Value> {
    let of = |part: Part| -> Map<String, Value> {
        let declared = entry.options.iter().filter(|option| option.part == part);
        let value = |key: &str| options.step(key, length).map(Value::from).or(Some(json!(options.get(key)?)));
        declared.filter_map(|option| Some((option.key.to_string(), value(option.key)?))).collect()
    };
    let (mut hyper, mut reading) = (of(Part::Hyper), of(Part::Reading));
    let sgd = &config.optimizer;
    hyper.extend([
        ("lr".to_string(), json!(sgd.learning_rate)),
        ("momentum".to_string(), json!(sgd.momentum)),
        ("weight_decay".to_string(), json!(sgd.weight_decay)),
        ("batch_size".to_string(), json!(sgd.batch_size)),
        ("epochs".to_string(), json!(config.hyper.epochs)),
    ]);
    if !params.is_empty() {
        reading.insert("prunable".to_string(), json!(config.reading.prunable));
    }
    let header = json!({
        "format": FORMAT,
        "producer": concat!("gdstar ", env!("CARGO_PKG_VERSION")),
        "method": entry.name,
        "dtype": S::NAME,
        "hyper": hyper,
        "reading": reading,
        "model": config.model,
        "dataset": config.data,
        "params": params,
    });
    Map::from_iter([(KEY.to_string(), Value::String(header.to_string()))])
}
