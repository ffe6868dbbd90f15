//! Runs by hand.

use gdstar::data::Source;
use gdstar::method::Method;
use gdstar::method::quantity::Number;
use gdstar::train::{Config, EpochRecord, RunFolder, StoredRun};
use std::collections::BTreeMap;
use std::path::Path;

/// `count` epochs of one minute each, all with this accuracy and sparsity, and S_F for every method but dense.
pub fn run(method: Method, seed: u64, count: usize, accuracy: f64, sparsity: f64) -> StoredRun {
    let mut config = Config::new("lenet300", Source::Digits, method);
    config.seed = seed;
    config.hyper.epochs = 2;
    let records = (0..count).map(|epoch| EpochRecord {
        method: method.entry().name.to_string(),
        epoch,
        loss: 0.5,
        test_accuracy: accuracy,
        sparsity,
        numbers: (method != Method::Dense).then_some(("frobenius", Number::Real(4.0))).into_iter().collect(),
        learning_rate: 0.05,
        seconds: 60.0,
        effective_flops: None,
        bytes: None,
        layers: BTreeMap::new(),
        measured: gdstar::method::Measured::default(),
    });
    let records = records.collect();
    StoredRun { name: format!("{method}-{seed}"), config, records, fingerprint: None }
}

/// The run as `gdstar train --out` leaves it.
pub fn store(run: &StoredRun, path: &Path) {
    let folder = RunFolder::create(path, &run.config).unwrap();
    let lines: Vec<String> = run.records.iter().map(|r| serde_json::to_string(r).unwrap() + "\n").collect();
    std::fs::write(folder.metrics(), lines.concat()).unwrap();
}
