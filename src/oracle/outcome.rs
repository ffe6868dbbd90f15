//! [`Outcome`]: what came of judging one claim in one epoch.

use crate::oracle::interval::{Decision, Interval};
use crate::oracle::report::{Event, Finding, LISTED};
use crate::trace::{Arithmetic, TracedParameter};
use std::ops::Range;

/// Which claim an outcome is of: the equation's name in findings and, where an equation claims several things, which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Label {
    pub(crate) equation: &'static str,
    pub(crate) part: &'static str,
}

impl Label {
    /// The label of an equation's one claim, or of what it is chiefly about.
    pub(crate) const fn of(equation: &'static str) -> Self {
        Self { equation, part: "" }
    }

    /// The label of another claim of the equation.
    pub(crate) const fn part(equation: &'static str, part: &'static str) -> Self {
        Self { equation, part }
    }
}

/// What is said of a number that is none.
pub(crate) const NOT_FINITE: &str = "not finite: an overflow, a division 0 / 0, or memory that was never written";

/// The most entries that a trace's parameters may have for every operand to be tried otherwise, of which each way costs what the
/// judgement does.
pub(crate) const MOST_TRIED: usize = 1 << 20;

/// A mistake under which all that an outcome found is what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) told: String,
    pub(crate) worth: Worth,
}

/// What a cause is worth where other events of its claim have findings too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Worth {
    /// It says what was done.
    Specific,
    /// It is a number that fits, which takes nothing else's place.
    Number,
    /// It was found by trying, or says no more than where what is wrong is: nothing, where another event has it not.
    IfEverywhere,
    /// It is told where another event has it too: once, any number fits.
    IfRepeated,
}

impl Cause {
    /// Whether nothing else is looked for where it holds.
    pub(crate) fn says_something(&self) -> bool {
        matches!(self.worth, Worth::Specific | Worth::Number)
    }
}

impl From<String> for Cause {
    fn from(told: String) -> Self {
        Self { told, worth: Worth::Specific }
    }
}

/// What came of judging one claim in one epoch.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) label: Label,
    /// The first findings, at most [`LISTED`].
    pub(crate) findings: Vec<Finding>,
    pub(crate) total: usize,
    /// Numbers compared.
    pub(crate) compared: usize,
    /// Decisions looked at, and those that rounding could have turned either way.
    pub(crate) decisions: usize,
    pub(crate) ambiguous: usize,
    /// What was left out, and why.
    pub(crate) missing: Vec<String>,
    /// Why there is no verdict although there is material.
    pub(crate) undecided: Option<String>,
}

impl Outcome {
    pub(crate) fn new(label: Label) -> Self {
        Self {
            label,
            findings: Vec::new(),
            total: 0,
            compared: 0,
            decisions: 0,
            ambiguous: 0,
            missing: Vec::new(),
            undecided: None,
        }
    }

    pub(crate) fn leave_out(&mut self, reason: impl Into<String>) {
        self.missing.push(reason.into());
    }

    /// There is material, but rounding errors may add up to anything.
    pub(crate) fn no_bound(&mut self, terms: usize, arithmetic: &Arithmetic) {
        let u = arithmetic.u_acc;
        self.undecided = Some(format!(
            "no bound holds: {terms} roundings of u = {u:e} may add up to all of the result; accumulate in a wider \
             type and declare u_acc"
        ));
    }

    /// There is material, and what it says is no verdict.
    pub(crate) fn doubt(&mut self, reason: &str) {
        self.undecided = Some(reason.to_string());
    }

    pub(crate) fn find(&mut self, finding: Finding) {
        self.total += 1;
        if self.findings.len() < LISTED {
            self.findings.push(finding);
        }
    }

    /// Takes over what was found in entries that come after those seen so far.
    pub(crate) fn absorb(&mut self, later: Self) {
        let room = LISTED.saturating_sub(self.findings.len());
        self.findings.extend(later.findings.into_iter().take(room));
        self.total += later.total;
        self.compared += later.compared;
        self.decisions += later.decisions;
        self.ambiguous += later.ambiguous;
        self.missing.extend(later.missing);
    }

    /// Counts a decision.
    pub(crate) fn decide(&mut self, decision: Decision) {
        self.decisions += 1;
        self.ambiguous += usize::from(decision == Decision::Either);
    }

    /// Compares one number of an epoch's tensor that is no parameter's.
    pub(crate) fn compare(&mut self, place: &Place, index: usize, got: f64, expected: Interval) {
        self.compared += 1;
        if !expected.contains(got) {
            let at = (place.tensor.clone(), place.event, vec![index]);
            self.find(Finding::new(self.label.equation, at, got, expected, place.arithmetic.dtype));
        }
    }

    /// Compares one entry of a parameter's tensor; `j` counts within the parameter.
    #[inline]
    pub(crate) fn compare_entry(
        &mut self,
        place: &Place,
        parameter: &TracedParameter,
        j: usize,
        got: f64,
        expected: Interval,
    ) {
        self.compared += 1;
        if !expected.contains(got) {
            self.diverges(place, parameter, j, got, expected);
        }
    }

    /// A number of a tensor that is not what it may be.
    #[cold]
    pub(crate) fn diverges_at(&mut self, place: &Place, index: Vec<usize>, got: f64, expected: Interval) {
        let at = (place.tensor.clone(), place.event, index);
        self.find(Finding::new(self.label.equation, at, got, expected, place.arithmetic.dtype));
    }

    #[cold]
    fn diverges(&mut self, place: &Place, parameter: &TracedParameter, j: usize, got: f64, expected: Interval) {
        let tensor = format!("{}/{}", place.tensor, parameter.name);
        let at = (tensor, place.event, parameter.index(j));
        self.find(Finding::new(self.label.equation, at, got, expected, place.arithmetic.dtype));
    }
}

/// Entries that one thread judges at a time.
const AT_A_TIME: usize = 1 << 15;

/// `0..len`, cut for threads; what they give is put together in order, so that their number changes nothing.
pub(crate) fn pieces(len: usize) -> Vec<Range<usize>> {
    (0..len).step_by(AT_A_TIME).map(|start| start..(start + AT_A_TIME).min(len)).collect()
}

/// Where compared numbers are.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The tensor's name, without the parameter's.
    pub(crate) tensor: String,
    pub(crate) event: Event,
    pub(crate) arithmetic: Arithmetic,
}
