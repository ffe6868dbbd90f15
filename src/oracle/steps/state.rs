//! [`Whole`] and [`Left`]: what a trace has beside its steps, and what a step leaves to the next one.

use super::near::{Arrays, Known, Masks, Near};

/// Before the first step.
#[derive(Debug, Clone, Default)]
pub(crate) struct Whole {
    /// W_0 of every parameter.
    pub(crate) init: Arrays,
    /// Which weights are active at the start.
    pub(crate) mask: Masks,
    /// Of selections by layer: each layer's sparsity. Empty of a selection over W.
    pub(crate) sparsity: Vec<Known<Near>>,
}

/// The state after a step.
#[derive(Debug, Clone)]
pub(crate) struct Left {
    /// The step; `None` before the first one.
    pub(crate) t: Option<usize>,
    pub(crate) weights: Arrays,
    pub(crate) momentum: Arrays,
    pub(crate) mask: Masks,
    pub(crate) accumulated: Arrays,
    /// B of Top-KAST.
    pub(crate) backward: Masks,
    /// Where DUMIQUE's estimate ended.
    pub(crate) quantile: Known<Near>,
    /// What each candidate of a search along lines came to.
    pub(crate) candidates: Vec<Candidate>,
}

impl Left {
    /// Before anything is known.
    pub(crate) const NOTHING: Self = Self {
        t: None,
        weights: Vec::new(),
        momentum: Vec::new(),
        mask: Vec::new(),
        accumulated: Vec::new(),
        backward: Vec::new(),
        quantile: Err(String::new()),
        candidates: Vec::new(),
    };
}

/// What a candidate came to.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) k: usize,
    pub(crate) score: Known<Near>,
    pub(crate) barrier: Known<Near>,
}
