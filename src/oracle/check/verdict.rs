//! [`Collector`]: from outcomes to a report.

use super::CheckOptions;
use super::outcome::Outcome;
use crate::error::Result;
use crate::oracle::report::{EQUATION_NAMES, Finding, LISTED, Level, NotChecked, Report, Verdict};
use crate::oracle::trace::Trace;
use std::collections::BTreeMap;

/// The share of decisions that rounding may turn either way before a trace says too little: one in a hundred.
const AMBIGUOUS_SHARE: usize = 100;

/// What all epochs gave so far.
#[derive(Default)]
pub(crate) struct Collector {
    findings: Vec<Finding>,
    findings_by_equation: BTreeMap<&'static str, usize>,
    ambiguous_by_equation: BTreeMap<&'static str, usize>,
    decisions: usize,
    compared: BTreeMap<&'static str, usize>,
    missing: BTreeMap<(&'static str, String), usize>,
    unbounded: BTreeMap<(&'static str, String), usize>,
}

impl Collector {
    /// Takes an outcome, and asks for the likely cause if there is something to explain.
    pub(crate) fn add(
        &mut self,
        mut outcome: Outcome,
        explain: impl FnOnce(&Outcome) -> Result<Option<String>>,
    ) -> Result<()> {
        if outcome.total > 0 && self.findings.len() < LISTED {
            let cause = explain(&outcome)?;
            for finding in &mut outcome.findings {
                finding.likely_cause.clone_from(&cause);
            }
        }
        self.add_unexplained(outcome);
        Ok(())
    }

    /// Takes an outcome as it is.
    pub(crate) fn add_unexplained(&mut self, outcome: Outcome) {
        let equation = outcome.stage.equation();
        if outcome.compared > 0 {
            *self.compared.entry(equation).or_insert(0) += outcome.compared;
        }
        if outcome.total > 0 {
            *self.findings_by_equation.entry(equation).or_insert(0) += outcome.total;
        }
        if outcome.ambiguous > 0 {
            *self.ambiguous_by_equation.entry(equation).or_insert(0) += outcome.ambiguous;
        }
        self.decisions += outcome.decisions;
        for reason in outcome.missing {
            *self.missing.entry((equation, reason)).or_insert(0) += 1;
        }
        if let Some(reason) = outcome.unbounded {
            *self.unbounded.entry((equation, reason)).or_insert(0) += 1;
        }
        let room = LISTED.saturating_sub(self.findings.len());
        self.findings.extend(outcome.findings.into_iter().take(room));
    }

    /// The report over all epochs.
    pub(crate) fn report(self, trace: &Trace, options: &CheckOptions) -> Report {
        let findings_total: usize = self.findings_by_equation.values().sum();
        let ambiguous: usize = self.ambiguous_by_equation.values().sum();
        let checked: Vec<&'static str> =
            EQUATION_NAMES.iter().copied().filter(|name| self.compared.contains_key(name)).collect();
        let mut inconclusive: Vec<String> =
            self.unbounded.keys().map(|(equation, reason)| format!("{equation}: {reason}")).collect();
        if checked.is_empty() {
            inconclusive.push("nothing could be checked".to_string());
        }
        if ambiguous * AMBIGUOUS_SHARE > self.decisions {
            let decisions = self.decisions;
            inconclusive.push(format!(
                "{ambiguous} of {decisions} decisions could have gone either way: more than one in {AMBIGUOUS_SHARE}"
            ));
        }
        let verdict = match (findings_total, inconclusive.is_empty()) {
            (0, true) => Verdict::Pass,
            (0, false) => Verdict::Inconclusive,
            _ => Verdict::Fail,
        };
        let left_out = self.missing.into_iter().chain(self.unbounded);
        let not_checked =
            left_out.map(|((equation, reason), epochs)| NotChecked { equation, reason, epochs }).collect();
        let levels = vec![method_level(&checked, options)];
        Report {
            file: trace.path().display().to_string(),
            producer: trace.header.producer.clone(),
            verdict,
            inconclusive,
            checked,
            not_checked,
            findings: self.findings,
            findings_total,
            findings_by_equation: self.findings_by_equation,
            ambiguous_by_equation: self.ambiguous_by_equation,
            ambiguous,
            decisions: self.decisions,
            compared: self.compared.values().sum(),
            epochs: trace.epochs().count(),
            levels,
            warnings: warnings(trace),
        }
    }
}

fn method_level(checked: &[&'static str], options: &CheckOptions) -> Level {
    let name = if options.exact { "exact" } else { "method" };
    Level { name, status: checked.join(" "), checked: !checked.is_empty() }
}

/// What a user should know that is no finding.
fn warnings(trace: &Trace) -> Vec<String> {
    let header = trace.header.unknown.iter().map(|key| format!("header key `{key}` is not one of the format's"));
    let tensors = trace.unknown().iter().map(|name| format!("tensor `{name}` is not one of the format's"));
    let mut warnings: Vec<String> = header.chain(tensors).collect();
    let (first, epochs) = (trace.header.reading.epoch_origin.first(), trace.header.hyper.epochs);
    let beyond: Vec<usize> = trace.epochs().filter(|&k| k < first || k - first >= epochs).collect();
    if let Some(k) = beyond.first() {
        let last = first + epochs - 1;
        warnings.push(format!("epoch {k} is not one of {first} to {last}, which `epochs` and `epoch_origin` give"));
    }
    warnings
}
