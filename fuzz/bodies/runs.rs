//! Run folders out of a fuzzer's bytes: configurations and metrics, as `table` and `plot` are handed them.

use gdstar::Result;
use gdstar::train::StoredRun;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The line between two runs.
const NEXT_RUN: &[u8] = b"\n=====\n";
/// The line between a run's configuration and its metrics.
const METRICS: &[u8] = b"\n-----\n";
/// How many runs are read; what follows belongs to the last.
const MOST: usize = 3;

thread_local! {
    static FOLDERS: (TempDir, Vec<PathBuf>) = {
        let folder = super::folder::folder();
        let paths: Vec<PathBuf> = (0..MOST).map(|i| folder.path().join(format!("run-{i}"))).collect();
        paths.iter().for_each(|path| std::fs::create_dir(path).expect("a folder in the temporary one"));
        (folder, paths)
    };
}

/// Reads the runs in `data` from their folders. A run without the line between has no metrics yet.
pub fn read(data: &[u8]) -> Result<Vec<StoredRun>> {
    FOLDERS.with(|(_, folders)| {
        let mut rest = Some(data);
        let mut paths = Vec::new();
        for (place, path) in folders.iter().enumerate() {
            let Some(run) = rest else { break };
            let (own, next) = if place + 1 < MOST { split(run, NEXT_RUN) } else { (run, None) };
            write(path, own);
            paths.push(path.clone());
            rest = next;
        }
        StoredRun::read_all(&paths)
    })
}

fn write(folder: &Path, run: &[u8]) {
    let (config, metrics) = settings_and_results(run);
    std::fs::write(folder.join("config.toml"), config).expect("a file in the temporary folder");
    let path = folder.join("metrics.jsonl");
    match metrics {
        Some(metrics) => std::fs::write(path, metrics).expect("a file in the temporary folder"),
        None => drop(std::fs::remove_file(path)),
    }
}

/// A run's configuration and its metrics, or an experiment's settings and its results, with the line between them.
pub fn settings_and_results(data: &[u8]) -> (&[u8], Option<&[u8]>) {
    split(data, METRICS)
}

/// What is before the first `line`, with its own line's end, and what is after it.
fn split<'a>(data: &'a [u8], line: &[u8]) -> (&'a [u8], Option<&'a [u8]>) {
    match data.windows(line.len()).position(|window| window == line) {
        Some(at) => (&data[..at + 1], Some(&data[at + line.len()..])),
        None => (data, None),
    }
}
