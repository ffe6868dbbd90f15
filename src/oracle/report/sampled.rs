//! [`Sampled`]: what a report says of a trace that keeps a sample of the weights.

use crate::trace::{Sample, Trace};
use serde_json::{Value, json};
use std::fmt;

/// Which weights were looked at, and how many have to be wrong for that to be seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampled {
    sample: Sample,
    /// How many weights W has, and how many of them are kept.
    weights: usize,
    kept: usize,
}

/// How unlikely it is to be that a mistake is missed.
const MISSED: f64 = 1e-12;

impl Sampled {
    /// `None` of a trace of all weights.
    pub(crate) fn of(trace: &Trace) -> Option<Self> {
        let kept = trace.prunable().iter().map(|parameter| parameter.range.len()).sum();
        Some(Self { sample: trace.sample()?, weights: trace.weights(), kept })
    }

    /// The least number of wrong weights, wherever they are, of which some is in the sample but for the probability
    /// [`MISSED`]: (1 - share)^number is that.
    fn surely(&self) -> usize {
        let number = libm::log(MISSED) / libm::log1p(-self.sample.share);
        (number.ceil() as usize).clamp(1, self.weights.max(1))
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "share": self.sample.share, "least": self.sample.least, "weights": self.weights, "kept": self.kept,
            "seen_from": self.surely(),
        })
    }
}

impl fmt::Display for Sampled {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let [kept, weights, surely] = [self.kept, self.weights, self.surely()].map(thousands);
        let masks = if self.sample.has_whole_masks { "; masks of all" } else { "" };
        write!(
            f,
            "{kept} of {weights} weights, chosen by a hash (share {}){masks}. A weight outside that is wrong is not seen; of \
             {surely} wrong ones some is, but for a probability of {MISSED:e}",
            self.sample.share
        )
    }
}

/// 266610 as `266,610`.
pub fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
