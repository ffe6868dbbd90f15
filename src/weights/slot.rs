//! [`Slot`]: what a method keeps of every weight.

use super::{Segment, WeightSet};
use crate::kernel::Pattern;
use crate::scalar::Scalar;
use std::sync::Arc;

/// What becomes of a slot's entries of eliminated weights while their parameter is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dead {
    /// They are not stored, and +0 afterwards: nothing reads them.
    Forgotten,
    /// They are stored as all others.
    Kept,
}

impl Dead {
    /// How many entries of a parameter of `n` weights are stored.
    pub(super) fn stored(self, n: usize, pattern: Option<&Arc<Pattern>>) -> usize {
        match (self, pattern) {
            (Self::Forgotten, Some(pattern)) => pattern.nnz(),
            _ => n,
        }
    }
}

/// How long a slot is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasts {
    /// From epoch to epoch: checkpoints hold it.
    Run,
    /// Until the epoch's end, where the method takes it.
    Epoch,
}

/// One number of every weight.
#[derive(Debug, Clone, PartialEq)]
pub struct Slot<S> {
    /// Its name in files.
    pub name: &'static str,
    pub lasts: Lasts,
    pub dead: Dead,
    /// Flat over W; while steps are taken, of each parameter the entries that are stored.
    pub values: Vec<S>,
}

impl<S: Scalar> Slot<S> {
    /// Leaves of every parameter what is stored under its pattern.
    pub(super) fn compress(&mut self, set: &WeightSet, pattern: impl Fn(&Segment) -> Option<Arc<Pattern>>) {
        if self.dead == Dead::Kept || !set.segments().iter().any(|segment| pattern(segment).is_some()) {
            return;
        }
        let mut stored = Vec::new();
        for segment in set.segments() {
            let whole = &self.values[segment.range.clone()];
            match pattern(segment) {
                Some(pattern) => stored.extend(pattern.gather(whole)),
                None => stored.extend_from_slice(whole),
            }
        }
        self.values = stored;
    }

    /// The contrary: +0 where nothing was stored.
    pub(super) fn expand(&mut self, set: &WeightSet, pattern: impl Fn(&Segment) -> Option<Arc<Pattern>>) {
        if self.values.len() == set.len() {
            return;
        }
        let mut whole = vec![S::ZERO; set.len()];
        let mut rest = &self.values[..];
        for segment in set.segments() {
            let pattern = pattern(segment);
            let (stored, others) = rest.split_at(self.dead.stored(segment.range.len(), pattern.as_ref()));
            match &pattern {
                Some(pattern) => pattern.scatter_into(stored, &mut whole[segment.range.clone()]),
                None => whole[segment.range.clone()].copy_from_slice(stored),
            }
            rest = others;
        }
        self.values = whole;
    }
}
