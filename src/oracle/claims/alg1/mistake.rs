//! [`Mistake`]: one that is known in the optimizer's steps.

use crate::oracle::claims::descent::Rule;

/// A mistake: what it makes of the right rule at step `i` of an epoch, and which batches it steps through.
pub(super) struct Mistake {
    pub(super) cause: String,
    pub(super) rule: Box<dyn Fn(Rule, usize) -> Rule>,
    pub(super) skips: fn(usize, usize) -> bool,
    /// What the momentum is multiplied by at the epoch's start.
    pub(super) buffer: f64,
    /// Whether the momentum of selected weights is 0 there, if not as the reading says.
    pub(super) forgets_selected: Option<bool>,
}

pub(super) fn mistake(cause: impl Into<String>, rule: impl Fn(Rule, usize) -> Rule + 'static) -> Mistake {
    Mistake { cause: cause.into(), rule: Box::new(rule), skips: |_, _| false, buffer: 1.0, forgets_selected: None }
}
