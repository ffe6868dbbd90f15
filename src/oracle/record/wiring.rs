//! How the calls of a step hang together, bit by bit (`docs/records.md`, "A whole step").
//!
//! Nothing is computed here and no bound is needed: a tensor is known again by its content. What is judged is that every
//! operand comes from somewhere, that a derivative is taken at what its forward call was given, and that a gradient is
//! the sum of all that flowed in.

mod content;
mod expected;
mod flow;
mod gradients;
mod joins;
mod origins;
mod pairs;
mod saved;
mod sums;
mod told;

use super::{Record, Step};
use crate::error::Result;
use content::Contents;
use flow::Flow;

/// The rules, as findings name them, in the order of `docs/records.md`.
pub const RULES: &[&str] =
    &["wiring.origin", "wiring.saved", "wiring.gradient", "wiring.optimizer", "wiring.loss", "wiring.trace"];

/// One tensor that is not where it belongs.
#[derive(Debug, Clone, PartialEq)]
pub struct Misplaced {
    /// One of [`RULES`].
    pub rule: &'static str,
    /// The case, or what of the step.
    pub call: String,
    /// Where in the case: `args[1]`, `dy/y`, ..
    pub place: String,
    /// The tensor's name in the file.
    pub tensor: String,
    /// What is wrong with it.
    pub told: String,
    /// The first element that differs from what belongs there, where that is known.
    pub difference: Option<Difference>,
    /// Tensors that it may be made of, the one that belongs there first.
    candidates: Vec<String>,
}

impl Misplaced {
    /// A tensor that is not what another place has.
    pub(super) fn new(
        rule: &'static str,
        call: &str,
        place: &str,
        tensor: &str,
        told: String,
        difference: Option<Difference>,
    ) -> Self {
        let [call, place, tensor] = [call, place, tensor].map(str::to_string);
        Self { rule, call, place, tensor, told, difference, candidates: Vec::new() }
    }
}

/// The first element that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// One number an axis.
    pub index: Vec<usize>,
    pub got: f64,
    pub expected: f64,
    /// In units in the last place of the tensor's type.
    pub ulps: f64,
}

/// What was found of how a step hangs together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wiring {
    pub misplaced: Vec<Misplaced>,
    /// Operands whose origin was looked for.
    pub operands: usize,
    /// Saved tensors and attributes of backward calls that were held against the forward call's.
    pub saved: usize,
    /// Gradients that were taken apart.
    pub gradients: usize,
    /// What could not be told, and why.
    pub untold: Vec<String>,
}

/// Follows every tensor of a step. Calls on their own, without parameters and a batch, come from anywhere: of them the
/// backward calls' operands are held against their forward calls' alone.
///
/// # Errors
/// [`crate::Error::File`] for an integer that 64 bits do not hold; [`crate::Error::Io`].
pub fn follow(record: &Record, step: &Step) -> Result<Wiring> {
    let mut contents = Contents::of(record.file());
    let flow = Flow::of(step, &mut contents)?;
    let mut wiring = Wiring::default();
    saved::judge(&flow, &mut wiring);
    if step.is_whole() {
        origins::judge(&flow, &mut wiring);
        gradients::judge(&flow, step, &mut contents, &mut wiring)?;
    }
    told::explain(record, &flow, &mut wiring)?;
    Ok(wiring)
}
