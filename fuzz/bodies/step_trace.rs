//! Traces by steps: an accepted one is judged and replayed without a panic, and the report agrees with itself.

use super::trace::assert_consistent;
use super::{PATH, accepted};
use gdstar::oracle::replay::replay_opened;
use gdstar::oracle::{CheckOptions, check_opened};
use gdstar::tensor_file::{Tensor, TensorFile};
use gdstar::trace;
use std::collections::BTreeMap;
use std::path::Path;

/// Reads `data` as a trace of any method, checks it, and replays what it has the gradients for.
pub fn run(data: &[u8]) -> bool {
    let opened = TensorFile::parse(Path::new(PATH), data.to_vec()).and_then(trace::of_file);
    let judged = opened.and_then(|opened| {
        let report = check_opened(&opened, &CheckOptions::default(), &mut |_, _| ())?;
        let mut replayed: BTreeMap<String, Tensor> = BTreeMap::new();
        // What a replay lacks it says; whatever it says, it does not panic.
        let _ = replay_opened(&opened, &mut replayed, &mut |_, _| ());
        Ok(report)
    });
    accepted(judged, |report| assert_consistent(&report))
}
