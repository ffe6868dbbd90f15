//! A record's report as lines for people.

use super::{RecordFinding, RecordReport};
use crate::error::in_one_line;
use std::fmt;

/// The verdict first, then why it is no other, the first finding, each op with its errors, and what was not judged.
impl fmt::Display for RecordReport {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        // Names are the file's.
        self.lines().iter().try_for_each(|line| writeln!(f, "{}", in_one_line(line)))
    }
}

impl RecordReport {
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{}  {}  ({})", self.verdict, self.file, self.producer)];
        lines.extend(self.inconclusive.iter().map(|reason| format!("  because {reason}")));
        if let Some(first) = self.findings.first() {
            lines.push(String::new());
            lines.push(format!("first divergence: {}", described(first)));
            lines.push(format!("{} finding(s) in all:", self.findings_total));
            for (label, count) in &self.findings_by_label {
                let of_label = self.findings.iter().find(|finding| finding.label == *label);
                let place = match of_label {
                    Some(finding) if finding == first => ", the first divergence among them".to_string(),
                    Some(finding) => format!(", the first in {}", described(finding)),
                    None => String::new(),
                };
                lines.push(format!("  {label}: {count}{place}"));
            }
        }
        lines.extend(self.suspects.iter().take(SUSPECTS).map(|finding| format!("suspect: {}", described(finding))));
        lines.push(String::new());
        let (calls, steps, compared) = (self.calls, self.steps, self.compared);
        lines.push(format!("checked: {compared} numbers of {calls} calls in {steps} step(s)"));
        lines.extend(self.table());
        let wiring = &self.wiring;
        if wiring.operands + wiring.saved + wiring.gradients > 0 {
            lines.push(format!(
                "wiring: {} operands traced to where they come from, {} held against the forward case's, {} gradients taken \
                 apart, bit for bit",
                wiring.operands, wiring.saved, wiring.gradients
            ));
        }
        if self.adjoint.asked > 0 {
            lines.push(format!(
                "adjoint: {} gradients held against their forward cases by inner products, {} of them adjoint",
                self.adjoint.asked, self.adjoint.held
            ));
        }
        lines.extend(wiring.untold.iter().map(|reason| format!("wiring: not told: {reason}")));
        lines.extend(self.not_judged.iter().map(|left_out| format!("not judged: {left_out}")));
        lines
    }

    /// A line an op: counts, the largest error and the bound in units of u |A||B|.
    fn table(&self) -> Vec<String> {
        let width = self.ops.keys().map(String::len).max().unwrap_or(0);
        let line = |(name, op): (&String, &super::OpSummary)| {
            let counts = format!("{} calls, {} numbers", op.calls, op.elements);
            let wrong = [(op.fail, "FAIL"), (op.suspect, "SUSPECT"), (op.undeclared, "undeclared")];
            let wrong: Vec<String> =
                wrong.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!(", {n} {what}")).collect();
            let sizes = match (op.worst, op.tightness()) {
                (0.0, 0.0) => "exact".to_string(),
                (worst, bound) => format!("r <= {worst:.3}, bound {bound:.3}"),
            };
            format!("  {name:width$}  {counts}{}: {sizes}", wrong.concat())
        };
        self.ops.iter().filter(|(_, op)| op.results > 0).map(line).collect()
    }
}

/// How many suspects are printed; all are counted, and in the JSON.
const SUSPECTS: usize = 5;

/// A finding in a line.
fn described(finding: &RecordFinding) -> String {
    let event = match (finding.epoch, finding.batch) {
        (Some(epoch), Some(batch)) => format!("epoch {epoch}, batch {batch}, "),
        _ => String::new(),
    };
    let module = finding.module.as_ref().map(|module| format!(" (module {module})")).unwrap_or_default();
    let at = format!("{event}{} in case `{}`{module}, {}", finding.label, finding.case, finding.place);
    let tensor = if finding.tensor.is_empty() { String::new() } else { format!(", tensor `{}`", finding.tensor) };
    let index = if finding.index.is_empty() { String::new() } else { format!("{:?}", finding.index) };
    let numbers = finding.numbers.map(|n| {
        let got = format!(": got {:e}, expected {:e} .. {:e}", n.got, n.expected_low, n.expected_high);
        format!("{got} ({:.3e} ulp away)", n.ulps)
    });
    let cause = finding.likely_cause.as_deref().unwrap_or("no known mistake gives this value");
    format!("{at}{tensor}{index}{}: {cause}", numbers.unwrap_or_default())
}
