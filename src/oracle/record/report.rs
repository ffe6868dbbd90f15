//! [`RecordReport`]: what was found of a record, call by call and step by step.

mod json;
mod summary;
mod text;

pub use summary::{NotJudged, OpSummary};

use super::wiring::Wiring;
use crate::oracle::report::Verdict;
use std::collections::BTreeMap;

/// One number, or one tensor, that no correct port has there.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordFinding {
    /// `op.<name>` of a result that is wrong on its own operands, `wiring.<rule>` of a tensor that is not where it belongs.
    pub label: String,
    /// The case.
    pub case: String,
    pub module: Option<String>,
    /// Where in the case: `results[1]`, `grad/w`, `args[2]`, ..
    pub place: String,
    /// The tensor's name in the file.
    pub tensor: String,
    /// The step, from 0 in the file's order; its epoch and batch, where it has them.
    pub step: usize,
    pub epoch: Option<usize>,
    pub batch: Option<usize>,
    /// One number an axis; empty where the finding is of the whole tensor.
    pub index: Vec<usize>,
    /// `None` where no number is held against another.
    pub numbers: Option<Numbers>,
    /// How many elements of the tensor are findings.
    pub elements: usize,
    /// What it may be.
    pub likely_cause: Option<String>,
}

/// A number against what it may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Numbers {
    pub got: f64,
    pub expected_low: f64,
    pub expected_high: f64,
    /// Distance from the nearest expected number, in units in the last place of the tensor's type.
    pub ulps: f64,
}

/// Second opinions of gradients that were not judged, or are wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Adjoint {
    pub asked: usize,
    /// Those that are adjoint to their forward calls.
    pub held: usize,
}

/// The result of judging a record.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordReport {
    pub file: String,
    pub producer: String,
    pub verdict: Verdict,
    /// What made the verdict INCONCLUSIVE.
    pub inconclusive: Vec<String>,
    /// The first findings: step by step, call by call, and how the step hangs together after its calls.
    pub findings: Vec<RecordFinding>,
    /// All elements and tensors that were found wrong.
    pub findings_total: usize,
    pub findings_by_label: BTreeMap<String, usize>,
    /// What is unlikely of a correct port, or right only by a choice that is not declared: the first of each result.
    pub suspects: Vec<RecordFinding>,
    /// Per op, by its name.
    pub ops: BTreeMap<String, OpSummary>,
    pub not_judged: Vec<NotJudged>,
    /// Of all steps together.
    pub wiring: Wiring,
    pub steps: usize,
    pub calls: usize,
    /// Gradients that were held against their forward calls by inner products.
    pub adjoint: Adjoint,
    /// Numbers that were compared.
    pub compared: usize,
    /// Steps whose gradients a trace in the same file has too.
    pub tied_steps: usize,
}

impl RecordReport {
    /// The labels under which something was checked, each once.
    pub fn checked(&self) -> Vec<String> {
        let judged = self.ops.iter().filter(|(_, op)| op.results > 0).map(|(name, _)| label(name));
        let wiring = &self.wiring;
        let rules =
            [("wiring.origin", wiring.operands), ("wiring.saved", wiring.saved), ("wiring.gradient", wiring.gradients)];
        let rules = rules.into_iter().filter(|(_, count)| *count > 0).map(|(rule, _)| rule.to_string());
        let mut labels: Vec<String> = judged.chain(rules).collect();
        labels.sort_unstable();
        labels.dedup();
        labels
    }
}

/// The name under which an op's findings are counted: without library and overload.
pub(super) fn label(op: &str) -> String {
    format!("op.{}", bare(op))
}

/// An op's name without library and overload.
pub(super) fn bare(op: &str) -> &str {
    let bare = op.strip_prefix("aten.").unwrap_or(op);
    bare.split_once('.').map_or(bare, |(name, _)| name)
}
