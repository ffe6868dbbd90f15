//! [`files`]: exhibits as files for other programs.

use super::{chart_csv, json, svg, table_csv};
use crate::error::Result;
use crate::experiment::exhibit::Exhibit;

/// What an exhibit is called where several stand together: its target's name, and a number where one target is shown at
/// several scales.
pub(in crate::report) fn stem(exhibits: &[Exhibit], index: usize) -> String {
    let target = &exhibits[index].target;
    match exhibits[..index].iter().filter(|other| other.target == *target).count() {
        0 => target.clone(),
        before => format!("{target}-{}", before + 1),
    }
}

/// Names and contents: `table2.json`, the exhibit; `table2-NAME.csv` for each table and each chart; `fig3-NAME.svg` for
/// each chart.
///
/// # Errors
/// [`Error::Domain`](crate::Error::Domain) if one cannot be formed.
pub fn files(exhibits: &[Exhibit]) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for (index, exhibit) in exhibits.iter().enumerate() {
        let stem = stem(exhibits, index);
        files.push((format!("{stem}.json"), json(exhibit)?.to_string() + "\n"));
        for table in &exhibit.tables {
            files.push((format!("{stem}-{}.csv", table.name), table_csv(table)?));
        }
        for chart in &exhibit.charts {
            files.push((format!("{stem}-{}.csv", chart.name), chart_csv(chart)?));
            files.push((format!("{stem}-{}.svg", chart.name), svg(chart)));
        }
    }
    Ok(files)
}
