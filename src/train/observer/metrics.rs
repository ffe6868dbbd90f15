//! `metrics.jsonl`: one JSON object an epoch.

use super::{EpochEvent, Observer};
use crate::error::{Error, Result};
use crate::input::{self, Kind};
use crate::method::{Measured, Numbers};
use crate::output::write_atomically;
use crate::scalar::Scalar;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// One epoch in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Of the method, by its name; empty in files from before it was recorded.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub method: String,
    /// k, counted from the reading's epoch origin.
    pub epoch: usize,
    /// Mean training loss over the epoch's samples.
    pub loss: f64,
    /// 0 to 1.
    pub test_accuracy: f64,
    /// Share of the prunable weights that are eliminated, 0 to 1.
    pub sparsity: f64,
    /// What the method tells of the epoch; a key of another method's is `null`.
    #[serde(flatten)]
    pub numbers: Numbers,
    /// Of the epoch's last step.
    pub learning_rate: f64,
    /// Training and pruning, without evaluation.
    pub seconds: f64,
    /// Twice the multiply-accumulates of the epoch's training steps: those of linear and convolution layers, forward, for
    /// input gradients and for weight gradients, without those that a compressed weight's eliminated entries would take.
    /// `None` in files from before it was recorded.
    #[serde(default)]
    pub effective_flops: Option<u64>,
    /// Bytes of weights (with the indices of compressed ones) and running statistics, gradients, momentum, and what the
    /// method keeps of every weight (G, W_k*, mask), as they were stored during the epoch.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// By the name of each parameter of W, the share of its weights that are eliminated, 0 to 1. Empty in files from
    /// before it was recorded.
    #[serde(flatten, with = "layers")]
    pub layers: BTreeMap<String, f64>,
    /// What the run was asked to measure besides: `histogram`, `parts`, `peak_memory`.
    #[serde(flatten)]
    pub measured: Measured,
}

/// The sparsities of layers in a record, under the key that it had first and under the one that methods are compared by.
mod layers {
    use serde::de::{Deserialize, Deserializer};
    use serde::ser::{SerializeMap, Serializer};
    use std::collections::BTreeMap;

    pub fn serialize<S: Serializer>(layers: &BTreeMap<String, f64>, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !layers.is_empty() {
            map.serialize_entry("layers", layers)?;
            map.serialize_entry("layer_sparsity", layers)?;
        }
        map.end()
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, f64>, D::Error> {
        #[derive(serde::Deserialize)]
        struct Keys {
            #[serde(default)]
            layers: BTreeMap<String, f64>,
        }
        Keys::deserialize(deserializer).map(|keys| keys.layers)
    }
}

/// Appends to `metrics.jsonl`.
pub struct Metrics {
    path: PathBuf,
    file: File,
}

impl Metrics {
    /// Opens the file for the epochs from the `completed`-th on. Lines of later epochs, which a crash between the
    /// metrics and the checkpoint leaves behind, are dropped first.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::File`] if an earlier epoch's line is missing or is not a record.
    pub fn open(path: &Path, completed: usize) -> Result<Self> {
        let kept: String = if completed == 0 {
            String::new()
        } else {
            let text = input::read_text(path, Kind::Metrics)?;
            let lines = text.lines().take(completed);
            parse(path, lines.clone(), completed)?;
            lines.flat_map(|line| [line, "\n"]).collect()
        };
        write_atomically(path, |file| file.write_all(kept.as_bytes()))?;
        let file = OpenOptions::new().append(true).open(path).map_err(Error::io(path, "open"))?;
        Ok(Self { path: path.to_path_buf(), file })
    }

    /// The first `completed` records of a run.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::File`] if a line is missing or is not a record.
    pub fn read(path: &Path, completed: usize) -> Result<Vec<EpochRecord>> {
        let text = input::read_text(path, Kind::Metrics)?;
        parse(path, text.lines().take(completed), completed)
    }

    /// Every record so far, of a run that may be under way or may have been killed: none if it wrote none. A last line
    /// without its line feed is one that the run is writing, or was when it was killed; it is no record yet.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::File`] if a complete line is not a record.
    pub fn read_so_far(path: &Path) -> Result<Vec<EpochRecord>> {
        let text = match input::read_text(path, Kind::Metrics) {
            Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            text => text?,
        };
        let complete = text.rfind('\n').map_or("", |end| &text[..=end]);
        parse(path, complete.lines(), 0)
    }

    /// Checks that a run's records are of one epoch after the other from its `first` on.
    ///
    /// # Errors
    /// [`Error::File`] naming the first line that is not.
    pub fn check_order(path: &Path, records: &[EpochRecord], first: usize) -> Result<()> {
        for (k, (record, i)) in (first..).zip(records.iter().zip(1..)) {
            if record.epoch != k {
                return Err(Error::file(path, format!("line {i}"), format!("epoch {k}"), record.epoch));
            }
        }
        Ok(())
    }
}

/// The records in `lines`, which must be at least `completed`. Of a file that holds none, no more is kept than its text.
fn parse<'a>(path: &Path, lines: impl Iterator<Item = &'a str> + Clone, completed: usize) -> Result<Vec<EpochRecord>> {
    let found = lines.clone().take(completed).count();
    if found < completed {
        return Err(Error::file(path, "lines", format!("{completed} completed epochs"), found));
    }
    let record = |(i, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|e| Error::file(path, format!("line {}", i + 1), "an epoch's metrics", e))
    };
    lines.enumerate().map(record).collect()
}

impl<S: Scalar> Observer<S> for Metrics {
    fn on_epoch(&mut self, event: &EpochEvent<S>) -> Result<()> {
        let mut line = serde_json::to_string(event.record)
            .map_err(|e| Error::file(&self.path, "epoch's metrics", "a JSON object", e))?;
        line.push('\n');
        self.file.write_all(line.as_bytes()).map_err(Error::io(&self.path, "write"))?;
        // On disk before the checkpoint that counts on it.
        self.file.sync_data().map_err(Error::io(&self.path, "sync"))
    }
}

/// Keeps the records in memory.
#[derive(Debug, Clone, Default)]
pub struct History(pub Vec<EpochRecord>);

impl<S: Scalar> Observer<S> for History {
    fn on_epoch(&mut self, event: &EpochEvent<S>) -> Result<()> {
        self.0.push(event.record.clone());
        Ok(())
    }
}
