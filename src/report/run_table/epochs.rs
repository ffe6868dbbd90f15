//! The records of every epoch of every run, as CSV.

use super::RunTable;
use crate::error::{Error, Result};
use serde_json::Value;

impl RunTable<'_> {
    /// A record an epoch of each run, in the table's order: the run's name, its model, data, method and seed, and what
    /// `metrics.jsonl` has of the epoch, by its keys; of the tables there (`layer_sparsity`, `parts`) a field an entry,
    /// `layer_sparsity.<name>`. What a run has not is empty.
    ///
    /// # Errors
    /// [`Error::Domain`] if a record cannot be formed.
    pub fn epochs(&self) -> Result<String> {
        let unwritten = |e: &dyn std::fmt::Display| Error::domain("table", "records that CSV can hold", e);
        let mut keys: Vec<String> = Vec::new();
        let mut records = Vec::new();
        for run in self.experiments.iter().flatten().map(|&i| &self.runs[i]) {
            for record in &run.records {
                let record = serde_json::to_value(record).map_err(|e| unwritten(&e))?;
                let fields = flattened(&record);
                let new: Vec<String> =
                    fields.iter().filter(|(key, _)| !keys.contains(key)).map(|(key, _)| key.clone()).collect();
                keys.extend(new);
                records.push((run, fields));
            }
        }
        let mut csv = csv::Writer::from_writer(Vec::new());
        let names = ["run", "model", "data", "seed"].into_iter().chain(keys.iter().map(String::as_str));
        csv.write_record(names).map_err(|e| unwritten(&e))?;
        for (run, fields) in records {
            let config = &run.config;
            let of_run =
                [run.name.clone(), config.model.clone(), config.data.name().to_string(), config.seed.to_string()];
            let value = |key: &String| {
                fields.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone()).unwrap_or_default()
            };
            csv.write_record(of_run.into_iter().chain(keys.iter().map(value))).map_err(|e| unwritten(&e))?;
        }
        let bytes = csv.into_inner().map_err(|e| unwritten(e.error()))?;
        String::from_utf8(bytes).map_err(|e| unwritten(&e))
    }
}

/// A record's numbers and names by key; `layers`, which says again what `layer_sparsity` does, is left out.
fn flattened(record: &Value) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    for (key, value) in record.as_object().into_iter().flatten().filter(|(key, _)| *key != "layers") {
        match value {
            Value::Object(table) => {
                fields.extend(table.iter().map(|(inner, value)| (format!("{key}.{inner}"), text(value))))
            }
            value => fields.push((key.clone(), text(value))),
        }
    }
    fields
}

/// Nothing for `null`; of a list its JSON.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
