//! An exhibit's data for other programs, with all digits.

use super::Shown;
use super::{head, label};
use crate::error::{Error, Result};
use crate::experiment::exhibit::{Cell, Chart, Exhibit, Origin, Sample, Table};
use serde_json::{Value, json};

/// A record a number: `row`, `column`, `unit`, `origin` (`ours` or `paper`), `seed`, `value`, and its `source`, the hash of
/// the run, two of a difference, or the place in the paper. Words and settings have no origin.
///
/// # Errors
/// [`Error::Domain`] if a record cannot be formed.
pub fn table_csv(table: &Table) -> Result<String> {
    let mut csv = Csv::new(&["row", "column", "unit", "origin", "seed", "value", "source"])?;
    for row in &table.rows {
        for (column, cell) in table.columns.iter().zip(&row.cells) {
            let unit = column.unit.as_deref().unwrap_or_default();
            let mut record = |[origin, seed, value, source]: [&str; 4]| {
                csv.record(&[&row.label, &column.name, unit, origin, seed, value, source])
            };
            match cell {
                Cell::Empty => {}
                Cell::Text(text) => record(["", "", text, ""])?,
                Cell::Number(value) => record(["", "", &value.to_string(), ""])?,
                Cell::Measured(measured) => {
                    for Sample { seed, value, hash } in &measured.ours {
                        record(["ours", &seed.to_string(), &value.to_string(), hash])?;
                    }
                    if let Some(paper) = &measured.paper {
                        record(["paper", "", &paper.value.to_string(), &paper.place])?;
                    }
                }
                Cell::Difference(difference) => {
                    for (ours, baseline) in difference.pairs() {
                        let value = (ours.value - baseline.value).to_string();
                        let source = format!("{} - {}", ours.hash, baseline.hash);
                        record(["ours", &ours.seed.to_string(), &value, &source])?;
                    }
                }
            }
        }
    }
    csv.text()
}

/// A record a point: `series`, `origin`, and x, y, low and high, where `x` on an axis of names is the name.
///
/// # Errors
/// As [`table_csv`].
pub fn chart_csv(chart: &Chart) -> Result<String> {
    let (x, y) = (label(&chart.x), label(&chart.y));
    let mut csv = Csv::new(&["series", "origin", if x.is_empty() { "x" } else { &x }, &y, "low", "high"])?;
    for series in &chart.series {
        let origin = match series.origin {
            Origin::Ours => "ours",
            Origin::Paper => "paper",
        };
        for point in &series.points {
            let end = |end: Option<f64>| end.map_or_else(String::new, |end| end.to_string());
            let x = name_at(chart, point.x).map_or_else(|| point.x.to_string(), str::to_string);
            let y = point.y.to_string();
            csv.record(&[&series.name, origin, &x, &y, &end(point.low), &end(point.high)])?;
        }
    }
    csv.text()
}

/// What is at this place of an axis of names.
pub(super) fn name_at(chart: &Chart, x: f64) -> Option<&str> {
    chart.x.names.get(x.round().max(0.0) as usize).map(String::as_str)
}

/// The exhibit, every field as it is called in [`Exhibit`], and in each cell with samples `statistics`: `count`, `mean`,
/// `deviation`, and the comparison with the paper's number (of a difference, with 0): `low` and `high` of its 95 % interval,
/// and the `verdict`.
///
/// # Errors
/// [`Error::Domain`] if the exhibit cannot be formed.
pub fn json(exhibit: &Exhibit) -> Result<Value> {
    let unwritten = |e| Error::domain("exhibit", "values that JSON can hold", e);
    let mut value = serde_json::to_value(exhibit).map_err(unwritten)?;
    for (t, table) in exhibit.tables.iter().enumerate() {
        for (r, row) in table.rows.iter().enumerate() {
            for (c, cell) in row.cells.iter().enumerate() {
                let written = &mut value["tables"][t]["rows"][r]["cells"][c];
                let inside = ["measured", "difference"].into_iter().find(|key| written.get(key).is_some());
                if let (Some(shown), Some(inside)) = (Shown::of(cell), inside) {
                    written[inside]["statistics"] = statistics(&shown);
                }
            }
        }
    }
    Ok(value)
}

fn statistics(shown: &Shown) -> Value {
    let mut all = json!({ "count": shown.count, "mean": shown.mean, "deviation": shown.deviation });
    if let Some(comparison) = shown.comparison {
        let [low, high] = comparison.interval;
        all["difference"] = json!({
            "mean": comparison.centre, "low": low, "high": high, "verdict": comparison.verdict.words(),
        });
    }
    all
}

struct Csv(csv::Writer<Vec<u8>>);

impl Csv {
    fn new(fields: &[&str]) -> Result<Self> {
        let mut csv = Self(csv::Writer::from_writer(Vec::new()));
        csv.record(fields)?;
        Ok(csv)
    }

    fn record(&mut self, fields: &[&str]) -> Result<()> {
        self.0.write_record(fields).map_err(|e| Error::domain("exhibit", "records that CSV can hold", e))
    }

    fn text(self) -> Result<String> {
        let bytes =
            self.0.into_inner().map_err(|e| Error::domain("exhibit", "records that CSV can hold", e.error()))?;
        String::from_utf8(bytes).map_err(|e| Error::domain("exhibit", "text in UTF-8", e))
    }
}

/// A table's columns with their units, for those that have no use for records.
pub(super) fn heads(table: &Table) -> Vec<String> {
    table.columns.iter().map(head).collect()
}
