//! What a check found: the verdict, what was and was not checked, and every divergence with its bound.

mod sampled;
mod text;

pub use sampled::{Sampled, thousands};

use crate::choice::choice;
use crate::oracle::interval::Interval;
use crate::scalar::Dtype;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Every name that findings and coverage use, in the paper's order.
pub const EQUATION_NAMES: &[&str] =
    &["eq1", "eq2", "eq3", "eq4", "eq5", "eq6", "eq7", "eq8", "eq9", "alg1", "alg4", "alg6"];
/// How many findings a report lists; all are counted.
pub const LISTED: usize = 100;

/// What is said of each of these names, at most [`LISTED`] of them, and of the number of the others: a file may have
/// millions.
pub(super) fn first<'a>(
    names: &'a [String],
    said: impl Fn(&str) -> String + 'a,
    of_more: impl Fn(usize) -> String,
) -> impl Iterator<Item = String> + 'a {
    let more = names.len().saturating_sub(LISTED);
    names.iter().take(LISTED).map(move |name| said(name)).chain((more > 0).then(|| of_more(more)))
}

choice! {
    /// The answer to "is this port right?".
    Verdict, "verdict":
    /// Everything that could be checked is what a correct port computes.
    Pass = "PASS",
    /// Something is not.
    Fail = "FAIL",
    /// Nothing could be checked, no bound exists, or too many decisions could have gone either way.
    Inconclusive = "INCONCLUSIVE",
}

impl Verdict {
    /// The process exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Inconclusive => 3,
        }
    }
}

/// Where in a run something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    Epoch(usize),
    Step(usize),
    /// Beside them.
    Whole,
}

/// One number that no correct port computes.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The equation whose result it is: `eq1` .. `eq9`, `alg1`, `alg4`, `alg6`; of other methods `<method>.<label>`.
    pub equation: &'static str,
    /// The tensor's name in the trace; `params/<parameter>` for what the header's `params` has (1) or has not (0).
    pub tensor: String,
    /// Of a method that acts on epochs; `None` of one that acts on steps, and of what belongs to the whole trace.
    pub epoch: Option<usize>,
    pub batch: Option<usize>,
    /// Of a method that acts on steps.
    pub step: Option<usize>,
    /// The place in the tensor, one entry an axis.
    pub index: Vec<usize>,
    pub got: f64,
    pub expected_low: f64,
    pub expected_high: f64,
    /// Distance from the nearest expected number, in units in the last place of the port's dtype.
    pub ulps: f64,
    /// The known mistakes that give the port's value.
    pub likely_cause: Option<String>,
}

impl Finding {
    /// The epoch or the step that it is of, in words; empty where it is of the whole trace.
    pub(crate) fn event(&self) -> String {
        match (self.epoch, self.step) {
            (Some(k), _) => format!("epoch {k}"),
            (_, Some(t)) => format!("step {t}"),
            _ => String::new(),
        }
    }

    /// A finding without a cause yet.
    pub fn new(
        equation: &'static str,
        (tensor, event, index): (String, Event, Vec<usize>),
        got: f64,
        expected: Interval,
        dtype: Dtype,
    ) -> Self {
        let quantity = match event {
            Event::Whole => tensor.split('/').next(),
            Event::Epoch(_) if tensor.starts_with("params/") => Some("params"),
            Event::Epoch(_) | Event::Step(_) => tensor.split('/').nth(2),
        };
        let counts = quantity.is_some_and(|quantity| INTEGERS.contains(&quantity));
        let ulps = if counts { distance(got, expected) } else { ulps(got, expected, dtype) };
        Self {
            equation,
            tensor,
            epoch: if let Event::Epoch(k) = event { Some(k) } else { None },
            batch: None,
            step: if let Event::Step(t) = event { Some(t) } else { None },
            index,
            got,
            expected_low: expected.low,
            expected_high: expected.high,
            ulps,
            likely_cause: None,
        }
    }
}

/// Quantities that are whole numbers: a unit in the last place is 1.
const INTEGERS: [&str; 17] = [
    "k_star",
    "t",
    "mask_before",
    "selected",
    "mask",
    "params",
    "k_stable",
    "updated",
    "keep",
    "keep_backward",
    "drop",
    "pruned",
    "kept",
    "backward",
    "active",
    "channels",
    "init_mask",
];

/// How far `got` is from the nearest number of `expected`.
fn distance(got: f64, expected: Interval) -> f64 {
    // `max` would make 0 of what is not a number.
    let above = got - expected.high;
    if got < expected.low {
        expected.low - got
    } else if above < 0.0 {
        0.0
    } else {
        above
    }
}

