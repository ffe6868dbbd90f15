//! [`page`]: exhibits as one HTML file that asks for nothing from anywhere: tables that sort, figures, equations, and every
//! number with its runs.

mod equation;
mod exhibit;
mod runs;
mod symbols;
mod table;

use super::exhibit::chart::PALETTE;
use super::exhibit::stem;
use crate::error::{Error, Result};
use crate::experiment::exhibit::Exhibit;
pub use equation::{latex, mathml};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use runs::Runs;
use symbols::symbols;

/// The most that a page may take, in bytes.
pub const LARGEST: usize = 1_000_000;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Which data stand in the page, as links that save them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Embedded {
    Nothing,
    /// As CSV.
    Tables,
    /// With the points of charts.
    Charts,
    /// And each exhibit as JSON.
    All,
}

/// The page, in the exhibits' order. Where their data would make it larger than 1 MB, it goes without: first without
/// JSON, then without the points of charts, at last without tables' CSV, and says where they are to be had.
///
/// # Errors
/// [`Error::Domain`] if it is larger even so.
pub fn page(exhibits: &[Exhibit]) -> Result<String> {
    let mut size = 0;
    for embedded in [Embedded::All, Embedded::Charts, Embedded::Tables, Embedded::Nothing] {
        let page = whole(exhibits, embedded)?.into_string();
        if page.len() <= LARGEST {
            return Ok(page);
        }
        size = page.len();
    }
    let expected = format!("targets that fit into a page of {LARGEST} bytes; name fewer");
    Err(Error::domain("report", expected, format!("{size} bytes")))
}

fn whole(exhibits: &[Exhibit], embedded: Embedded) -> Result<Markup> {
    let runs = Runs::of(exhibits);
    let sections =
        exhibits.iter().enumerate().map(|(i, one)| exhibit::section(one, &stem(exhibits, i), &runs, embedded));
    let sections = sections.collect::<Result<Vec<_>>>()?;
    Ok(html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                // Whatever were to ask for something would be refused.
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";
                meta name="generator" content=(concat!("gdstar ", env!("CARGO_PKG_VERSION")));
                link rel="icon" href="data:,";
                title { "GDSTAR: the paper's tables and figures, run again" }
                style { (PreEscaped(PALETTE)) (PreEscaped(STYLE)) }
            }
            body id="top" {
                header {
                    h1 { "GDSTAR" }
                    p class="lead" {
                        "The tables and figures of the paper, run again, beside what was printed: gradient-based dynamic sparse "
                        "training with adaptive rewinding."
                    }
                    button id="theme" type="button" hidden { "Dark" }
                }
                main {
                    (index(exhibits))
                    (how_to_read(embedded))
                    @for section in &sections { (section) }
                    (runs.appendix())
                }
                footer { p { "Written by gdstar " (env!("CARGO_PKG_VERSION")) ". This file is whole: it loads nothing." } }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    })
}

fn index(exhibits: &[Exhibit]) -> Markup {
    html! {
        nav aria-label="Contents" {
            h2 { "What there is" }
            ol class="index" {
                @for (i, one) in exhibits.iter().enumerate() {
                    li {
                        a href={ "#" (stem(exhibits, i)) } { b { (one.target) } " " (symbols(&one.title)) }
                        span class="soft" { (counted(one.runs.len(), "run")) }
                    }
                }
                li { a href="#runs" { b { "runs" } " Every run, with its command" } }
            }
        }
    }
}

fn how_to_read(embedded: Embedded) -> Markup {
    html! {
        details class="how" {
            summary { "How to read the numbers" }
            p {
                b { "97.66 ± 0.10" } " is ours: mean and sample standard deviation over seeds. Open it for each seed's number, "
                "which leads to its run. " span class="paper" { "paper 97.71" } " is what was printed, without a spread."
            }
            p {
                "▲ or ▼ beside the paper's number: ours is higher or lower, and that is a difference: both the bootstrap's and "
                "Student's 95 % interval leave the printed number out. A difference between two of ours is taken seed by seed "
                "and marked likewise where the intervals leave 0 out. ≈: the seeds do not tell them apart. “few”: three seeds "
                "or fewer, which are too few to call anything a difference."
            }
            p {
                "Over several rows stands the interquartile mean with its stratified bootstrap interval, as in R. Agarwal et al., "
                "“Deep reinforcement learning at the edge of the statistical precipice”, 2021. Tables sort by a column when its "
                "head is pressed. In figures ours is solid, the paper's dashed or hollow; bands and whiskers are explained "
                "where they are."
            }
            @if embedded < Embedded::All {
                p { "Some data are left out to keep this file small: " code { "gdstar report --files DIR" } " writes all." }
            }
        }
    }
}

/// `1 run`, `2 runs`.
fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
