//! The table for other programs.

use super::RunTable;
use crate::error::{Error, Result};
use crate::experiment::statistics::{CONFIDENCE, MeanAndDeviation};
use crate::report::Summary;
use crate::train::StoredRun;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The fields of every record; those of settings that are not the paper's in some run follow.
const FIELDS: [&str; 11] = [
    "run",
    "model",
    "data",
    "data_sha256",
    "method",
    "seed",
    "epochs",
    "epochs_done",
    "test_accuracy",
    "sparsity",
    "seconds",
];

impl RunTable<'_> {
    /// A record a run, in the table's order, below a line of field names; a value that is not known is empty. Settings
    /// follow, each that is not the paper's in some run; where it is the paper's, it is empty.
    ///
    /// # Errors
    /// [`Error::Domain`] if a record cannot be formed.
    pub fn csv(&self) -> Result<String> {
        let unwritten = |e: csv::Error| Error::domain("table", "records that CSV can hold", e);
        let all = self.distinction.identities.iter().flat_map(|identity| &identity.departures);
        let settings: BTreeSet<&str> = all.map(|departure| departure.key.as_str()).collect();
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(FIELDS.iter().chain(&settings)).map_err(unwritten)?;
        for &i in self.experiments.iter().flatten() {
            let departures = &self.distinction.identities[i].departures;
            let value = |key: &&str| {
                let own = departures.iter().find(|departure| departure.key == *key);
                own.map_or_else(String::new, |departure| departure.value.clone())
            };
            let fields = fields(&self.runs[i]).map(|field| match field {
                Value::Null => String::new(),
                Value::String(text) => text,
                other => other.to_string(),
            });
            csv.write_record(fields.into_iter().chain(settings.iter().map(value))).map_err(unwritten)?;
        }
        let bytes = csv.into_inner().map_err(|e| Error::domain("table", "records that CSV can hold", e.error()))?;
        String::from_utf8(bytes).map_err(|e| Error::domain("table", "text in UTF-8", e))
    }

    /// `runs`: as the records of [`csv`](Self::csv), with `null` for what is not known and the settings under
    /// `departures`; `experiments`: for each the names of its `runs`, over how many finished seeds `n`, and of
    /// `test_accuracy`, `sparsity` and `seconds` `mean`, `sd` and the ends of the 95 % interval for the mean, `low` and
    /// `high`; `null` where fewer than two seeds are finished.
    pub fn json(&self) -> Value {
        let run = |&i: &usize| {
            let mut object = Map::from_iter(FIELDS.map(str::to_string).into_iter().zip(fields(&self.runs[i])));
            let departures = self.distinction.identities[i].departures.iter();
            let departures: Map<String, Value> =
                departures.map(|departure| (departure.key.clone(), json!(departure.value))).collect();
            object.insert("departures".to_string(), departures.into());
            Value::Object(object)
        };
        let experiment = |experiment: &Vec<usize>| {
            let names: Vec<&str> = experiment.iter().map(|&i| self.runs[i].name.as_str()).collect();
            let over = self.over_seeds(experiment);
            let [accuracy, sparsity, seconds] =
                over.map_or([(); 3].map(|()| Value::Null), |(_, over)| over.map(spread));
            json!({
                "runs": names,
                "n": over.map_or(0, |(n, _)| n),
                "test_accuracy": accuracy,
                "sparsity": sparsity,
                "seconds": seconds,
            })
        };
        json!({
            "runs": self.experiments.iter().flatten().map(run).collect::<Vec<_>>(),
            "experiments": self.experiments.iter().map(experiment).collect::<Vec<_>>(),
        })
    }
}

fn spread(over: MeanAndDeviation) -> Value {
    let [low, high] = over.interval(CONFIDENCE);
    json!({ "mean": over.mean, "sd": over.deviation, "low": low, "high": high })
}

/// The values of [`FIELDS`].
fn fields(run: &StoredRun) -> [Value; FIELDS.len()] {
    let config = &run.config;
    let last = Summary::of(run);
    let number = |value: Option<f64>| value.map_or(Value::Null, |value| json!(value));
    [
        json!(run.name),
        json!(config.model),
        json!(config.data.name()),
        json!(run.fingerprint),
        json!(config.method.to_string()),
        json!(config.seed),
        json!(config.hyper.epochs),
        json!(run.records.len()),
        number(last.as_ref().map(|last| last.accuracy)),
        number(last.as_ref().map(|last| last.sparsity)),
        number(last.as_ref().map(|last| last.seconds)),
    ]
}
