//! A report as lines for people: what `gdstar check` prints, and what the Python package shows.

use super::{Finding, Report};
use crate::error::in_one_line;
use std::fmt;

/// The verdict first, then why it is no other, the first divergence, what was checked and what was not.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        // Names are the file's.
        lines(self).iter().try_for_each(|line| writeln!(f, "{}", in_one_line(line)))
    }
}

fn lines(report: &Report) -> Vec<String> {
    let mut lines = vec![format!("{}  {}  ({})", report.verdict, report.file, report.producer)];
    lines.extend(report.inconclusive.iter().map(|reason| format!("  because {reason}")));
    if let Some(first) = report.findings.first() {
        lines.push(String::new());
        lines.push(format!("first divergence: {}{}", event(first), describe(first)));
        lines.push(format!("{} finding(s) in all:", report.findings_total));
        for (equation, count) in &report.findings_by_equation {
            let of_equation = report.findings.iter().find(|finding| finding.equation == *equation);
            let place = match of_equation {
                Some(finding) if finding == first => ", the first divergence among them".to_string(),
                Some(finding) => format!(", the first in {}{}", event(finding), describe(finding)),
                None => String::new(),
            };
            lines.push(format!("  {equation}: {count}{place}"));
        }
    }
    lines.push(String::new());
    lines.push(format!(
        "checked: {} ({} numbers in {} {})",
        if report.checked.is_empty() { "nothing".to_string() } else { report.checked.join(" ") },
        report.compared,
        report.epochs,
        report.events
    ));
    lines.extend(report.sample.as_ref().map(|sample| format!("sample: {sample}")));
    let taken = if report.ambiguous > 0 { ", taken as the port took them" } else { "" };
    lines.push(format!("ambiguous: {} of {} decisions{taken}", report.ambiguous, report.decisions));
    for left_out in &report.not_checked {
        let place = match left_out.epochs == report.epochs {
            true => "everywhere".to_string(),
            false => format!("in some {}", report.events),
        };
        lines.push(format!("not checked, {place}: {}: {}", left_out.equation, left_out.reason));
    }
    for level in &report.levels {
        let checked = if level.checked { "" } else { "not checked: " };
        lines.push(format!("level {}: {checked}{}", level.name, level.status));
    }
    lines.extend(report.warnings.iter().map(|warning| format!("warning: {warning}")));
    lines
}

/// Where in the run a finding is.
fn event(finding: &Finding) -> String {
    match (finding.epoch, finding.step) {
        (Some(k), _) => format!("epoch {k}, "),
        (None, Some(t)) => format!("step {t}, "),
        (None, None) => String::new(),
    }
}

/// A finding in a line.
fn describe(finding: &Finding) -> String {
    let cause = finding.likely_cause.as_deref().unwrap_or("no known mistake gives this value");
    format!(
        "{} in {}{:?}: got {:e}, expected {:e} .. {:e} ({:.3e} ulp away): {cause}",
        finding.equation,
        finding.tensor,
        finding.index,
        finding.got,
        finding.expected_low,
        finding.expected_high,
        finding.ulps
    )
}