/// How far `got` is from the nearest number of `expected`, in units in the last place that this number has in `dtype`.
fn ulps(got: f64, expected: Interval, dtype: Dtype) -> f64 {
    if expected.contains(got) {
        return 0.0;
    }
    let nearest = if got < expected.low { expected.low } else { expected.high };
    let (_, exponent) = libm::frexp(nearest.abs().max(dtype.smallest_normal()));
    let ulp = libm::ldexp(2.0 * dtype.unit_roundoff(), exponent - 1);
    (got - nearest).abs() / ulp
}

/// An equation that was left out, somewhere or everywhere, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotChecked {
    pub equation: &'static str,
    pub reason: String,
    /// In how many epochs.
    pub epochs: usize,
}

/// How one level of checking went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// `exact`, `method`, `step`, `epoch`, `run`.
    pub name: &'static str,
    /// What it compared, or why it could not.
    pub status: String,
    pub checked: bool,
}

/// The result of a check.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub file: String,
    pub producer: String,
    pub verdict: Verdict,
    /// What made the verdict INCONCLUSIVE.
    pub inconclusive: Vec<String>,
    /// The equations of which something was checked.
    pub checked: Vec<&'static str>,
    /// The equations of which nothing was checked, and those that were left out in some epochs.
    pub not_checked: Vec<NotChecked>,
    /// The first divergences, the earliest first.
    pub findings: Vec<Finding>,
    pub findings_total: usize,
    /// Per equation, how many numbers were found wrong.
    pub findings_by_equation: BTreeMap<&'static str, usize>,
    /// Decisions that rounding could have turned either way, per equation; the port's own was taken.
    pub ambiguous_by_equation: BTreeMap<&'static str, usize>,
    pub ambiguous: usize,
    /// All decisions that were looked at.
    pub decisions: usize,
    /// All numbers that were compared.
    pub compared: usize,
    pub epochs: usize,
    pub levels: Vec<Level>,
    /// What the trace's method acts on: `epochs` or `steps`.
    pub events: &'static str,
    /// Every name that coverage of the trace's method uses, in order.
    pub names: &'static [&'static str],
    pub warnings: Vec<String>,
    /// Of a trace of a sample of the weights, which.
    pub sample: Option<Sampled>,
}

impl Report {
    /// The equations of which nothing at all was checked.
    pub fn unchecked(&self) -> impl Iterator<Item = &'static str> {
        self.names.iter().copied().filter(|name| !self.checked.contains(name))
    }

    /// The object that `gdstar check --json` prints.
    pub fn to_json(&self) -> Value {
        let findings: Vec<Value> = self.findings.iter().map(finding_to_json).collect();
        let reasons: Vec<Value> = self
            .not_checked
            .iter()
            .map(|n| json!({"equation": n.equation, "reason": n.reason, "epochs": n.epochs}))
            .collect();
        let levels: Vec<Value> = self
            .levels
            .iter()
            .map(|level| json!({"level": level.name, "checked": level.checked, "status": level.status}))
            .collect();
        let mut report = json!({
            "file": self.file,
            "producer": self.producer,
            "verdict": self.verdict.name(),
            "inconclusive": self.inconclusive,
            "checked": self.checked,
            "not_checked": self.unchecked().collect::<Vec<_>>(),
            "not_checked_reasons": reasons,
            "findings": findings,
            "findings_total": self.findings_total,
            "findings_by_equation": self.findings_by_equation,
            "ambiguous": self.ambiguous,
            "ambiguous_by_equation": self.ambiguous_by_equation,
            "decisions": self.decisions,
            "compared": self.compared,
            "epochs": self.epochs,
            "levels": levels,
            "warnings": self.warnings,
        });
        if let Some(sample) = &self.sample {
            report["sample"] = sample.to_json();
        }
        report
    }
}

fn finding_to_json(finding: &Finding) -> Value {
    json!({
        "equation": finding.equation,
        "tensor": finding.tensor,
        "epoch": finding.epoch,
        "batch": finding.batch,
        "step": finding.step,
        "index": finding.index,
        "got": number(finding.got),
        "expected_low": number(finding.expected_low),
        "expected_high": number(finding.expected_high),
        "ulps": number(finding.ulps),
        "likely_cause": finding.likely_cause,
    })
}

/// A number as JSON; one that is not finite as a string.
pub(crate) fn number(x: f64) -> Value {
    if x.is_finite() { json!(x) } else { Value::String(x.to_string()) }
}
