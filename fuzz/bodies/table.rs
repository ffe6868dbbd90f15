//! Tables: whatever runs are read, each has its row, in every form.

use super::{accepted, runs};
use gdstar::Result;
use gdstar::report::{RunTable, WIDTH};
use gdstar::train::StoredRun;

/// Reads `data` as run folders ([`runs::read`]), and compares them.
pub fn run(data: &[u8]) -> bool {
    accepted(runs::read(data).and_then(|runs| check(&runs)), |()| ())
}

fn check(runs: &[StoredRun]) -> Result<()> {
    let table = RunTable::new(runs)?;
    for columns in [None, Some(WIDTH)] {
        let markdown = table.markdown(columns);
        let named = |run: &&StoredRun| markdown.lines().any(|line| line.contains(&run.name));
        assert_eq!(runs.iter().filter(named).count(), runs.len(), "{markdown}");
        assert!(!markdown.contains("NaN"), "{markdown}");
    }
    let csv = table.csv()?;
    let mut lines = csv.lines();
    let fields = lines.next().map(|head| head.split(',').count());
    assert!(fields.is_some_and(|fields| fields >= 11) && lines.count() == runs.len(), "{csv}");
    let json: serde_json::Value = serde_json::from_str(&table.json().to_string()).expect("JSON");
    let listed = |key: &str| json[key].as_array().map_or(0, Vec::len);
    assert_eq!(listed("runs"), runs.len());
    assert!((1..=runs.len()).contains(&listed("experiments")));
    Ok(())
}
