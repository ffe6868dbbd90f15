//! A target's part of the page.

use super::equation::equation;
use super::runs::Runs;
use super::symbols::symbols;
use super::table::table;
use super::{Embedded, counted};
use crate::error::Result;
use crate::experiment::exhibit::{Chart, Exhibit, Table};
use crate::report::exhibit::{chart_csv, drawing, json, overall, table_csv};
use maud::{Markup, html};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

pub(super) fn section(exhibit: &Exhibit, anchor: &str, runs: &Runs, embedded: Embedded) -> Result<Markup> {
    let file = |name: &str| format!("{anchor}-{name}");
    let tables = exhibit.tables.iter().map(|one| shown_table(one, &file(&one.name), runs, embedded));
    let tables = tables.collect::<Result<Vec<_>>>()?;
    let charts = exhibit.charts.iter().map(|one| shown_chart(one, &file(&one.name), runs, embedded));
    let charts = charts.collect::<Result<Vec<_>>>()?;
    let data = if embedded == Embedded::All { Some(json(exhibit)?.to_string()) } else { None };
    Ok(html! {
        section id=(anchor) {
            h2 { span class="target" { (exhibit.target) } " " (symbols(&exhibit.title)) }
            @if !exhibit.question.is_empty() { p class="question" { (symbols(&exhibit.question)) } }
            @if exhibit.runs.is_empty() {
                p class="empty" {
                    "Nothing has been run yet: " code { "gdstar reproduce " (exhibit.target) } " makes what is missing."
                }
            }
            @if !exhibit.notes.is_empty() {
                ul class="notes" { @for note in &exhibit.notes { li { (symbols(note)) } } }
            }
            @for table in &tables { (table) }
            @if !charts.is_empty() {
                div class="charts" { @for chart in &charts { (chart) } }
            }
            @if !exhibit.departures.is_empty() {
                details class="departures" open {
                    summary { "Not as in the paper (" (exhibit.departures.len()) ")" }
                    ul { @for departure in &exhibit.departures { li { (symbols(departure)) } } }
                }
            }
            @if !exhibit.equations.is_empty() {
                details class="equations" {
                    summary { (if exhibit.equations.len() == 1 { "The equation" } else { "The equations" }) " that it turns on" }
                    @for &number in &exhibit.equations { (equation(number)) }
                }
            }
            p class="links" {
                a href="#runs" { (counted(exhibit.runs.len(), "run")) }
                @if let Some(data) = &data {
                    " · " a download={ (anchor) ".json" } href=(link("application/json", data)) { "all as JSON" }
                }
                " · " a href="#top" { "top" }
            }
        }
    })
}

fn shown_table(one: &Table, file: &str, runs: &Runs, embedded: Embedded) -> Result<Markup> {
    let csv = if embedded >= Embedded::Tables { Some(table_csv(one)?) } else { None };
    Ok(html! {
        figure class="table" {
            figcaption {
                span { (symbols(&one.title)) }
                @if let Some(csv) = csv { " " a class="save" download={ (file) ".csv" } href=(link("text/csv", &csv)) { "CSV" } }
            }
            (table(one, runs))
            @let over = overall(one);
            @if !over.is_empty() {
                ul class="overall" { @for overall in over { li { (overall.words(one)) } } }
            }
        }
    })
}

fn shown_chart(one: &Chart, file: &str, runs: &Runs, embedded: Embedded) -> Result<Markup> {
    let csv = if embedded >= Embedded::Charts { Some(chart_csv(one)?) } else { None };
    let with_runs = one.series.iter().filter(|series| !series.runs.is_empty());
    let linked: Vec<_> = with_runs.map(|series| (series, runs.links(&series.runs))).collect();
    Ok(html! {
        figure class="drawn" data-file=(file) {
            (drawing(one))
            figcaption {
                span { (symbols(&one.title)) }
                @if let Some(csv) = csv { " " a class="save" download={ (file) ".csv" } href=(link("text/csv", &csv)) { "CSV" } }
                @if !linked.is_empty() {
                    details {
                        summary { "runs" }
                        ul { @for (series, links) in &linked { li { (series.name) ": " (links) } } }
                    }
                }
            }
        }
    })
}

/// What a link cannot have as it is, and what an attribute would write in more letters.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'&');

/// Data as a link.
fn link(kind: &str, data: &str) -> String {
    format!("data:{kind};charset=utf-8,{}", utf8_percent_encode(data, ESCAPED))
}
