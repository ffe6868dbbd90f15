//! Records of single ops: an accepted one is judged without a panic, in memory bounded by what it holds, and the report
//! agrees with itself.

use super::{PATH, accepted};
use gdstar::oracle::record::{Record, RecordReport, check_record};
use gdstar::oracle::{LISTED, Verdict};
use gdstar::tensor_file::TensorFile;
use std::path::Path;

/// Reads `data` as a record and checks it.
pub fn run(data: &[u8]) -> bool {
    let record = TensorFile::parse(Path::new(PATH), data.to_vec()).and_then(Record::new);
    accepted(record.and_then(|record| check_record(&record, &|_, _| {})), |report| assert_consistent(&report))
}

/// The parts of a report say the same.
fn assert_consistent(report: &RecordReport) {
    assert_eq!(report.verdict == Verdict::Fail, report.findings_total > 0);
    assert_eq!(report.verdict == Verdict::Inconclusive, report.findings_total == 0 && !report.inconclusive.is_empty());
    assert_eq!(report.findings_by_label.values().sum::<usize>(), report.findings_total);
    assert!(report.findings.len() <= report.findings_total.min(LISTED));
    for finding in &report.findings {
        if let Some(numbers) = finding.numbers.filter(|_| finding.label.starts_with("op.")) {
            assert!(!(numbers.expected_low <= numbers.got && numbers.got <= numbers.expected_high), "{finding:?}");
        }
        assert!(finding.elements > 0, "{finding:?}");
    }
    for (name, op) in &report.ops {
        assert!(op.fail + op.suspect + op.undeclared + op.pass() >= op.elements, "{name}: {op:?}");
    }
    let printed = report.to_json().to_string();
    let read: serde_json::Value = serde_json::from_str(&printed).expect("a report is JSON");
    assert_eq!(read["findings"].as_array().map(Vec::len), Some(report.findings.len()));
    assert!(report.to_string().lines().all(|line| line.len() < 1000), "{report}");
}
