//! `metrics.jsonl`: an accepted file is its complete lines, each a record that survives being written.

use super::{accepted, assert_refusal, folder};
use gdstar::train::{EpochRecord, Metrics};

/// Reads `data` as the metrics of a run under way.
pub fn run(data: &[u8]) -> bool {
    let path = folder::file("metrics.jsonl", data);
    accepted(Metrics::read_so_far(&path), |records| {
        assert_eq!(records.len(), data.iter().filter(|&&byte| byte == b'\n').count());
        for record in &records {
            let line = serde_json::to_string(record).expect("a record is JSON");
            let read: EpochRecord = serde_json::from_str(&line).expect("what was written can be read");
            assert_eq!(read, *record);
        }
        assert_eq!(Metrics::read(&path, records.len()).expect("as many as there are"), records);
        assert_refusal(&Metrics::read(&path, records.len() + 2).expect_err("no more than there are"));
    })
}
