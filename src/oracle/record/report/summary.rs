//! Counts of a report.

use super::super::grade::Measured;
use std::fmt;

/// All results of one op.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OpSummary {
    pub calls: usize,
    /// Results that were judged, and their elements.
    pub results: usize,
    pub elements: usize,
    pub fail: usize,
    pub suspect: usize,
    pub undeclared: usize,
    /// The largest error / (u |A||B|).
    pub worst: f64,
    /// The bound in the same unit: of each result its median over the elements.
    tightness: Vec<f64>,
}

/// A result that could not be judged, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotJudged {
    pub op: String,
    pub reason: String,
    /// How many results, or calls of an op that is not known.
    pub count: usize,
    /// The first case.
    pub first: String,
}

impl OpSummary {
    pub(in super::super) fn add(&mut self, measured: &Measured) {
        self.results += 1;
        self.elements += measured.elements;
        self.fail += measured.outside;
        self.suspect += measured.unlikely;
        self.undeclared += measured.undeclared.map_or(0, |(count, _)| count);
        self.worst = self.worst.max(measured.worst);
        self.tightness.push(measured.tightness);
    }

    /// A result of another shape than a correct port's.
    pub(in super::super) fn add_misshapen(&mut self, elements: usize) {
        self.results += 1;
        self.elements += elements;
        self.fail += elements.max(1);
        self.worst = f64::INFINITY;
    }

    /// Elements that are where correct ports are.
    pub fn pass(&self) -> usize {
        self.elements.saturating_sub(self.fail + self.suspect + self.undeclared)
    }

    /// How tight the bound was, in units of u |A||B|: the median over results; 0 where only the exact result is right.
    pub fn tightness(&self) -> f64 {
        let mut sorted = self.tightness.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
    }
}

impl fmt::Display for NotJudged {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {} ({} in all, the first in case `{}`)", self.op, self.reason, self.count, self.first)
    }
}
