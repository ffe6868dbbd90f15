//! A table of the page.

use super::runs::Runs;
use super::symbols::symbols;
use crate::experiment::exhibit::{Better, Cell, Column, Sample, Table};
use crate::experiment::statistics::{Comparison, Verdict};
use crate::report::exhibit::{Shown, head, number};
use maud::{Markup, html};

/// Sorted by a script where there is one, and readable without.
pub(super) fn table(table: &Table, runs: &Runs) -> Markup {
    html! {
        div class="wide" tabindex="0" role="region" aria-label=(table.title) {
            table {
                thead {
                    tr {
                        th scope="col" {}
                        @for column in &table.columns { th scope="col" { (symbols(&head(column))) } }
                    }
                }
                tbody {
                    @for row in &table.rows {
                        tr {
                            th scope="row" { (row.label) }
                            @for (cell, column) in row.cells.iter().zip(&table.columns) { (shown(cell, column, runs)) }
                        }
                    }
                }
            }
        }
    }
}

fn shown(cell: &Cell, column: &Column, runs: &Runs) -> Markup {
    match cell {
        Cell::Empty => html! { td class="empty" { "–" } },
        Cell::Text(text) => html! { td class="words" { (text) } },
        Cell::Number(value) => html! { td data-value=(value) { (number(*value, column.decimals, false)) } },
        Cell::Measured(measured) => over_seeds(cell, column, &|| seeds(&measured.ours, column, runs)),
        Cell::Difference(difference) => over_seeds(cell, column, &|| {
            html! {
                ul {
                    @for (ours, baseline) in difference.pairs() {
                        li {
                            "seed " (ours.seed) ": " (number(ours.value - baseline.value, column.decimals, true)) " = "
                            (runs.value(ours, column)) " − " (runs.value(baseline, column))
                        }
                    }
                }
            }
        }),
    }
}

fn seeds(ours: &[Sample], column: &Column, runs: &Runs) -> Markup {
    html! { ul { @for sample in ours { li { "seed " (sample.seed) ": " (runs.value(sample, column)) } } } }
}

fn over_seeds(cell: &Cell, column: &Column, each: &dyn Fn() -> Markup) -> Markup {
    let Some(shown) = Shown::of(cell) else { return html! { td class="empty" { "–" } } };
    // Sorted by ours, by the paper's where ours is not there yet.
    let value = shown.mean.or(shown.paper.map(|paper| paper.value));
    html! {
        td data-value=[value] {
            @if shown.count > 0 {
                details {
                    summary {
                        span class="ours" { (shown.mean(column)) }
                        @if shown.deviation.is_some() { span class="deviation" { " " (shown.deviation(column)) } }
                        @if shown.is_difference { @if let Some(comparison) = shown.comparison { (mark(comparison, column)) } }
                    }
                    (each())
                }
            } @else {
                span class="empty" { "–" }
            }
            @if let Some(paper) = shown.paper {
                span class="paper" title=(paper.place) {
                    "paper " (shown.paper(column))
                    @if let Some(comparison) = shown.comparison { (mark(comparison, column)) }
                }
            }
        }
    }
}

/// What may be said of the difference, in a sign; in words when it is pointed at and to who listens.
fn mark(comparison: Comparison, column: &Column) -> Markup {
    let Comparison { verdict, interval: [low, high], count, centre } = comparison;
    let is_good = |better: Better| (better == Better::Higher) == (verdict == Verdict::Higher);
    let (sign, class) = match verdict {
        Verdict::TooFew => ("few", "few"),
        Verdict::NotTold => ("≈", "few"),
        Verdict::Higher | Verdict::Lower => {
            let class = match column.better {
                Some(better) if is_good(better) => "good",
                Some(_) => "bad",
                None => "other",
            };
            (if verdict == Verdict::Higher { "▲" } else { "▼" }, class)
        }
    };
    let signed = |x: f64| number(x, column.decimals, true);
    let words = format!(
        "{}: {} on average over {count} seeds, 95 % bootstrap interval {} to {}",
        verdict.words(),
        signed(centre),
        signed(low),
        signed(high)
    );
    html! { " " span class={ "mark " (class) } title=(words) aria-label=(words) { (sign) } }
}
