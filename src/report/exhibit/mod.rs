//! An [`Exhibit`](crate::experiment::exhibit::Exhibit) as text for a terminal, as CSV and JSON for other programs, and its
//! charts as SVG.

pub(super) mod chart;
mod data;
mod files;
mod shown;
mod text;

pub use chart::{drawing, svg};
pub use data::{chart_csv, json, table_csv};
pub use files::files;
pub(super) use files::stem;
pub(super) use shown::number;
pub use shown::{Overall, Shown, overall};
pub use text::text;

use crate::experiment::exhibit::{Axis, Column};

/// What it is of, and in what: `accuracy (%)`.
fn headed(name: &str, unit: Option<&str>) -> String {
    match unit {
        Some(unit) if !name.is_empty() => format!("{name} ({unit})"),
        Some(unit) => unit.to_string(),
        None => name.to_string(),
    }
}

/// A column's head.
pub(super) fn head(column: &Column) -> String {
    headed(&column.name, column.unit.as_deref())
}

/// An axis' label.
pub(super) fn label(axis: &Axis) -> String {
    headed(&axis.label, axis.unit.as_deref())
}
