//! Where a lottery's files lie, and what each level came to.

use crate::train::{EpochRecord, StoredRun};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

pub(super) const SETTINGS: &str = "lottery.toml";
pub(super) const MASK: &str = "mask.safetensors";
const REWIND: &str = "rewind.safetensors";
const FIRST_AGAIN: &str = "reinit.safetensors";

/// One line of `lottery.jsonl`: a level's last epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LevelRecord {
    pub level: usize,
    /// The share of W that lives, 0 to 1.
    pub remaining: f64,
    /// Weights that live.
    pub active: usize,
    /// The share of W that is pruned, 0 to 1.
    pub sparsity: f64,
    /// 0 to 1.
    pub test_accuracy: f64,
    /// Mean training loss over the last epoch's samples.
    pub loss: f64,
    /// Of all its epochs, without evaluation.
    pub seconds: f64,
}

impl LevelRecord {
    /// Of a level's records and mask.
    pub(super) fn new(level: usize, records: &[EpochRecord], mask: &[bool]) -> Self {
        let last = records.last();
        let active = mask.iter().filter(|&&alive| alive).count();
        let share = |n: usize| n as f64 / mask.len().max(1) as f64;
        Self {
            level,
            remaining: share(active),
            active,
            sparsity: share(mask.len() - active),
            test_accuracy: last.map_or(f64::NAN, |record| record.test_accuracy),
            loss: last.map_or(f64::NAN, |record| record.loss),
            seconds: records.iter().map(|record| record.seconds).sum(),
        }
    }
}

/// A lottery's folder.
#[derive(Debug, Clone, Copy)]
pub(super) struct LotteryFolder<'a>(pub &'a Path);

impl LotteryFolder<'_> {
    pub fn level(self, level: usize) -> PathBuf {
        self.0.join(format!("level_{level}"))
    }

    /// The same ticket with new weights.
    pub fn again(self, level: usize) -> PathBuf {
        self.0.join(format!("reinit_{level}"))
    }

    pub fn mask(self, level: usize) -> PathBuf {
        self.level(level).join(MASK)
    }

    pub fn rewind(self) -> PathBuf {
        self.0.join(REWIND)
    }

    pub fn first_again(self) -> PathBuf {
        self.0.join(FIRST_AGAIN)
    }

    pub fn trace(self) -> PathBuf {
        self.0.join("trace.safetensors")
    }

    pub fn records(self, reinit: bool) -> PathBuf {
        self.0.join(if reinit { "reinit.jsonl" } else { "lottery.jsonl" })
    }

    /// Whether a level is trained to its end.
    pub fn is_finished(self, level: usize) -> bool {
        StoredRun::read(&self.level(level)).is_ok_and(|run| run.is_finished())
    }
}
