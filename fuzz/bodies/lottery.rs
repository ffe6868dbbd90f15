//! A lottery's folder: its settings, and what its levels came to.

use super::experiment::Reading;
use gdstar::experiment::Job;
use gdstar::experiment::lottery::{LevelRecord, Lottery};

/// Reads `data` as `lottery.toml`, a line `-----` and `lottery.jsonl`.
pub fn run(data: &[u8]) -> bool {
    let reading: Reading<Lottery, LevelRecord> = Reading {
        files: ["lottery.toml", "lottery.jsonl"],
        settings: Lottery::stored,
        validate: Lottery::validate,
        check_folder: Lottery::check_folder,
        job: Job::lottery,
        results: Lottery::records,
    };
    reading.run(data)
}
