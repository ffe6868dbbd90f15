//! The folder of a search for the step from which on runs are linearly connected: its settings, and what was found.

use super::experiment::Reading;
use gdstar::experiment::Job;
use gdstar::experiment::lmc::{CandidateRecord, Choice, Connectivity};

/// Reads `data` as `lmc.toml`, a line `-----` and `lmc.jsonl`.
pub fn run(data: &[u8]) -> bool {
    let reading: Reading<Connectivity, CandidateRecord> = Reading {
        files: ["lmc.toml", "lmc.jsonl"],
        settings: Connectivity::stored,
        validate: Connectivity::validate,
        check_folder: Connectivity::check_folder,
        job: Job::lmc,
        // What is read is chosen from, whatever it is.
        results: |folder| {
            Connectivity::records(folder).inspect(|records| {
                let _ = Choice::of(records);
            })
        },
    };
    reading.run(data)
}
