//! [`Runs`]: the runs of all exhibits, which every number leads to.

use crate::experiment::exhibit::{Column, Exhibit, RunRef, Sample};
use crate::report::exhibit::number;
use maud::{Markup, html};
use std::collections::BTreeSet;

/// Every run once, in the order in which exhibits name them.
pub(super) struct Runs<'a>(Vec<&'a RunRef>, BTreeSet<&'a str>);

impl<'a> Runs<'a> {
    pub(super) fn of(exhibits: &'a [Exhibit]) -> Self {
        let (mut runs, mut seen) = (Vec::new(), BTreeSet::new());
        for run in exhibits.iter().flat_map(|exhibit| &exhibit.runs) {
            if seen.insert(run.hash.as_str()) {
                runs.push(run);
            }
        }
        Self(runs, seen)
    }

    /// A run's number, leading to the run.
    pub(super) fn value(&self, sample: &Sample, column: &Column) -> Markup {
        let digits = number(sample.value, column.decimals, false);
        self.link(&sample.hash, &digits)
    }

    /// Runs by their hashes' beginnings.
    pub(super) fn links(&self, hashes: &[String]) -> Markup {
        html! {
            @for (i, hash) in hashes.iter().enumerate() {
                @if i > 0 { ", " }
                (self.link(hash, short(hash)))
            }
        }
    }

    fn link(&self, hash: &str, words: &str) -> Markup {
        html! {
            @if self.1.contains(hash) { a href={ "#run-" (hash) } { (words) } } @else { (words) }
        }
    }

    /// The list that links lead to: hash, name, command, and what of it is not as in the paper.
    pub(super) fn appendix(&self) -> Markup {
        html! {
            section id="runs" {
                h2 { "Every run" }
                @if self.0.is_empty() { p class="empty" { "There is none yet." } } @else {
                    p {
                        "Each with the hash that names its folder in the store, the command that makes it by itself, and its "
                        "settings and readings where they are not the defaults. The same command has the same bits on every machine."
                    }
                }
                @for run in &self.0 {
                    div class="run" id={ "run-" (run.hash) } {
                        b { code { (run.hash) } } " " (run.name)
                        @if !run.reading.is_empty() { div class="soft" { (run.reading.join("; ")) } }
                        code class="command" { (command(run)) }
                    }
                }
            }
        }
    }
}

/// What tells most runs apart; the whole is where the link leads.
fn short(hash: &str) -> &str {
    hash.get(..8).unwrap_or(hash)
}

/// As it is typed: words with anything that a shell would read are quoted.
fn command(run: &RunRef) -> String {
    let is_plain =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=,:+@".contains(c));
    let quoted = |word: &String| match is_plain(word) {
        true => word.clone(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    };
    run.command.iter().map(quoted).collect::<Vec<_>>().join(" ")
}
