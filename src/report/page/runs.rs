//! [`Runs`]: the runs of all exhibits, which every number leads to.

use crate::experiment::exhibit::{Column, Exhibit, RunRef, Sample};
use crate::report::exhibit::number;
use maud::{Markup, html};
use std::collections::{BTreeMap, BTreeSet};

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

    /// Those together that differ in their seed alone, in the order of the first of each.
    fn alike(&self) -> Vec<Vec<&'a RunRef>> {
        let mut groups: Vec<Vec<&RunRef>> = Vec::new();
        let mut place = BTreeMap::new();
        for &run in &self.0 {
            let group = *place.entry((parts(run).0, &run.reading)).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[group].push(run);
        }
        groups
    }

    /// The list that links lead to: hash, name, command, and what of it is not as in the paper.
    pub(super) fn appendix(&self) -> Markup {
        html! {
            section id="runs" {
                h2 { "Every run" }
                @if self.0.is_empty() { p class="empty" { "There is none yet." } } @else {
                    p {
                        "Each with the command that makes it by itself, its settings and readings where they are not the defaults, "
                        "and the hash that names its folder in the store. Seeds stand together: what follows a hash belongs to its "
                        "command, which has the same bits again on processors of the same kind."
                    }
                }
                @for alike in self.alike() {
                    div class="run" {
                        b { (name(alike[0])) }
                        @if !alike[0].reading.is_empty() { div class="soft" { (alike[0].reading.join("; ")) } }
                        code class="command" { (command(&parts(alike[0]).0)) }
                        ul {
                            @for run in alike {
                                li id={ "run-" (run.hash) } {
                                    code { (run.hash) }
                                    @if let Some(seed) = parts(run).1 { " " code class="soft" { "--seed " (seed) } }
                                }
                            }
                        }
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

/// The words of a run's command without its seed, and the seed where it is given.
fn parts(run: &RunRef) -> (Vec<&str>, Option<&str>) {
    let mut words: Vec<&str> = run.command.iter().map(String::as_str).collect();
    match words.iter().position(|word| *word == "--seed") {
        Some(at) if at + 1 < words.len() => {
            let seed = words[at + 1];
            words.drain(at..at + 2);
            (words, Some(seed))
        }
        _ => (words, None),
    }
}

/// What runs that differ in their seed are called together.
fn name(run: &RunRef) -> String {
    let seed = parts(run).1.unwrap_or("0");
    run.name.replace(&format!(", seed {seed}"), "")
}

/// As it is typed: words with anything that a shell would read are quoted.
fn command(words: &[&str]) -> String {
    let is_plain =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=,:+@".contains(c));
    let quoted = |word: &&str| match is_plain(word) {
        true => word.to_string(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}
