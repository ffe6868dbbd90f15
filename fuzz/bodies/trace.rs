//! Traces: an accepted one is judged, in every way of judging, without a panic, and the report agrees with itself.

use super::{PATH, accepted};
use gdstar::oracle::{CheckOptions, LISTED, Report, Verdict, check_trace};
use gdstar::tensor_file::TensorFile;
use gdstar::trace::Trace;
use std::path::Path;

/// Reads `data` as a trace and checks it.
pub fn run(data: &[u8]) -> bool {
    let judged = TensorFile::parse(Path::new(PATH), data.to_vec()).and_then(Trace::new).and_then(|trace| {
        let exact = CheckOptions { exact: true, ..CheckOptions::default() };
        Ok([check_trace(&trace, &CheckOptions::default())?, check_trace(&trace, &exact)?])
    });
    accepted(judged, |[report, exact]| {
        assert!(report.findings.is_sorted_by_key(|finding| finding.epoch));
        assert_consistent(&report);
        assert_consistent(&exact);
        // What rounding excuses, exactness does not.
        assert!(report.findings_total == 0 || exact.findings_total > 0);
    })
}

/// The parts of a report say the same.
pub(super) fn assert_consistent(report: &Report) {
    assert_eq!(report.verdict == Verdict::Fail, report.findings_total > 0);
    assert_eq!(report.findings.len(), report.findings_total.min(LISTED));
    assert_eq!(report.findings_by_equation.values().sum::<usize>(), report.findings_total);
    assert_eq!(report.verdict == Verdict::Inconclusive, report.findings_total == 0 && !report.inconclusive.is_empty());
    assert!(report.ambiguous <= report.decisions);
    for finding in &report.findings {
        assert!(!(finding.expected_low <= finding.got && finding.got <= finding.expected_high), "{finding:?}");
        assert!(finding.ulps.is_nan() || finding.ulps > 0.0, "{finding:?}");
        assert!(report.checked.contains(&finding.equation), "{finding:?}");
    }
    let printed = report.to_json().to_string();
    let read: serde_json::Value = serde_json::from_str(&printed).expect("a report is JSON");
    assert_eq!(read["findings"].as_array().map(Vec::len), Some(report.findings.len()));
}
