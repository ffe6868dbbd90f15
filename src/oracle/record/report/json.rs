//! A record's report as the object that `gdstar check --json` prints.

use super::{RecordFinding, RecordReport};
use crate::oracle::report::number;
use serde_json::{Map, Value, json};

impl RecordReport {
    /// The report, with the keys that a trace's has.
    pub fn to_json(&self) -> Value {
        let findings: Vec<Value> = self.findings.iter().map(finding).collect();
        let suspects: Vec<Value> = self.suspects.iter().map(finding).collect();
        let mut ops = Map::new();
        for (name, op) in &self.ops {
            let tightness = number(op.tightness());
            let counts = json!({
                "calls": op.calls, "results": op.results, "elements": op.elements, "pass": op.pass(), "fail": op.fail,
                "suspect": op.suspect, "undeclared": op.undeclared, "worst_r": number(op.worst), "bound_r": tightness,
            });
            ops.insert(name.clone(), counts);
        }
        let not_judged: Vec<Value> = self
            .not_judged
            .iter()
            .map(|n| json!({"op": n.op, "reason": n.reason, "count": n.count, "first": n.first}))
            .collect();
        let checked: Vec<String> = self.checked();
        let not_checked: Vec<String> = self.not_judged.iter().map(|n| format!("op.{}", n.op)).collect();
        json!({
            "file": self.file,
            "producer": self.producer,
            "verdict": self.verdict.name(),
            "inconclusive": self.inconclusive,
            "checked": checked,
            "not_checked": not_checked,
            "findings": findings,
            "findings_total": self.findings_total,
            "findings_by_label": self.findings_by_label,
            "suspects": suspects,
            "ambiguous": 0,
            "ops": ops,
            "not_judged": not_judged,
            "wiring": {
                "operands": self.wiring.operands, "saved": self.wiring.saved, "gradients": self.wiring.gradients,
                "untold": self.wiring.untold,
            },
            "adjoint": {"asked": self.adjoint.asked, "held": self.adjoint.held},
            "steps": self.steps,
            "calls": self.calls,
            "compared": self.compared,
        })
    }
}

fn finding(finding: &RecordFinding) -> Value {
    let numbers = finding.numbers.as_ref();
    json!({
        "equation": finding.label,
        "case": finding.case,
        "module": finding.module,
        "place": finding.place,
        "tensor": finding.tensor,
        "epoch": finding.epoch,
        "batch": finding.batch,
        "step": finding.step,
        "index": finding.index,
        "elements": finding.elements,
        "got": numbers.map(|n| number(n.got)),
        "expected_low": numbers.map(|n| number(n.expected_low)),
        "expected_high": numbers.map(|n| number(n.expected_high)),
        "ulps": numbers.map(|n| number(n.ulps)),
        "likely_cause": finding.likely_cause,
    })
}
